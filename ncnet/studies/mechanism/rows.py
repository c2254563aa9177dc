"""What rows of this package's tables have in common: values with the ends of their intervals."""

from collections.abc import Mapping

import xarray as xr

from ncnet import chsh


def with_ends(name: str, value: float, interval: tuple[float, float]) -> dict[str, float]:
    """Return a value and the ends of its interval, as a row has them.

    >>> with_ends("s", 2.0, (1.9, 2.1))
    {'s': 2.0, 's_low': 1.9, 's_high': 2.1}
    """
    low, high = interval
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def means_with_ends(
    values: Mapping[str, xr.DataArray],
    bounds: Mapping[str, tuple[float, float]],
    *,
    level: float,
    seed: int,
) -> dict[str, float]:
    """Return means of bounded values over replicas, each with the ends of its interval.

    >>> ones = {"share": xr.DataArray([1.0] * 400)}
    >>> means_with_ends(ones, {"share": (0, 1)}, level=0.95, seed=0)["share_high"]
    1.0
    """
    found = {}
    for name, within in bounds.items():
        # Rounding may leave 1 + 1e-16.
        each = values[name].values.clip(*within)
        interval, _ = chsh.replica_interval(each, bounds=within, level=level, seed=seed)
        found |= with_ends(name, float(each.mean()), interval)
    return found
