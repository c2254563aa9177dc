"""Tells how far an engine's networks are from those of the eager backend in float64."""

from functools import cache

import numpy as np

from benchmarks.engines import Ours
from benchmarks.problem import Problem, correct

STEPS = 2000
AGREE_AFTER = 100
COLUMNS = ("weights_apart", "outcomes_differ")
"""The largest difference of a weight early on, and the share of outcomes that differ at the end."""


def trained(engine, problem: Problem, device: str = "cpu") -> dict[str, np.ndarray]:
    """Return an engine's weights early on, and which outcomes are correct at the end."""
    early = engine.weights_after(problem, AGREE_AFTER, device)
    late = engine.weights_after(problem, STEPS, device)
    activation = getattr(engine, "activation", "tanh")
    return {"trunk": early[0], "heads": early[1], "correct": correct(problem, *late, activation)}


@cache
def exact(problem: Problem, activation: str = "tanh", optimizer: str = "gradient_descent") -> dict:
    """Train in float64."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # several would wait for each other most of the time
    try:
        return trained(Ours("eager", "float64", activation, optimizer), problem)
    finally:
        torch.set_num_threads(threads)


def compared(found: dict, reference: dict, replicas: int, all_replicas: int) -> dict[str, float]:
    """Return `COLUMNS` for the first replicas, which are all that were found."""
    apart = {name: _apart(reference[name], found[name], replicas, all_replicas) for name in found}
    early = max(apart["trunk"].max(), apart["heads"].max())
    return dict(zip(COLUMNS, (early, apart["correct"].mean()), strict=True))


def _apart(wide: np.ndarray, narrow: np.ndarray, replicas: int, all_replicas: int) -> np.ndarray:
    same = wide.reshape(*wide.shape[:-1], 4, all_replicas)[..., :replicas]
    other = narrow.reshape(*narrow.shape[:-1], 4, replicas)
    return np.abs(same.astype(float) - other.astype(float))
