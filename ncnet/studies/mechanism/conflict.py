"""How far the gradients of both heads oppose each other on the trunk that they share.

All of it is computed from the inner products that `ncnet.train` traces (``trace=["gradients"]``).
At a stationary point of the summed loss ``g_A = -g_B``: late in training the cosine is near -1 in
every shared network, whatever it has learnt. So measures are given by phase, and one of them weighs
each step by how large the gradients are.
"""

import itertools

import numpy as np
import pandas as pd
import torch
import xarray as xr

from ncnet import chsh
from ncnet.checks import check_integer
from ncnet.chsh.bootstrap import expanded_level, percentile_interval
from ncnet.chsh.intervals import check_resampling
from ncnet.gradients import GRADIENTS, check_traced, conflict
from ncnet.studies.mechanism.rows import mean_with_ends, with_ends
from ncnet.training.aggregators import AGGREGATORS, Products
from ncnet.training.outcomes import NETWORK

VALUES_AT_ONCE = 2**22
"""Ranks that are taken at once."""
ROUNDING = 1e-6
"""Of single precision, relative to what is added up."""
EVERY_STEP = 20
"""Intervals at the beginning of which each step is traced."""
PHASES = {"early": (0, 1 / 40), "middle": (1 / 40, 1 / 4), "late": (1 / 4, 1)}
"""Parts of a training, as shares of its steps; fixed in advance."""


def log_steps(steps: int, interval: int) -> list[int]:
    """Return the steps to trace: every one at first, then each `interval`-th, up to `steps`.

    Gradients change most at the beginning: the first `EVERY_STEP` intervals are traced step by
    step. An odd interval sees an oscillation of period two from both sides.

    Raises
    ------
    ValueError
        If `interval` is longer than the training.

    Examples
    --------
    >>> log_steps(150, 7)[-4:]
    [138, 139, 140, 147]
    >>> log_steps(30, 50)
    Traceback (most recent call last):
    ValueError: `interval` is 50: expected at most the 30 steps of the training
    """
    steps = check_integer("steps", steps, at_least=1)
    interval = check_integer("interval", interval, at_least=1)
    if interval > steps:
        raise ValueError(
            f"`interval` is {interval}: expected at most the {steps} steps of the training"
        )
    dense = min(EVERY_STEP * interval, steps)
    return [*range(dense + 1), *range(dense + interval, steps + 1, interval)]


def by_phase(measured: xr.Dataset, *, steps: int | None = None) -> xr.Dataset:
    """Return what `ncnet.gradients.conflict` found as one number for each phase of training.

    Parameters
    ----------
    measured
        As `ncnet.gradients.conflict` returns it, over `step`.
    steps
        Length of the training; up to the last traced step by default.

    Returns
    -------
    xarray.Dataset
        Over `phase` ("early", "middle", "late" as in `PHASES`, and "whole"; one in which no step
        was traced is left out) in place of `step`:
        `conflict_share`, the share of steps with a cosine below 0; `cosine` and
        `magnitude_similarity`, means over them; `weighted_cosine`, the sum of ``g_A . g_B`` over
        the sum of ``|g_A||g_B|``, in which a step counts by the size of its gradients. A traced
        step stands for those around it, up to half-way to the next one traced.

    Examples
    --------
    >>> steps = {"step": [0, 10, 20]}
    >>> found = by_phase(xr.Dataset({name: ("step", values) for name, values in {
    ...     "cosine": [0.5, -1.0, -1.0], "magnitude_similarity": [1.0, 1.0, 1.0],
    ...     "product": [4.0, -1.0, -1.0], "strength": [7.0, 1.0, 1.0]}.items()}, steps))
    >>> found.weighted_cosine.sel(phase="whole").item(), found.cosine.sel(phase="whole").item()
    (0.1, -0.625)
    """
    last = int(measured["step"].max()) if steps is None else steps
    share = measured["step"].values / max(last, 1)
    within = {name: (share >= low) & (share < high) for name, (low, high) in PHASES.items()}
    within["late"] |= share == 1
    within["whole"] = np.ones_like(share, bool)
    traced = {name: np.flatnonzero(there) for name, there in within.items() if there.any()}
    spans = spans_of(measured["step"])
    parts = [
        _summary(measured.isel(step=places), spans.isel(step=places)) for places in traced.values()
    ]
    return xr.concat(parts, "phase").assign_coords(phase=list(traced))


def spans_of(step: xr.DataArray) -> xr.DataArray:
    """Return for how many steps of training each traced step stands.

    >>> spans_of(xr.DataArray([0, 1, 2, 12], dims="step")).values.tolist()
    [0.5, 1.0, 5.5, 5.0]
    """
    values = step.values.astype(float)
    if len(values) < 2:
        return xr.ones_like(step, dtype=float)
    gaps = np.diff(values)
    if (gaps <= 0).any():
        raise ValueError(f"`step` is {values.tolist()[:5]} ...: expected increasing steps")
    return step.copy(data=np.concatenate([[gaps[0]], gaps[:-1] + gaps[1:], [gaps[-1]]]) / 2)


MEASURES = {
    "conflict_share": (0.0, 1.0),
    "weighted_cosine": (-1.0, 1.0),
    "magnitude_similarity": (0.0, 1.0),
}
"""What is tabulated, with its bounds."""


def conflict_table(traced: xr.Dataset, *, level: float = 0.95, seed: int = 0) -> pd.DataFrame:
    """Return the conflict in every context and phase of training.

    Parameters
    ----------
    traced
        What `ncnet.train` returned with ``trace=["gradients"]``.
    level
        Nominal coverage of each interval, over replicas.
    seed
        Of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        One row a context and phase: ``alice_setting``, ``bob_setting``, ``phase``; the mean over
        replicas of each measure of `by_phase` (but the plain cosine), with ``_low`` and ``_high``.
        A step at which a gradient is not finite counts as one without conflict.

    Examples
    --------
    >>> import ncnet
    >>> traced = ncnet.train(
    ...     ncnet.games.overlap(), hidden_size=3, replicas=64, seed=0, steps=100,
    ...     trace_steps=log_steps(100, 10), trace=["gradients"],
    ... )
    >>> len(conflict_table(traced))
    16
    """
    phases = _phases(traced)
    rows = []
    for i, j, phase in itertools.product((1, 2), (1, 2), phases["phase"].values.tolist()):
        one = phases.sel(alice_setting=i, bob_setting=j, phase=phase)
        row = {"alice_setting": i, "bob_setting": j, "phase": phase}
        for name, bounds in MEASURES.items():
            # Rounding may leave 1 + 1e-16.
            values = one[name].values.clip(*bounds)
            row |= mean_with_ends(name, values, bounds=bounds, level=level, seed=seed)
        rows.append(row)
    return pd.DataFrame(rows)


def conflict_and_s(
    traced: xr.Dataset,
    *,
    context: tuple[int, int] = (2, 2),
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Return whether the replicas with more conflict are those with a larger S.

    Parameters
    ----------
    traced, level, seed
        As `conflict_table` takes them.
    context
        Settings of the context whose conflict is read; that of both second tasks by default.

    Returns
    -------
    pandas.DataFrame
        One row a phase: ``phase``; ``correlation``, Spearman's between a replica's
        ``weighted_cosine`` and its S, below 0 where more conflict goes with a larger S;
        ``correlation_low``, ``correlation_high``. NaN where all replicas have the same S.

    Examples
    --------
    >>> import ncnet
    >>> traced = ncnet.train(
    ...     ncnet.games.overlap(), hidden_size=3, replicas=64, seed=0, steps=100,
    ...     trace_steps=log_steps(100, 10), trace=["gradients"],
    ... )
    >>> conflict_and_s(traced).phase.tolist()
    ['early', 'middle', 'late', 'whole']
    """
    _check_context(context)
    phases = _phases(traced)["weighted_cosine"].sel(
        alice_setting=context[0], bob_setting=context[1]
    )
    s = chsh.s_per_replica(traced).values
    rows = []
    for phase in phases["phase"].values.tolist():
        found = rank_correlation(phases.sel(phase=phase).values, s, level=level, seed=seed)
        rows.append({"phase": phase} | with_ends("correlation", *found))
    return pd.DataFrame(rows)


def manipulation(
    traced: xr.Dataset, *, context: tuple[int, int] = (2, 2), level: float = 0.95, seed: int = 0
) -> dict[str, float]:
    """Return how far an intervention does to the gradients what it is meant to do.

    Parameters
    ----------
    traced, context, level, seed
        As `conflict_and_s` takes them; the aggregator is read from the attributes.

    Returns
    -------
    dict
        ``conflict_share``, the share of steps at which the heads' gradients oppose each other, and
        ``paid_share``, the share of steps at which the trunk moves against either of them, so that
        to first order a head pays for the other; means over replicas, with ``_low`` and ``_high``.

    Examples
    --------
    By PCGrad no head pays, however often gradients are in conflict:

    >>> import ncnet
    >>> traced = ncnet.train(
    ...     ncnet.games.overlap(), hidden_size=3, replicas=64, seed=0, steps=100,
    ...     trace_steps=log_steps(100, 10), trace=["gradients"], aggregator="pcgrad",
    ... )
    >>> found = manipulation(traced)
    >>> found["paid_share"], found["conflict_share"] > 0.5
    (0.0, True)
    """
    _check_whole(traced)
    _check_context(context)
    here = traced[list(GRADIENTS)].sel(alice_setting=context[0], bob_setting=context[1])
    alice, both, bob = (here[name].sum("unit").astype(float) for name in GRADIENTS)
    weight_a, weight_b = _coefficients(traced, alice, both, bob)
    # Near rest the products cancel: what is smaller than their rounding is 0.
    least = -ROUNDING * (weight_a * alice + weight_b * bob + abs(both))
    paid = (weight_a * alice + weight_b * both < least) | (weight_a * both + weight_b * bob < least)
    spans = spans_of(traced["step"])
    found = {}
    for name, there in (("conflict_share", both < 0), ("paid_share", paid)):
        values = there.weighted(spans).mean("step").values
        found |= mean_with_ends(name, values, bounds=(0, 1), level=level, seed=seed)
    return found


def rank_correlation(
    values: np.ndarray,
    others: np.ndarray,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, tuple[float, float]]:
    """Return Spearman's correlation of two values that each replica has, and its interval.

    By the percentile bootstrap over replicas, ranks taken anew in every resample.

    Parameters
    ----------
    values, others
        [replicas] each.
    level, resamples, seed
        Nominal coverage, number of resamples, and the seed of their draw.

    Returns
    -------
    tuple
        NaN, and an interval of NaN, where all values on one side are the same.

    Examples
    --------
    >>> rho, (low, high) = rank_correlation(np.arange(50), np.arange(50) % 40)
    >>> bool(low < rho < high)
    True
    """
    # Imported where it is used: it takes a second.
    from scipy.stats import rankdata

    level, resamples, seed = check_resampling(level, resamples, seed)
    pair = np.stack([np.asarray(values, float), np.asarray(others, float)])

    def correlation(pairs: np.ndarray) -> np.ndarray:
        ranks = rankdata(pairs, axis=-1)
        ranks -= ranks.mean(axis=-1, keepdims=True)
        x, y = ranks
        spread = np.sqrt((x**2).sum(axis=-1) * (y**2).sum(axis=-1))
        return (x * y).sum(axis=-1) / np.where(spread > 0, spread, np.nan)

    replicas = pair.shape[1]
    generator = np.random.default_rng(seed)
    batch = max(1, VALUES_AT_ONCE // replicas)
    sizes = np.diff([*range(0, resamples, batch), resamples])
    draws = np.concatenate(
        [correlation(pair[:, generator.integers(replicas, size=(n, replicas))]) for n in sizes]
    )
    draws = draws[~np.isnan(draws)]
    estimate = float(correlation(pair[:, None])[0])
    if not len(draws) or np.isnan(estimate):
        return float("nan"), (float("nan"), float("nan"))
    low, high = percentile_interval(draws, expanded_level(level, replicas)).tolist()
    return estimate, (low, high)


def _coefficients(
    traced: xr.Dataset, alice: xr.DataArray, both: xr.DataArray, bob: xr.DataArray
) -> tuple[xr.DataArray | float, xr.DataArray | float]:
    """Return what multiplies Alice's and Bob's gradient in the trunk's step."""
    aggregator = AGGREGATORS[traced.attrs["aggregator"]]
    if aggregator is None:
        return tuple(traced.attrs["gradient_weights"])
    products = Products(*(torch.as_tensor(one.values) for one in (alice, both, bob)))
    return tuple(alice.copy(data=one.numpy()) for one in aggregator(products))


def _check_context(context: tuple[int, int]) -> None:
    if context not in itertools.product((1, 2), (1, 2)):
        raise ValueError(f"`context` is {context!r}: expected two settings, such as (2, 2)")


def _phases(traced: xr.Dataset) -> xr.Dataset:
    _check_whole(traced)
    gradients = traced[list(GRADIENTS)].sum("unit")
    return by_phase(conflict(gradients), steps=traced.attrs.get("steps"))


def _check_whole(traced: xr.Dataset) -> None:
    check_traced(traced)
    for name in (*NETWORK, "step", "unit"):
        if name not in traced[GRADIENTS[0]].dims:
            raise ValueError(
                f"`{GRADIENTS[0]}` has no dimension `{name}`: expected a whole training"
            )
    if "capacity" in traced.dims:
        raise ValueError(
            f"the traces belong to {traced.sizes['capacity']} capacities: select one, as in "
            f"`traced.sel(capacity={traced['capacity'].values[0]})`"
        )


def _summary(measured: xr.Dataset, spans: xr.DataArray) -> xr.Dataset:
    def mean(values: xr.DataArray) -> xr.DataArray:
        return values.weighted(spans).mean("step")

    strength = (spans * measured["strength"]).sum("step")
    opposed = (spans * measured["product"]).sum("step") / strength.where(strength > 0)
    return xr.Dataset(
        {
            "conflict_share": mean(measured["cosine"] < 0),
            "cosine": mean(measured["cosine"]),
            # Gradients of 0, in single precision, oppose nothing and are equally long.
            "weighted_cosine": opposed.fillna(0),
            "magnitude_similarity": mean(measured["magnitude_similarity"].fillna(1)),
        }
    )
