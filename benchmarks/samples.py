"""Times training on samples beside what one would pick instead: ``python -m benchmarks.samples``.

Networks whose items differ from replica to replica, by `ncnet.training.samples.train`, by
`torch.func` (`vmap` over networks of the gradient), and by a loop over torch modules. One thread.
Times are printed only of what was found to end with the same losses, and the shortest of some
repeats.
"""

import argparse
import os
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from ncnet.training import samples
from ncnet.training.samples.population import Population
from ncnet.training.samples.training import QUARTET, initial_weights

HIDDEN_SIZE = 4
REPLICAS = 128
STEPS = 200
LEARNING_RATE = 0.5
REPEATS = 3
LOOPED = 2  # replicas that a loop is timed on
TOLERANCE = 1e-3  # of a final loss, relative
POPULATIONS = {"overlap": 64, "hard_together": 128}
"""Training items by population: few inputs and many."""


def main() -> None:
    argparse.ArgumentParser(prog="python -m benchmarks.samples", description=__doc__).parse_args()
    torch.set_num_threads(1)
    load = f"{os.getloadavg()[0]:.1f} processes" if hasattr(os, "getloadavg") else "unknown"
    print(f"one thread; load of the machine's {os.cpu_count()} cores at the start: {load}")
    for name, training in POPULATIONS.items():
        drawn = population(name, training)
        print(f"\n{name}: {drawn.features} inputs, {training} items, n = {HIDDEN_SIZE}")
        expected = ours(drawn, REPLICAS, STEPS)
        times = {"ncnet.training.samples.train": _fastest(ours, drawn, REPLICAS) / REPLICAS}
        for label, engine, replicas in (
            ("torch.func.vmap", with_vmap, REPLICAS),
            ("a loop over modules", with_modules, LOOPED),
        ):
            found = engine(drawn, replicas, STEPS)
            if not agree(found, expected[:, :replicas]):
                print(f"{label}: ends elsewhere, not timed")
                continue
            times[label] = _fastest(engine, drawn, replicas) / replicas
        base = times["ncnet.training.samples.train"]
        for label, seconds in times.items():
            each = 1e6 * seconds / (4 * STEPS)
            print(
                f"{label:>20}: {each:8.2f} microseconds a network and step, {seconds / base:.1f} x"
            )


def population(name: str, training: int) -> Population:
    """Return what is drawn from."""
    return samples.named(name, training=training, held_out=1, seed=0)


def ours(drawn: Population, replicas: int, steps: int) -> np.ndarray:
    """Train, and return the summed losses [4 contexts, replicas]."""
    found = samples.train(
        drawn,
        hidden_size=HIDDEN_SIZE,
        replicas=range(replicas),
        seed=0,
        steps=steps,
        learning_rate=LEARNING_RATE,
    )
    losses = found["alice_loss"] + found["bob_loss"]
    return losses.values.reshape(4, replicas)


def with_vmap(drawn: Population, replicas: int, steps: int) -> np.ndarray:
    """Do the same by `torch.func`."""
    from torch.func import functional_call, grad, stack_module_state, vmap

    networks = _modules(drawn, replicas)
    inputs, targets = _items(drawn, replicas)
    weights, _ = stack_module_state(networks)
    weights = {name: weight.detach() for name, weight in weights.items()}
    skeleton = networks[0].to("meta")

    def loss(of_one: dict, items: torch.Tensor, sign: torch.Tensor) -> torch.Tensor:
        return _loss(functional_call(skeleton, of_one, (items,)), sign)

    gradient, loss = vmap(grad(loss)), vmap(loss)
    for _ in range(steps):
        slopes = gradient(weights, inputs, targets)
        for name, weight in weights.items():
            weight.sub_(slopes[name], alpha=LEARNING_RATE)
    return loss(weights, inputs, targets).reshape(4, replicas).numpy()


def with_modules(drawn: Population, replicas: int, steps: int) -> np.ndarray:
    """Do the same network by network."""
    losses = []
    items = zip(_modules(drawn, replicas), *_items(drawn, replicas), strict=True)
    for network, inputs, sign in items:
        optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE)
        for _ in range(steps):
            optimizer.zero_grad()
            _loss(network(inputs), sign).backward()
            optimizer.step()
        losses.append(_loss(network(inputs), sign).item())
    return np.array(losses).reshape(4, replicas)


def agree(found: np.ndarray, expected: np.ndarray) -> bool:
    """Return whether losses agree but for rounding."""
    return bool(np.allclose(found, expected, rtol=TOLERANCE))


class _TwoHeads(nn.Module):
    def __init__(self, features: int):
        super().__init__()
        self.trunk, self.heads = nn.Linear(features, HIDDEN_SIZE), nn.Linear(HIDDEN_SIZE, 2)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.heads(torch.tanh(self.trunk(inputs)))


def _loss(logits: torch.Tensor, sign: torch.Tensor) -> torch.Tensor:
    return nn.functional.softplus(-sign * logits.mT).mean(-1).sum()


def _modules(drawn: Population, replicas: int) -> list[nn.Module]:
    """Return the networks of all contexts, (1,1) first, each with all replicas."""
    shape = {"features": drawn.features, "hidden_size": HIDDEN_SIZE}
    trunk, heads = initial_weights(range(replicas), 1, seed=0, **shape)
    networks = []
    for _ in QUARTET:
        for replica in range(replicas):
            network = _TwoHeads(drawn.features)
            state = {
                "trunk.weight": trunk[replica, :, :-1],
                "trunk.bias": trunk[replica, :, -1],
                "heads.weight": heads[replica, 0, :, :-1],
                "heads.bias": heads[replica, 0, :, -1],
            }
            network.load_state_dict(state)
            networks.append(network)
    return networks


def _items(drawn: Population, replicas: int) -> tuple[torch.Tensor, torch.Tensor]:
    found = drawn.draw(range(replicas))
    inputs = torch.from_numpy(found.inputs[:, : drawn.training]).repeat(4, 1, 1)
    targets = found.targets[..., : drawn.training].astype(np.float32)
    pairs = [np.stack([targets[a], targets[b]], axis=1) for a, b in QUARTET]
    return inputs, torch.from_numpy(np.concatenate(pairs))


def _fastest(engine: Callable, drawn: Population, replicas: int) -> float:
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        engine(drawn, replicas, STEPS)
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    main()
