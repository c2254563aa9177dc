"""What rows of this package's tables have in common: values with the ends of their intervals."""

import numpy as np

from ncnet import chsh


def with_ends(name: str, value: float, interval: tuple[float, float]) -> dict[str, float]:
    """Return a value and the ends of its interval, as a row has them.

    >>> with_ends("s", 2.0, (1.9, 2.1))
    {'s': 2.0, 's_low': 1.9, 's_high': 2.1}
    """
    low, high = interval
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def mean_with_ends(
    name: str, values: np.ndarray, *, bounds: tuple[float, float], level: float, seed: int
) -> dict[str, float]:
    """Return the mean of a bounded value over replicas, with the ends of its interval.

    >>> mean_with_ends("share", np.ones(400), bounds=(0, 1), level=0.95, seed=0)["share_high"]
    1.0
    """
    interval, _ = chsh.replica_interval(values, bounds=bounds, level=level, seed=seed)
    return with_ends(name, float(values.mean()), interval)
