"""Measures how far the gradients of both heads oppose each other on the trunk that they share.

The functions `conflict` and `conflict_and_s` make the recorded tables of these names.

All of it is computed from the inner products that `ncnet.train` traces (``trace=["gradients"]``).
At a stationary point of the summed loss ``g_A = -g_B``: late in training the cosine is near -1 in
every shared network, whatever it has learnt. So measures are given by phase, and one of them weighs
each step by how large the gradients are.
"""

import itertools
from functools import partial

import numpy as np
import pandas as pd
import torch
import xarray as xr

from ncnet import chsh, gradients, renamed
from ncnet.checks import check, check_integer
from ncnet.chsh.bootstrap import percentile_interval, spearman
from ncnet.chsh.intervals import Interval, means_with_ends, with_ends
from ncnet.claims import LEVEL
from ncnet.games import Game
from ncnet.training import train
from ncnet.training.aggregators import AGGREGATORS, Products
from ncnet.training.outcomes import NETWORK_DIMENSIONS

VALUES_AT_ONCE = 2**22  # so many ranks fit in memory together
RESAMPLES = 2000
ROUNDING = 1e-6  # single precision rounds by less, relative to what is added up
EVERY_STEP = 20  # for so many intervals at the beginning each step is traced
PHASES = {"early": (0, 1 / 40), "middle": (1 / 40, 1 / 4), "late": (1 / 4, 1)}
"""The parts of a training, as shares of its steps; they were fixed in advance."""
BOTH_HARD = {"alice_setting": 2, "bob_setting": 2}  # the context of both hard tasks
MEASURES = {"conflict_share": (0, 1), "weighted_cosine": (-1, 1), "magnitude_similarity": (0, 1)}
"""The measures of conflict that are tabulated, with their bounds."""


def steps_to_trace(steps: int, interval: int) -> list[int]:
    """Return the steps to trace: every one at first, then each `interval`-th, up to `steps`.

    Gradients change most at the beginning: the first `EVERY_STEP` intervals are traced step by
    step. An odd interval sees an oscillation of period two from both sides.

    Raises
    ------
    ValueError
        If `interval` is longer than the training.

    Examples
    --------
    >>> steps_to_trace(150, 7)[-4:]
    [138, 139, 140, 147]
    >>> steps_to_trace(30, 50)
    Traceback (most recent call last):
    ValueError: `interval` is 50: expected an integer of at most 30
    """
    steps = check_integer("steps", steps, at_least=1)
    interval = check_integer("interval", interval, at_least=1, at_most=steps)
    dense = min(EVERY_STEP * interval, steps)
    return [*range(dense + 1), *range(dense + interval, steps + 1, interval)]


def train_traced(
    game: Game, hidden_size: int, *, steps: int, log_interval: int, **training: object
) -> xr.Dataset:
    """Train and trace both heads' gradients, at every `log_interval`-th step in the end.

    >>> import ncnet
    >>> options = {"replicas": 3, "seed": 0, "steps": 50, "log_interval": 10}
    >>> train_traced(ncnet.games.overlap(), 2, **options).sizes["step"]
    51
    """
    training |= {"trace_steps": steps_to_trace(steps, log_interval), "trace": ["gradients"]}
    return train(game, hidden_size=hidden_size, steps=steps, **training)


def trunk_gradients(traced: xr.Dataset) -> xr.Dataset:
    """Return the inner products of the heads' gradients on the whole trunk.

    Parameters
    ----------
    traced
        What `ncnet.train` returned with ``trace=["gradients"]``.

    Returns
    -------
    xarray.Dataset
        The variables `ncnet.gradients.GRADIENTS` over context, replica and step.

    Raises
    ------
    ValueError
        If gradients were not traced, or `traced` is not one whole training.

    Examples
    --------
    >>> import ncnet
    >>> traced = ncnet.train(
    ...     ncnet.games.overlap(), hidden_size=3, replicas=2, seed=0, steps=9,
    ...     trace_steps=range(10), trace=["gradients"],
    ... )
    >>> dict(trunk_gradients(traced).sizes)
    {'alice_setting': 2, 'bob_setting': 2, 'replica': 2, 'step': 10}
    """
    gradients.check_traced(traced)
    alice = traced[gradients.GRADIENTS[0]]
    for name in (*NETWORK_DIMENSIONS, "step", "unit"):
        check(name in alice.dims, f"`{alice.name}` has no dimension `{name}`", "a whole training")
    capacities = traced.sizes.get("capacity")
    check(capacities is None, f"the traces belong to {capacities} capacities", "one: select it")
    layers = map(partial(gradients.of_layer, traced), gradients.layers_of(traced))
    first, *deeper = (layer.sum("unit") for layer in layers)
    return sum(deeper, first)


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

    Raises
    ------
    ValueError
        If the steps do not increase.

    Examples
    --------
    >>> steps = {"step": [0, 10, 20]}
    >>> found = by_phase(xr.Dataset({name: ("step", values) for name, values in {
    ...     "cosine": [0.5, -1.0, -1.0], "magnitude_similarity": [1.0, 1.0, 1.0],
    ...     "inner_product": [4.0, -1.0, -1.0], "norm_product": [7.0, 1.0, 1.0],
    ... }.items()}, steps))
    >>> found.weighted_cosine.sel(phase="whole").item(), found.cosine.sel(phase="whole").item()
    (0.1, -0.625)
    """
    step = measured["step"]
    share = step / max(int(step.max()) if steps is None else steps, 1)
    spans = _step_spans(step)
    parts = {}
    for name, (low, high) in (PHASES | {"whole": (0, 1)}).items():
        within = (share >= low) & (share <= high if high == 1 else share < high)
        if within.any():
            parts[name] = _summary(measured.isel(step=within), spans.isel(step=within))
    return xr.concat(parts.values(), pd.Index([*parts], name="phase"))


def conflict(traced: xr.Dataset) -> pd.DataFrame:
    """Return the conflict of the heads' gradients in every context and phase of training.

    Parameters
    ----------
    traced
        What `ncnet.train` returned with ``trace=["gradients"]``.

    Returns
    -------
    pandas.DataFrame
        One row a context and phase: ``alice_setting``, ``bob_setting``, ``phase``; the mean over
        replicas of each of `MEASURES`, see `by_phase`, with the ends ``_low`` and ``_high`` of its
        95 % interval; ``game`` and ``hidden_size``. A step at which a gradient is not finite counts
        as one without conflict.

    Raises
    ------
    ValueError
        If gradients were not traced, or `traced` is not one whole training.

    Examples
    --------
    >>> import ncnet
    >>> options = {"replicas": 64, "seed": 0, "steps": 100, "log_interval": 10}
    >>> len(conflict(train_traced(ncnet.games.overlap(), 3, **options)))
    16
    """
    phases = _phases(traced)
    # Rounding may leave 1 + 1e-16.
    phases = phases.assign({name: phases[name].clip(*MEASURES[name]) for name in MEASURES})
    rows = []
    for i, j, phase in itertools.product((1, 2), (1, 2), phases["phase"].values.tolist()):
        where = {"alice_setting": i, "bob_setting": j, "phase": phase}
        rows.append(where | means_with_ends(phases.sel(where), MEASURES))
    return _as_table(rows, traced)


def conflict_and_s(traced: xr.Dataset) -> pd.DataFrame:
    """Return whether the replicas with more conflict are those with a larger S.

    Parameters
    ----------
    traced
        What `ncnet.train` returned with ``trace=["gradients"]``.

    Returns
    -------
    pandas.DataFrame
        One row a phase: ``phase``; ``correlation``, Spearman's between a replica's
        ``weighted_cosine`` in the context of both hard tasks and its S, below 0 where more
        conflict goes with a larger S; ``correlation_low``, ``correlation_high``; ``game`` and
        ``hidden_size``. NaN where all replicas have the same S.

    Examples
    --------
    >>> import ncnet
    >>> options = {"replicas": 64, "seed": 0, "steps": 100, "log_interval": 10}
    >>> conflict_and_s(train_traced(ncnet.games.overlap(), 3, **options)).phase.tolist()
    ['early', 'middle', 'late', 'whole']
    """
    cosines = _phases(traced)["weighted_cosine"].sel(BOTH_HARD)
    s = chsh.s_per_replica(traced).values
    rows = []
    for phase in cosines["phase"].values.tolist():
        found = rank_correlation(cosines.sel(phase=phase).values, s)
        rows.append({"phase": phase} | with_ends("correlation", *found))
    return _as_table(rows, traced)


def rank_correlation(values: np.ndarray, others: np.ndarray) -> tuple[float, Interval]:
    """Return Spearman's correlation of two values that each replica has, and its interval.

    The interval is that of the percentile bootstrap over replicas, at 95 %; ranks are taken anew in
    every resample.

    Parameters
    ----------
    values, others
        [replicas] each.

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
    from scipy.stats import bootstrap

    estimate = float(spearman(values, others))
    if np.isnan(estimate):
        return estimate, (estimate, estimate)
    options = {"n_resamples": RESAMPLES, "batch": max(1, VALUES_AT_ONCE // len(values))}
    options |= {"paired": True, "vectorized": True, "method": "percentile", "rng": 0}
    draws = bootstrap((values, others), spearman, **options).bootstrap_distribution
    ends = percentile_interval(draws[~np.isnan(draws)], LEVEL, len(values))
    return estimate, tuple(ends.tolist())


def manipulation_check(traced: xr.Dataset) -> dict[str, float]:
    """Return how far an intervention does to the gradients what it is meant to do.

    Parameters
    ----------
    traced
        What `ncnet.train` returned with ``trace=["gradients"]``; its aggregator and weights are
        read from the attributes.

    Returns
    -------
    dict
        In the context of both hard tasks: ``conflict_share``, the share of steps at which the
        heads' gradients oppose each other, and ``interference_share``, the share of steps at which
        the trunk moves against either of them, so that to first order a head pays for the other.
        Both are means over replicas, with the ends ``_low`` and ``_high`` of their 95 % intervals.

    Raises
    ------
    ValueError
        If gradients were not traced, or `traced` is not one whole training.

    Examples
    --------
    By PCGrad no head pays, however often gradients are in conflict:

    >>> import ncnet
    >>> traced = ncnet.train(
    ...     ncnet.games.overlap(), hidden_size=3, replicas=64, seed=0, steps=100,
    ...     trace_steps=steps_to_trace(100, 10), trace=["gradients"], aggregator="pcgrad",
    ... )
    >>> found = manipulation_check(traced)
    >>> found["interference_share"], found["conflict_share"] > 0.5
    (0.0, True)
    """
    here = trunk_gradients(traced).sel(BOTH_HARD).astype(float)
    alice, both, bob = (here[name] for name in gradients.GRADIENTS)
    by_alice, by_bob = traced.attrs["gradient_weights"]
    if aggregator := AGGREGATORS[traced.attrs["aggregator"]]:
        products = Products(*(torch.as_tensor(one.values) for one in (alice, both, bob)))
        by_alice, by_bob = (both.copy(data=one.numpy()) for one in aggregator(products))
    # Near rest the products cancel: what is smaller than their rounding is 0.
    least = -ROUNDING * (by_alice * alice + by_bob * bob + abs(both))
    along_alice, along_bob = by_alice * alice + by_bob * both, by_alice * both + by_bob * bob
    paid = (along_alice < least) | (along_bob < least)
    found = xr.Dataset({"conflict_share": both < 0, "interference_share": paid})
    shares = found.weighted(_step_spans(traced["step"])).mean("step")
    return means_with_ends(shares, dict.fromkeys(shares, (0, 1)))


def _phases(traced: xr.Dataset) -> xr.Dataset:
    """Return the conflict on the whole trunk of one training, by phase."""
    measured = gradients.conflict(trunk_gradients(traced))
    return by_phase(measured, steps=traced.attrs.get("steps"))


def _as_table(rows: list[dict], traced: xr.Dataset) -> pd.DataFrame:
    where = {"game": traced.attrs.get("game"), "hidden_size": traced.sizes["unit"]}
    return pd.DataFrame(rows).assign(**where)


def _step_spans(step: xr.DataArray) -> xr.DataArray:
    """Return for how many steps of training each traced step stands.

    >>> _step_spans(xr.DataArray([0, 1, 2, 12], dims="step")).values.tolist()
    [0.5, 1.0, 5.5, 5.0]
    """
    values = step.values.astype(float)
    increasing = (np.diff(values) > 0).all()
    check(increasing, f"`step` is {values.tolist()[:5]} ...", "increasing steps")
    ends = [values[0], *(values[1:] + values[:-1]) / 2, values[-1]]
    # One step alone stands for the whole training.
    return step.copy(data=np.diff(ends) if len(values) > 1 else np.ones(1))


def _summary(measured: xr.Dataset, spans: xr.DataArray) -> xr.Dataset:
    lengths = (spans * measured["norm_product"]).sum("step")
    weighted = (spans * measured["inner_product"]).sum("step") / lengths.where(lengths > 0)
    # Gradients of 0, in single precision, are equally long, and oppose nothing.
    cosine, similarity = measured["cosine"], measured["magnitude_similarity"].fillna(1)
    counted = {"conflict_share": cosine < 0, "cosine": cosine, "magnitude_similarity": similarity}
    means = xr.Dataset(counted).weighted(spans).mean("step")
    return means.assign(weighted_cosine=weighted.fillna(0))


__getattr__ = renamed.names(__name__, {"log_steps": "steps_to_trace"})
