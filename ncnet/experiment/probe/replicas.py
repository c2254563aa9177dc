"""Combines the probes of all contexts and replicas."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from ncnet.checks import check
from ncnet.chsh.intervals import means_with_ends, with_ends
from ncnet.chsh.outcomes import CONTEXTS, SETTINGS
from ncnet.experiment.networks import network_keys
from ncnet.experiment.probe.recording import Probe
from ncnet.experiment.trained import Checker, outcomes_on_axes
from ncnet.printing import shown

MEASURES = {
    "cosine": (-1.0, 1.0),
    "magnitude_similarity": (0.0, 1.0),
    "conflict": (0.0, 1.0),
}
"""The measures that are averaged over replicas, with their bounds."""


def outcomes_by_step(
    probes: Mapping[tuple[int, int], Probe | Sequence[Probe]], *, paired: bool = True
) -> xr.Dataset:
    """Return outcomes along training, from the probes of all four contexts.

    It may be called while training goes on: it returns the steps that all have reached.

    Parameters
    ----------
    probes
        The probe of each context, (1, 1) to (2, 2), made with `evaluate`; or a list of probes, one
        a replica.
    paired
        See `ncnet.experiment.train`.

    Returns
    -------
    xarray.Dataset
        Outcomes as of `ncnet.experiment.train`, with the number of steps as `capacity`:
        ``ncnet.chsh.report(outcomes.sel(capacity=100))``, `ncnet.chsh.s_per_replica` for S at every
        step, and `ncnet.chsh.by_capacity` for all of it, if the replicas are a multiple of 32.

    Raises
    ------
    ValueError
        For a missing context, unlike numbers of replicas, items that differ between probes, or no
        step that all have in common.

    Examples
    --------
    >>> import torch
    >>> def probe_of_a_training():
    ...     trunk = torch.nn.Linear(1, 1)
    ...     probe = Probe(trunk, every=2, evaluate=lambda: ([True, True], [True, False]))
    ...     for _ in range(4):
    ...         probe.record(*trunk(torch.ones(2, 1)))
    ...     return probe
    >>> outcomes = outcomes_by_step({(i, j): probe_of_a_training() for i in (1, 2) for j in (1, 2)})
    >>> outcomes.capacity.values.tolist()
    [0, 2]
    """
    of_context = _by_context(probes)
    everything = [probe.outcomes() for of_one in of_context.values() for probe in of_one]
    steps = sorted(set.intersection(*map(set, everything)))
    found = "the probes have no step in common at which outcomes are known"
    check(steps, found, "probes made with `evaluate` and one `every`")
    checker, checked = Checker("evaluate", paired=paired), []
    axes = {"capacity": steps, "replica": range(len(of_context[1, 1])), **SETTINGS}
    for key in network_keys(axes):
        step, replica, *settings = key
        outcomes = of_context[*settings][replica].outcomes()[step]
        checked.append(checker.check(outcomes, key.label("step")))
    return outcomes_on_axes(checked, axes, capacity_name="steps", paired=paired)


def conflict_by_step(
    probes: Mapping[tuple[int, int], Probe | Sequence[Probe]], *, level: float = 0.95, seed: int = 0
) -> pd.DataFrame:
    """Return how both heads' gradients lie to each other along training, over replicas.

    Parameters
    ----------
    probes
        The probes of all four contexts, as `outcomes_by_step` takes them.
    level, seed
        Nominal coverage of each interval, and the seed of the bootstrap over replicas.

    Returns
    -------
    pandas.DataFrame
        One row a context and step that all its replicas have logged: ``alice_setting``,
        ``bob_setting``, ``step``; ``replicas``, how many of them have finite gradients; means
        over these of ``cosine``, ``magnitude_similarity`` and ``conflict``, with ``_low`` and
        ``_high``, NaN if there is none. Where a gradient is 0 the cosine counts as 0.

    Raises
    ------
    ValueError
        For a missing context, or unlike numbers of replicas.

    Examples
    --------
    >>> import torch
    >>> weight = torch.nn.Parameter(torch.ones(1))
    >>> probe = Probe([weight])
    >>> probe.record(weight.sum(), -weight.sum())
    >>> by_step = conflict_by_step({(i, j): [probe] * 9 for i in (1, 2) for j in (1, 2)})
    >>> by_step["cosine"].tolist()
    [-1.0, -1.0, -1.0, -1.0]
    """
    tables = {
        (i, j, replica): _known(probe.table().set_index("step"))
        for (i, j), of_one in _by_context(probes).items()
        for replica, probe in enumerate(of_one)
    }
    keys, rows = [*SETTINGS, "step"], []
    logged = pd.concat(tables, names=[*SETTINGS, "replica"])
    for where, of_step in logged.groupby(keys):
        if len(of_step) == len(tables) // len(CONTEXTS):
            known = of_step.dropna()
            row = dict(zip(keys, where, strict=True)) | {"replicas": len(known)}
            for name in MEASURES:
                row |= with_ends(name, np.nan, (np.nan, np.nan))
            if len(known):
                row |= means_with_ends(known, MEASURES, level=level, seed=seed)
            rows.append(row)
    return pd.DataFrame(rows)


def _known(table: pd.DataFrame) -> pd.DataFrame:
    """Return the measures, 0 where a gradient is 0, NaN where one is not finite."""
    finite = table["conflict"].notna()
    measures = table[list(MEASURES)].astype(float)
    return measures.fillna(0).where(finite)


def _by_context(
    probes: Mapping[tuple[int, int], Probe | Sequence[Probe]],
) -> dict[tuple[int, int], list[Probe]]:
    is_dict = isinstance(probes, Mapping)
    found = f"`probes` is {shown([*probes] if is_dict else probes)}"
    check(is_dict and {*probes} == {*CONTEXTS}, found, "a dict of (1, 1), (1, 2), (2, 1), (2, 2)")
    of_context = {
        context: [*probes[context]] if isinstance(probes[context], Iterable) else [probes[context]]
        for context in CONTEXTS
    }
    for context, of_one in of_context.items():
        for probe in of_one:
            check(isinstance(probe, Probe), f"context {context} has {shown(probe)}", "probes")
    counts = {context: len(of_one) for context, of_one in of_context.items()}
    fits = counts[1, 1] and len({*counts.values()}) == 1
    check(fits, f"contexts have {counts} probes", "as many of each, one a replica")
    return of_context
