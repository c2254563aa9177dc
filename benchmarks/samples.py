"""Times training on samples beside what one would pick instead: ``python -m benchmarks.samples``.

Networks whose items differ from replica to replica, by `ncnet.training.samples.train` on either
backend, by `torch.func` (`vmap` over networks of the gradient), and by a loop over torch modules.
One thread; processor time, the shortest of some repeats, less what no steps take: drawing items and
weights, and reading outcomes. What others take is printed only where they were found to end with
the same losses, after as many steps as they are timed on. `benchmarks.limit.operations` counts the
operations.
"""

import argparse
import inspect
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from benchmarks import limit
from benchmarks.revisions import checkout, commit
from ncnet.training import samples
from ncnet.training.samples.population import Population
from ncnet.training.samples.training import QUARTET

LEARNING_RATE = 0.5
REPEATS = 5
FEW_STEPS = 10  # after more, chaos may take an engine elsewhere
TOLERANCE = 1e-3  # of a final loss, relative
WIDE = "normal"


class Case(NamedTuple):
    """What is trained, and the goals: times as fast as vmap, and a share of the limit."""

    population: str
    training: int
    hidden_size: int
    replicas: int
    steps: int
    looped: int = 2  # replicas that a loop is timed on
    ahead: float | None = None
    share: float | None = None


CASES = (
    Case("overlap", 64, 4, replicas=128, steps=1000, ahead=10),
    Case("hard_together", 128, 4, replicas=128, steps=200, ahead=10),
    Case("hard_together", 64, 8, replicas=128, steps=200, share=0.5),
    Case("overlap", 10_000, 32, replicas=1, steps=100, looped=1),
    Case(WIDE, 10_000, 32, replicas=1, steps=50, looped=1),
)
DRAWN_FROM = 4  # batches that all training items make
MOST_COST = 1.5
"""The goal for a step that draws its items, in steps that take as many without drawing."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.samples", description=__doc__)
    parser.add_argument(
        "--against", metavar="COMMIT", type=commit, help="a commit to time in the same run"
    )
    against = parser.parse_args().against
    torch.set_num_threads(1)
    load = f"{os.getloadavg()[0]:.1f} processes" if hasattr(os, "getloadavg") else "unknown"
    print(f"one thread; load of the machine's {os.cpu_count()} cores at the start: {load}")
    peak = limit.peak(threads=1)
    print(f"limit of multiply-adds: {peak / 1e9:.0f} GFLOP/s; torch's matmul: ", end="")
    print(f"{large_matmul() / 1e9:.0f} GFLOP/s")
    for place, case in enumerate(CASES):
        drawn = population(case.population, case.training)
        print(
            f"\n{case.population}: {drawn.features} inputs, {case.training:,} items, "
            f"n = {case.hidden_size}, {4 * case.replicas} networks"
        )
        times = times_of(case, drawn)
        if against:
            times[f"ncnet, {against}"] = time_of_revision(against, place)
        operations = limit.operations(case.hidden_size, drawn.features + 1, case.training)
        for label, seconds in times.items():
            rate = operations / seconds
            print(
                f"{label:>20}: {1e6 * seconds:8.2f} microseconds a network and step, "
                f"{rate / 1e9:6.1f} GFLOP/s, {100 * rate / peak:5.1f} % of the limit, "
                f"{seconds / times['ncnet, compiled']:.1f} x"
            )
        _print_goals(case, times, operations / times["ncnet, compiled"] / peak)
    for case in (case for case in CASES if case.replicas > 1):
        print_cost_of_batches(case)


def print_cost_of_batches(case: Case) -> None:
    """Print what a step on a batch takes beside one on all of as many items."""
    print(f"\n{case.population}, n = {case.hidden_size}: batches of {case.training} items")
    items = {"batch_size": case.training}
    full = population(case.population, case.training)
    drawn = population(case.population, DRAWN_FROM * case.training)
    for label, engine in (("compiled", ours), ("eager", eagerly)):
        base = time_of(engine, case, full, case.replicas, case.steps)
        for what, options in (("batches", items), ("and flips", items | {"label_noise": 0.1})):
            drawing = partial(engine, **options)
            cost = time_of(drawing, case, drawn, case.replicas, case.steps) / base
            met = "met" if cost <= MOST_COST else "missed"
            print(f"{label}, {what}: {cost:.2f} x, goal at most {MOST_COST}: {met}")


def times_of(case: Case, drawn: Population) -> dict[str, float]:
    """Return seconds a network and step of each engine that agrees with ours."""
    expected = ours(case, drawn, case.replicas, FEW_STEPS)
    times = {"ncnet, compiled": time_of(ours, case, drawn, case.replicas, case.steps)}
    for label, engine, replicas in (
        ("ncnet, eager", eagerly, case.replicas),
        ("torch.func.vmap", with_vmap, case.replicas),
        ("a loop over modules", with_modules, case.looped),
    ):
        found = engine(case, drawn, replicas, FEW_STEPS)
        if agree(found, expected[:, :replicas]):
            times[label] = time_of(engine, case, drawn, replicas, FEW_STEPS)
        else:
            print(f"{label}: ends elsewhere, not timed")
    return times


def time_of(engine: Callable, case: Case, drawn: Population, replicas: int, steps: int) -> float:
    """Return the seconds that a network and step take."""
    shortest = []
    for count in (0, steps):
        times = []
        for _ in range(REPEATS):
            start = time.process_time()
            engine(case, drawn, replicas, count)
            times.append(time.process_time() - start)
        shortest.append(min(times))
    return (shortest[1] - shortest[0]) / (4 * replicas * steps)


def time_of_revision(revision: str, place: int) -> float:
    """Return the seconds that a network and step of a case take at another commit."""
    line = f"from benchmarks import samples; samples.print_own({place})"
    with checkout(revision) as folder:
        done = subprocess.run(
            [sys.executable, "-c", line], cwd=folder, check=True, capture_output=True
        )
    return json.loads(done.stdout)


def print_own(place: int) -> None:
    """Print the seconds of a case by the package as it is here."""
    torch.set_num_threads(1)
    case = CASES[place]
    drawn = population(case.population, case.training)
    print(json.dumps(time_of(ours, case, drawn, case.replicas, case.steps)))


def _print_goals(case: Case, times: dict[str, float], share: float) -> None:
    def judged(goal: str, reached: float, least: float, number: str) -> None:
        met = "met" if reached >= least else "missed"
        print(f"goal, {goal} {least:{number}}: {reached:{number}}, {met}")

    if case.ahead and "torch.func.vmap" in times:
        ahead = times["torch.func.vmap"] / times["ncnet, compiled"]
        judged("times as fast as vmap", ahead, case.ahead, ".1f")
    if case.share:
        judged("share of the limit", share, case.share, ".0%")


def large_matmul() -> float:
    """Return the operations a second of a matrix product as large as libraries like it."""
    size, times = 1024, []
    matrix = torch.ones(size, size)
    for _ in range(10):
        start = time.process_time()
        matrix @ matrix
        times.append(time.process_time() - start)
    return 2 * size**3 / min(times)


def population(name: str, training: int) -> Population:
    """Return what is drawn from: a named population, or one of as many inputs as digits have."""
    if name != WIDE:
        return samples.named(name, training=training, held_out=1, seed=0)
    features = 64

    def items(replica: int) -> samples.Items:
        generator = np.random.default_rng((replica, training))
        inputs = generator.standard_normal((training + 1, features))
        of_tasks = generator.standard_normal((4, features))
        return samples.Items(inputs, np.sign(of_tasks @ inputs.T).astype(np.int8))

    tasks = ("A1", "A2", "B1", "B2")
    sizes = {"features": features, "training": training, "held_out": 1}
    return Population(name=name, tasks=tasks, items=items, **sizes)


def ours(
    case: Case,
    drawn: Population,
    replicas: int,
    steps: int,
    backend: str = "compiled",
    **options: object,
) -> np.ndarray:
    """Train, and return the summed losses [4 contexts, replicas]."""
    chosen = {"backend": backend} | options
    if "backend" not in inspect.signature(samples.train_pairs).parameters:
        chosen = {}  # an older commit, which is eager
    found = samples.train(
        drawn,
        hidden_size=case.hidden_size,
        replicas=range(replicas),
        seed=0,
        steps=steps,
        learning_rate=LEARNING_RATE,
        **chosen,
    )
    losses = found["alice_loss"] + found["bob_loss"]
    return losses.values.reshape(4, replicas)


def eagerly(
    case: Case, drawn: Population, replicas: int, steps: int, **options: object
) -> np.ndarray:
    """Do the same by operations of torch."""
    return ours(case, drawn, replicas, steps, backend="eager", **options)


def with_vmap(case: Case, drawn: Population, replicas: int, steps: int) -> np.ndarray:
    """Do the same by `torch.func`."""
    from torch.func import functional_call, grad, stack_module_state, vmap

    networks = _modules(case, drawn, replicas)
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


def with_modules(case: Case, drawn: Population, replicas: int, steps: int) -> np.ndarray:
    """Do the same network by network."""
    losses = []
    items = zip(_modules(case, drawn, replicas), *_items(drawn, replicas), strict=True)
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
    def __init__(self, features: int, hidden_size: int):
        super().__init__()
        self.trunk, self.heads = nn.Linear(features, hidden_size), nn.Linear(hidden_size, 2)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.heads(torch.tanh(self.trunk(inputs)))


def _loss(logits: torch.Tensor, sign: torch.Tensor) -> torch.Tensor:
    return nn.functional.softplus(-sign * logits.mT).mean(-1).sum()


def _modules(case: Case, drawn: Population, replicas: int) -> list[nn.Module]:
    """Return the networks of all contexts, (1,1) first, each with all replicas."""
    from ncnet.training.samples.networks import initial_weights

    shape = {"features": drawn.features, "hidden_size": case.hidden_size}
    networks = []
    for pair in QUARTET:
        tasks = [drawn.tasks[place] for place in pair]
        trunk, heads = initial_weights(range(replicas), [tasks], seed=0, **shape)
        for replica in range(replicas):
            network = _TwoHeads(drawn.features, case.hidden_size)
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


if __name__ == "__main__":
    main()
