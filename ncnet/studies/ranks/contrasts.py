"""Compares S of the same replicas and items under several conditions: ranks, quartets, doses.

A *contrast* is a weighted sum of S over conditions that share replicas and items, such as S at one
rank less S at another. Its interval is the wider of two: one for the mean, which resamples replicas
and items (`ncnet.studies.ranks.pigeonhole`), and one for the median over replicas, with the items
given, which is exact at any number of them (`ncnet.estimates.median_interval`). An exact interval
of the mean is there, too, and with a dozen replicas too wide to tell much.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from ncnet import chsh
from ncnet.checks import check, check_choice, check_type
from ncnet.chsh.bootstrap import DIGITS_OF_SUMS
from ncnet.claims import LEVEL, MARGIN, simultaneous_level
from ncnet.estimates import Estimate, columns_of, hull, median_interval
from ncnet.printing import shown
from ncnet.studies.ranks.claims import (
    BALANCE,
    BEYOND_LOWEST,
    DIFFICULTY,
    DOSES_OF_BALANCE,
    DOSES_OF_DIFFICULTY,
    FROM_HEADS,
    LARGEST_RANK,
    NAMED_RANK,
    OF_S,
)
from ncnet.studies.ranks.pigeonhole import pigeonhole_interval, pigeonhole_means

DOSES = {DIFFICULTY: DOSES_OF_DIFFICULTY, BALANCE: DOSES_OF_BALANCE}
"""Contrasts over doses, by how their names begin."""
OF_TRAINING = ("encoder", "pooling", "layers", "steps", "batch_size", "learning_rate", "seed")
"""Attributes, where outcomes have them, that are the same at all doses."""
Measured = Mapping[Hashable, tuple[np.ndarray, np.ndarray]]
"""S of each replica [replicas], and of each resample [resamples], by condition."""


def measure(
    outcomes: xr.Dataset, tasks: Sequence[str], *, resamples: int = 10_000, seed: int = 0
) -> Measured:
    """Return S on the training items of every replica and of every resample, by rank.

    Parameters
    ----------
    outcomes
        Outcomes of one quartet, as `ncnet.encoders.train` returns them, with a dimension
        `capacity`.
    tasks
        Names of A1, A2, B1, B2. A task's items are resampled alike in every quartet that has it.
    resamples, seed
        Number of bootstrap resamples, and the seed of their draw.
    """
    outcomes = chsh.as_dataset(outcomes)
    options = {"tasks": tasks, "resamples": resamples, "seed": seed}
    s = chsh.s_per_replica(outcomes)
    drawn = chsh.s_value(pigeonhole_means(outcomes, **options).correlator)
    return {
        rank: (s.sel(capacity=rank).values, drawn.sel(capacity=rank).values)
        for rank in sorted(outcomes["capacity"].values.tolist())
    }


def contrast(
    measured: Measured, weights: Mapping[Hashable, float], *, level: float = LEVEL
) -> Estimate:
    """Return a weighted sum of S over conditions, with the wider of its two intervals.

    Parameters
    ----------
    measured
        S by condition, of the same replicas.
    weights
        What each condition counts.
    level
        Coverage of either interval; for several contrasts together see `simultaneous_level`.

    Raises
    ------
    KeyError
        For a condition that was not measured.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> before, after = ((rng.normal(s, 0.1, 16), rng.normal(s, 0.03, 10_000)) for s in (1.5, 1.9))
    >>> contrast({"before": before, "after": after}, {"after": 1, "before": -1}).beyond(0.05)
    True
    """
    s, drawn = (
        sum(weight * measured[condition][place] for condition, weight in weights.items())
        for place in (0, 1)
    )
    draws = xr.DataArray(drawn, dims="resample")
    of_mean = pigeonhole_interval(draws, replicas=len(s), level=level)
    return Estimate(float(s.mean()), *hull(of_mean, median_interval(s, level=level)))


def contrast_rows(quartets: Mapping[str, Measured]) -> pd.DataFrame:
    """Return the contrasts over ranks that the rules on real models read.

    Parameters
    ----------
    quartets
        What `measure` returns, by the name of the quartet: at rank 0, at the largest that rules
        read (`ncnet.studies.ranks.claims.LARGEST_RANK`), and others.

    Returns
    -------
    pandas.DataFrame
        One row a contrast: ``contrast``, ``quartet``, ``rank``, ``s`` with the ends of its
        interval, ``replicas``. `OF_S` is S at each rank above 0 that rules read; `FROM_HEADS` and
        `BEYOND_LOWEST` are how far S rises up to the largest of them, from rank 0 and from the
        lowest above it. Intervals of `OF_S` hold together over the ranks of a quartet at 95 %; of
        the others a rule reads one.

    Raises
    ------
    KeyError
        Without rank 0, or the largest that rules read.
    """
    rows = []
    for quartet, measured in quartets.items():
        adapted = [rank for rank in measured if 0 < rank <= LARGEST_RANK]
        kinds = {OF_S: {rank: {rank: 1} for rank in adapted}}
        for name, start in ((FROM_HEADS, 0), (BEYOND_LOWEST, min(adapted))):
            kinds[name] = {LARGEST_RANK: {LARGEST_RANK: 1, start: -1}}
        rows += [row | {"quartet": quartet} for row in _rows(measured, kinds)]
    return pd.DataFrame(rows)


def paired_row(name: str, quartet: str, rank: float, differences: np.ndarray) -> dict[str, object]:
    """Return the mean of S less S of the same replica trained otherwise, as a row of contrasts.

    Its interval is Student's, over replicas at 95 %: it is about these items. One that resampled
    items too could not be shorter than what these few items leave open.

    Parameters
    ----------
    name, quartet, rank
        What the contrast and the quartet are called, and the rank of both.
    differences
        The difference in each replica.

    Examples
    --------
    >>> row = paired_row("turned", "toy", 1, np.array([0.0, 0.1, -0.1, 0.0]))
    >>> round(row["s_low"], 3), round(row["s_high"], 3), row["replicas"]
    (-0.13, 0.13, 4)
    """
    ends = stats.ttest_1samp(differences, 0).confidence_interval(LEVEL)
    found = columns_of("s", Estimate(float(np.mean(differences)), *map(float, ends)))
    about = {"contrast": name, "quartet": quartet, "rank": float(rank)}
    return about | found | {"replicas": len(differences)}


def dose_contrasts(
    by_dose: Mapping[float, xr.Dataset],
    name: str,
    *,
    quartet: str,
    rank: float = NAMED_RANK,
    resamples: int = 10_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the contrasts over doses that the rules on difficulty and balance read.

    Parameters
    ----------
    by_dose
        By the share of labels that are shuffled, or by the ratio of items, outcomes of the named
        quartet as `ncnet.chsh.quartet` returns them, with a dimension `capacity`: of the same
        tasks, replicas and items at every dose. Doses that no contrast has may be there.
    name
        `DIFFICULTY` or `BALANCE`: which contrasts, and how their names begin.
    quartet
        What the quartet is called in the table.
    rank
        The rank named beforehand.
    resamples, seed
        See `measure`; replicas and items are drawn alike at every dose.

    Returns
    -------
    pandas.DataFrame
        As `dose_rows` returns it.

    Raises
    ------
    ValueError
        For another name, a dose or the rank that is not there, or outcomes of other tasks,
        replicas, numbers of items or hyperparameters than those of the first dose.

    Examples
    --------
    The minus pair agrees less and less, so that S rises:

    >>> a, b = (np.ones((1, 2, 2, 16, 40)) for _ in range(2))
    >>> by_dose = {}
    >>> for dose, wrong in {0: 0, 0.5: 2, 1: 8}.items():
    ...     b[:, 1, 1, :, :wrong] = -1
    ...     dimensions = ("capacity", "alice_setting", "bob_setting", "replica", "item")
    ...     found = xr.Dataset({"a": (dimensions, a.copy()), "b": (dimensions, b.copy())})
    ...     split = {"split": ("item", ["training"] * 40), "capacity": [1.0]}
    ...     about = {"alice_tasks": ["en", "fr"], "bob_tasks": ["de", "ja"]}
    ...     settings = {"alice_setting": [1, 2], "bob_setting": [1, 2]}
    ...     by_dose[dose] = found.assign_coords(split | settings).assign_attrs(about)
    >>> table = dose_contrasts(by_dose, "difficulty", quartet="languages", resamples=2000)
    >>> table["s"].round(3).tolist(), table["above"].tolist()
    ([0.4, -0.1], [16, 0])
    """
    check_choice("contrast of doses", name, DOSES)
    check_type("by_dose", by_dose, Mapping, "a dict of outcomes by dose")
    weights = DOSES[name]
    found, first = {}, None
    for dose in sorted({dose for of_doses in weights for dose in of_doses}):
        check(dose in by_dose, f"dose {dose:g} is missing", f"it beside {shown(sorted(by_dose))}")
        at_rank, tasks = _at_rank(by_dose[dose], rank, f"dose {dose:g}")
        kind = tasks, *(at_rank[name].values.tolist() for name in ("replica", "split"))
        kind += tuple(at_rank.attrs.get(name) for name in OF_TRAINING)
        first = first or kind
        found_other = f"dose {dose:g} has other tasks, replicas, items or training"
        check(kind == first, found_other, "those of the first dose")
        found[dose] = at_rank, tasks
    options = {"resamples": resamples, "seed": seed}
    measured = {dose: measure(*both, **options)[rank] for dose, both in found.items()}
    return dose_rows(quartet, name, measured, weights, rank=rank)


def _at_rank(outcomes: xr.Dataset, rank: float, what: str) -> tuple[xr.Dataset, list[str]]:
    """Return outcomes of a quartet at one rank, and the names of A1, A2, B1 and B2."""
    outcomes = chsh.as_dataset(outcomes)
    over_ranks = "capacity" in outcomes.dims and "capacity" in outcomes.coords
    ranks = outcomes["capacity"].values.tolist() if over_ranks else []
    expected = f"a dimension `capacity` with rank {rank:g}"
    check(rank in ranks, f"{what} has ranks {shown(ranks)}", expected)
    tasks = [
        task for party in ("alice", "bob") for task in outcomes.attrs.get(f"{party}_tasks", ())
    ]
    expected = "attributes `alice_tasks` and `bob_tasks` with two names each"
    check(len(tasks) == 4, f"{what} is of the tasks {shown(tasks)}", expected)
    return outcomes.sel(capacity=[rank]), tasks


SIGN_TESTS = ("above", "below", "p_beyond", "p_short")
"""Columns of the sign tests of a contrast over doses."""


def dose_rows(
    quartet: str,
    name: str,
    measured: Measured,
    weights: Sequence[Mapping[float, float]],
    *,
    rank: float = NAMED_RANK,
) -> pd.DataFrame:
    """Return contrasts of one named quartet over doses, whose intervals hold together at 95 %.

    Parameters
    ----------
    quartet, name
        The quartet, and how the names of its contrasts begin: `DIFFICULTY` or `BALANCE`.
    measured
        S by dose, at the rank named beforehand.
    weights
        What each dose counts in each contrast.
    rank
        The rank named beforehand.

    Returns
    -------
    pandas.DataFrame
        One row a contrast: ``contrast``, ``quartet``, ``rank``, ``s`` with the ends of its
        interval, ``replicas``; ``above`` and ``below``, in how many replicas the contrast lies
        beyond the smallest effect to either side; and two exact sign tests about its median over
        replicas. ``p_beyond`` is that of "at most the smallest effect, to either side", Holm's
        over the contrasts; ``p_short`` that of "at least the smallest effect, to one side", of
        each contrast by itself, since that nothing depends on the dose takes all of them.
    """
    level = simultaneous_level(len(weights))
    rows = []
    for place, of_doses in enumerate(weights, start=1):
        s = sum(weight * measured[dose][0] for dose, weight in of_doses.items())
        row = {"contrast": f"{name}, contrast {place}", "quartet": quartet, "rank": float(rank)}
        row |= columns_of("s", contrast(measured, of_doses, level=level))
        rows.append(row | {"replicas": len(s)} | _sign_tests(s))
    table = pd.DataFrame(rows)
    return table.assign(p_beyond=chsh.holm(table["p_beyond"]))


def _sign_tests(s: np.ndarray) -> dict[str, float]:
    """Return how many replicas lie beyond the smallest effect, and what that shows."""
    sides = {"above": s, "below": -s}
    beyond = {side: int((x.round(DIGITS_OF_SUMS) > MARGIN).sum()) for side, x in sides.items()}
    return beyond | {
        "p_beyond": min(1.0, 2 * min(chsh.sign_test(x, above=MARGIN) for x in sides.values())),
        "p_short": max(chsh.sign_test(x, above=-MARGIN) for x in sides.values()),
    }


def _rows(measured: Measured, kinds: Mapping[str, Mapping[float, Mapping]]) -> Iterator[dict]:
    """Yield a row for each rank of each kind of contrast; `kinds` have the weights by rank."""
    [replicas] = {len(s) for s, _ in measured.values()}
    for name, by_rank in kinds.items():
        level = simultaneous_level(len(by_rank)) if name == OF_S else LEVEL
        for rank, weights in by_rank.items():
            found = columns_of("s", contrast(measured, weights, level=level))
            yield {"contrast": name, "rank": float(rank), **found, "replicas": replicas}
