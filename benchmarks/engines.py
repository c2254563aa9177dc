"""The engines: what people write with torch and JAX, and ours.

An engine has `weights_after(problem, steps, device)`, which gives trunk [H, F + 1, N] and heads
[2, H + 1, N] as numpy arrays, and `train(problem, device)`, which is timed. Each imports its
library itself, so that its start can be timed too.
"""

from collections.abc import Callable

import numpy as np

from benchmarks.problem import LEARNING_RATE, Problem

Weights = tuple[np.ndarray, np.ndarray]


class Loop:
    """One `torch.nn.Module` and one `torch.optim.SGD` a network, trained one after the other."""

    label = "loop over torch modules"

    def weights_after(self, problem: Problem, steps: int, device: str) -> Weights:
        import torch
        from torch.nn.functional import binary_cross_entropy_with_logits

        inputs = torch.as_tensor(problem.inputs(), device=device)
        classes = torch.as_tensor((problem.targets() + 1) / 2, device=device)
        networks = [module.to(device) for module in _modules(problem)]
        for network, target in zip(networks, classes.unbind(-1), strict=True):
            optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE)
            for _ in range(steps):
                optimizer.zero_grad()
                logit = network(inputs)
                loss = binary_cross_entropy_with_logits(logit, target, reduction="none")
                loss.mean(1).sum().backward()
                optimizer.step()
        return _stacked([dict(network.named_parameters()) for network in networks])

    def train(self, problem: Problem, device: str) -> None:
        self.weights_after(problem, problem.steps, device)


class Vmap:
    """`torch.func`: the modules' stacked state, `vmap` over networks of `grad` of the loss."""

    label = "torch.func stack + vmap"

    def weights_after(self, problem: Problem, steps: int, device: str) -> Weights:
        import torch
        from torch.func import functional_call, grad, stack_module_state, vmap
        from torch.nn.functional import binary_cross_entropy_with_logits

        modules = _modules(problem)
        weights, _ = stack_module_state(modules)
        weights = {name: weight.detach().to(device) for name, weight in weights.items()}
        skeleton = modules[0].to("meta")
        inputs = torch.as_tensor(problem.inputs(), device=device)
        classes = torch.as_tensor((problem.targets() + 1) / 2, device=device).movedim(-1, 0)

        def loss(weights, target):
            logit = functional_call(skeleton, weights, (inputs,))
            each = binary_cross_entropy_with_logits(logit, target, reduction="none")
            return each.mean(1).sum()

        slopes_of = vmap(grad(loss))
        for _ in range(steps):
            slopes = slopes_of(weights, classes)
            for name, weight in weights.items():
                weight.sub_(slopes[name], alpha=LEARNING_RATE)
        return _stacked(
            [{name: weight[n] for name, weight in weights.items()} for n in range(problem.networks)]
        )

    def train(self, problem: Problem, device: str) -> None:
        self.weights_after(problem, problem.steps, device)


class Jax:
    """`jit(vmap(scan))`: all steps of all networks in one compiled call."""

    label = "JAX jit(vmap(scan))"

    def __init__(self) -> None:
        self.compiled: dict[int, Callable] = {}

    def weights_after(self, problem: Problem, steps: int, device: str) -> Weights:
        import jax

        with jax.default_device(jax.devices("gpu" if device == "cuda" else "cpu")[0]):
            trunk, heads = problem.weights()
            if steps not in self.compiled:
                self.compiled[steps] = _jax_training(problem, steps)
            arrays = (trunk.transpose(2, 0, 1), heads.transpose(2, 0, 1))
            classes = ((problem.targets() + 1) / 2).transpose(2, 0, 1)
            trunk, heads = jax.block_until_ready(self.compiled[steps](arrays, classes))
        return np.moveaxis(np.asarray(trunk), 0, -1), np.moveaxis(np.asarray(heads), 0, -1)

    def train(self, problem: Problem, device: str) -> None:
        self.weights_after(problem, problem.steps, device)


class Ours:
    """`ncnet.train`, drawing of weights and reading of outcomes included."""

    def __init__(
        self,
        backend: str,
        dtype: str = "float32",
        activation: str = "tanh",
        optimizer: str = "gradient_descent",
    ) -> None:
        self.backend = backend
        self.dtype = dtype
        self.activation = activation
        self.optimizer = optimizer
        self.learning_rate = LEARNING_RATE if optimizer == "gradient_descent" else 0.01
        self.label = f"ncnet, {backend}"

    def weights_after(self, problem: Problem, steps: int, device: str) -> Weights:
        import torch

        from ncnet.training import network
        from ncnet.training.backends import BACKENDS
        from ncnet.training.plan import DTYPES, Method

        def tensor(array):
            return torch.as_tensor(array, dtype=DTYPES[self.dtype], device=device)

        weights = network.Weights(*map(tensor, problem.weights()))
        networks = BACKENDS[self.backend](
            network.with_bias(tensor(problem.inputs())),
            tensor(problem.targets()),
            weights,
            Method(self.activation, self.optimizer, self.learning_rate, loss="cross_entropy"),
        )
        networks.advance(steps)
        return tuple(weight.cpu().numpy() for weight in weights)

    def train(self, problem: Problem, device: str, threads: int | None = None) -> None:
        import ncnet

        ncnet.train(
            problem.game,
            hidden_size=problem.hidden_size,
            replicas=problem.replicas,
            seed=problem.seed,
            steps=problem.steps,
            activation=self.activation,
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            device=device,
            backend=self.backend,
            threads=threads,
        )


ENGINES = {
    "loop": Loop(),
    "vmap": Vmap(),
    "jax": Jax(),
    "eager": Ours("eager"),
    "compiled": Ours("compiled"),
}


def _modules(problem: Problem) -> list:
    """Return a torch module for each network, with the problem's initial weights."""
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self, trunk, heads):
            super().__init__()
            hidden_size, features = trunk.shape
            self.trunk = nn.Linear(features - 1, hidden_size)
            self.heads = nn.Linear(hidden_size, 2)
            with torch.no_grad():
                self.trunk.weight.copy_(trunk[:, :-1])
                self.trunk.bias.copy_(trunk[:, -1])
                self.heads.weight.copy_(heads[:, :-1])
                self.heads.bias.copy_(heads[:, -1])

        def forward(self, inputs):
            return self.heads(torch.tanh(self.trunk(inputs))).T

    weights = [torch.as_tensor(part).unbind(-1) for part in problem.weights()]
    return [Network(trunk, heads) for trunk, heads in zip(*weights, strict=True)]


def _stacked(networks: list[dict]) -> Weights:
    def layer(name: str) -> np.ndarray:
        parts = [
            np.concatenate(
                [
                    network[f"{name}.weight"].detach().cpu().numpy(),
                    network[f"{name}.bias"].detach().cpu().numpy()[:, None],
                ],
                axis=1,
            )
            for network in networks
        ]
        return np.stack(parts, axis=-1)

    return layer("trunk"), layer("heads")


def _jax_training(problem: Problem, steps: int) -> Callable:
    import jax
    import jax.numpy as jnp

    inputs = jnp.asarray(problem.inputs())

    def loss(weights, classes):
        trunk, heads = weights
        hidden = jnp.tanh(inputs @ trunk[:, :-1].T + trunk[:, -1])
        logit = (hidden @ heads[:, :-1].T + heads[:, -1]).T
        return (jnp.logaddexp(0, logit) - classes * logit).mean(1).sum()

    def train(weights, classes):
        def step(weights, _):
            slopes = jax.grad(loss)(weights, classes)
            moved = jax.tree.map(lambda w, g: w - LEARNING_RATE * g, weights, slopes)
            return moved, None

        return jax.lax.scan(step, weights, length=steps)[0]

    return jax.jit(jax.vmap(train))
