"""One call from outcomes to a verdict: S, the signalling beside it, and what is left of S > 2."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from ncnet import renamed
from ncnet.checks import check
from ncnet.chsh.betting import Interval
from ncnet.chsh.bootstrap import distinct_columns, resampled_means
from ncnet.chsh.correlators import (
    CLASSICAL_BOUND,
    SIGNS,
    arcsine_excess,
    by_cluster,
    facets,
    item_means,
    s_odd,
    s_value,
)
from ncnet.chsh.excess import excess, excess_bound
from ncnet.chsh.inference import inference, replica_rows
from ncnet.chsh.intervals import check_resampling, with_ends
from ncnet.chsh.outcomes import Outcomes, apart_in, as_dataset, select, splits
from ncnet.chsh.signalling import PARTNERS, TASKS, delta, influence_of
from ncnet.chsh.significance import alpha_of
from ncnet.chsh.views import BOTH_SHOW, NEITHER_SHOWS, ONE_SHOWS, ReportView, conclusion

if TYPE_CHECKING:
    import matplotlib.figure

ROW_COLUMNS = (
    "readout",
    "split",
    "level",
    "s",
    "s_betting_low",
    "s_betting_high",
    "interval_method",
    "verdict",
    "p_value",
    "p_value_below",
    "share_above",
    "delta",
    "no_signalling_p_value",
    "influence",
    "excess",
    "excess_method",
    "excess_p_value",
    "excess_within",
    "excess_bound",
    "explanation",
    "s_odd",
    "any_facet_excess",
    "any_facet_p_value",
    "arcsine_excess",
    "replicas",
    "items",
    "diverged",
    "s_diverged_against",
)
"""The columns of `Report.row`, in order, before correlators and marginals; the ends of an interval
follow its value."""


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """The Bell test of one experiment; printed as text, shown with its picture in a notebook.

    Every interval is for the mean over initialisations, at `level` by itself unless it says
    otherwise. Tests but the sign test are by betting: their p-values hold whenever one looks, so
    that replicas, or whole clusters, may be added and tested again. Neither the sign test nor
    bootstrap intervals may be extended like that.

    Attributes
    ----------
    s, betting_interval
        S, the minus sign fixed at (2,2) in advance, and its interval by betting, which is exact at
        any number of replicas: `verdict` goes by it. It tests at half of 1 - `level` on either
        side.
    interval, interval_method
        The interval of S that describes, and how it was made: by "percentile bootstrap", or by
        "betting", too, where fewer than 10 replicas differ from the most frequent S, so that a
        resample has next to no spread.
    p_value, p_value_below
        The p-values of "the mean of S over initialisations is at most 2", and of "is at least 2",
        by betting. They say nothing about locality, which a shared trunk denies by design.
    smallest_s_shown, replicas_needed
        The smallest S that so many replicas can show to be above 2, and how many like these it
        takes in all to show theirs to be, by the betting interval; None if none does.
    share_above, share_above_interval
        The share of replicas whose own S is above 2, and its exact binomial interval. Where the
        contexts of a replica share all that is random, it is 0 without influence.
    sign_p_value
        The p-value of "at most half of the replicas have an S above 2", exact at any number that
        was fixed beforehand. It is about the median, with the items given.
    facets
        The eight sums of correlators with an odd number of minus signs, a Series by their signs.
    changes, change_intervals
        The changes of the marginals of A1, A2, B1, B2 with the other's setting, [4], as
        `marginal_changes` gives them, and their intervals [4, 2], at a quarter of alpha each:
        they hold together (Bonferroni).
    delta, delta_interval
        Delta, the signalling in the marginals, biased upwards near 0, and its interval: added up
        from those of the four changes.
    no_signalling_p_values
        The p-values of "this marginal does not change with the other's setting", for A1, A2, B1,
        B2: by betting, two-sided, adjusted for their number by Holm's method.
    influence, influence_interval
        The influence, which says how often outcomes differ between contexts, replica by replica and
        item by item, and its interval. It is at least S - 2 and at least Delta. It is the other
        setting's influence where the contexts of a replica share all that is random: initial
        weights, order of the data, noise. Where attrs say that each context has `own_starts` or
        `own_batches`, it is not defined, and NaN.
    excess, excess_interval, excess_method
        S - Delta - 2, which is what of S the marginals do not explain; its interval; and how that
        was made, by "intersection bounds" or "betting".
    excess_p_value, excess_p_value_below
        The p-values of "S - Delta - 2 is at most 0", and of "is at least 0".
    excess_within, excess_within_interval
        The mean over replicas of a replica's own S - Delta - 2, and its interval. It is at most
        S - Delta - 2: what lies between the two is there only because changes of the marginals
        that differ in sign from replica to replica cancel in the means.
    excess_bound
        The most that S - Delta - 2 can be in these outcomes: four times the rarest cell that S
        counts as won.
    any_facet_excess, any_facet_p_value
        The largest of the eight facets less Delta and 2, and its p-value, which pays eightfold.
    arcsine_excess
        At most 0 where the correlators, taken alone and as estimated, could come from quantum
        parties.
    correlators, correlator_intervals
        C(Ai,Bj) [2, 2] and intervals [2, 2, 2].
    alice, bob
        Marginals <Ai> and <Bj> [2, 2] by context.
    level
        Nominal coverage of each interval by itself.
    readout, split, replicas, items, paired
        What was read: the readout, the split, the numbers of replicas and of items, and whether
        the k-th items of both parties are partners.
    clusters
        The number of clusters that the replicas come in, and which are then what is independent;
        None without clusters.
    diverged
        The number of networks with a non-finite logit; they are read as class 0, none is left out.
    s_diverged_against
        S where the correlator of every diverged network is set to what lowers S most.
    held_out
        The report on held-out items where the outcomes have any, else None.
    """

    s: float
    interval: Interval
    interval_method: str
    betting_interval: Interval
    p_value: float
    p_value_below: float
    smallest_s_shown: float | None
    replicas_needed: int | None
    share_above: float
    share_above_interval: Interval
    sign_p_value: float
    facets: pd.Series
    changes: np.ndarray
    change_intervals: np.ndarray
    delta: float
    delta_interval: Interval
    no_signalling_p_values: np.ndarray
    influence: float
    influence_interval: Interval
    excess: float
    excess_interval: Interval
    excess_method: str
    excess_p_value: float
    excess_p_value_below: float
    excess_within: float
    excess_within_interval: Interval
    excess_bound: float
    any_facet_excess: float
    any_facet_p_value: float
    arcsine_excess: float
    correlators: np.ndarray
    correlator_intervals: np.ndarray
    alice: np.ndarray
    bob: np.ndarray
    level: float
    readout: str
    split: str
    replicas: int
    items: int
    paired: bool
    clusters: int | None
    diverged: int
    s_diverged_against: float
    held_out: Report | None = None

    @property
    def verdict(self) -> str:
        """Say whether S is "above 2", "below 2", or "not distinguishable from 2".

        It is where the betting interval lies. A bootstrap interval is misled where rare replicas
        that weigh much are missing from the sample.
        """
        low, high = self.betting_interval
        if low > CLASSICAL_BOUND:
            return "above 2"
        return "below 2" if high < CLASSICAL_BOUND else "not distinguishable from 2"

    @property
    def signalling(self) -> list[str]:
        """Name the tasks, of A1, A2, B1, B2, whose marginals change with the other's setting.

        The exact test has to say so, at most 1 - `level` after Holm's correction, and the interval
        of the change has to leave 0 out.
        """
        return self._shown_by_both(*TASKS)

    @property
    def explanation(self) -> str:
        """Say whether the changes of the marginals explain S.

        "contextual" says that they do not: the interval of S - Delta - 2 lies above 0, and the
        exact test agrees, `excess_p_value` being at most 1 - `level`. "within 2 + Delta" says that
        they do: the interval does not reach above 0, and the test of the other side agrees. Else it
        is "undecided". Of the other facets it says nothing.
        """
        return " ".join(self._shown_by_both("contextual", "within 2 + Delta")) or "undecided"

    @property
    def evidence(self) -> pd.DataFrame:
        """Compare what interval and exact test say, for each side of the excess and each task.

        Returns
        -------
        pandas.DataFrame
            A row for "contextual", "within 2 + Delta", and the change of each task, A1, A2, B1, B2:
            whether the interval shows it, `by_interval`; the `p_value` of the exact test; and what
            both say `together`: "shown", "not shown", or "open" where one shows it and the other
            does not.
        """
        excess_low, excess_high = self.excess_interval
        sides = {
            "contextual": (excess_low > 0, self.excess_p_value),
            "within 2 + Delta": (excess_high <= 0, self.excess_p_value_below),
        }
        changes = zip(TASKS, self.change_intervals, self.no_signalling_p_values, strict=True)
        sides |= {task: (low > 0 or high < 0, p) for task, (low, high), p in changes}
        table = pd.DataFrame.from_dict(sides, "index", columns=["by_interval", "p_value"])
        agree = table["by_interval"] == (table["p_value"] <= alpha_of(self.level))
        shown = np.where(table["by_interval"], BOTH_SHOW, NEITHER_SHOWS)
        return table.assign(together=np.where(agree, shown, ONE_SHOWS))

    def _shown_by_both(self, *sides: str) -> list[str]:
        """Return those of some rows of `evidence` that interval and exact test show together."""
        together = self.evidence["together"]
        return [side for side in sides if together[side] == BOTH_SHOW]

    @property
    def independent(self) -> int:
        """Return how many clusters there are, or replicas where there are no clusters."""
        return self.replicas if self.clusters is None else self.clusters

    @property
    def units(self) -> str:
        """Return the word for what is independent, "replicas" or "clusters"."""
        return "replicas" if self.clusters is None else "clusters"

    def row(self) -> dict[str, float | int | str]:
        """Return one flat row of a table.

        It has the largest of the facets, and the smallest of the no-signalling tests' p-values. It
        leaves out the intervals of the correlators, and the held-out items.
        """
        betting_low, betting_high = self.betting_interval
        derived = {
            "s_betting_low": betting_low,
            "s_betting_high": betting_high,
            "no_signalling_p_value": float(self.no_signalling_p_values.min()),
            "s_odd": float(self.facets.max()),
        }
        row = {}
        for name in ROW_COLUMNS:
            value = derived[name] if name in derived else getattr(self, name)
            interval = getattr(self, "interval" if name == "s" else f"{name}_interval", None)
            row |= with_ends(name, value, interval) if interval else {name: value}
        for name in ("correlators", "alice", "bob"):
            for (i, j), value in np.ndenumerate(getattr(self, name)):
                row[f"{name.removesuffix('s')}_{i + 1}{j + 1}"] = float(value)
        return row

    @property
    def drops(self) -> pd.DataFrame:
        """Compare each task beside the one of its two partners with which it does worse.

        Returns
        -------
        pandas.DataFrame
            A row a task, the largest drop first: `task`; `worse_partner`, with which it does worse,
            and `other_partner`; `right_with_worse` and `right_with_other`, how often it is right
            with either, in percent; `points`, the difference in percentage points; `low` and
            `high`, the interval, the four of which hold together; `p_value`, by the exact test of
            no change, adjusted for the four; `shown`, whether test and interval agree that it is
            not 0. With readout "prediction" it is how often +1 is predicted.
        """
        k, worse = np.arange(len(TASKS)), (self.changes > 0).astype(int)
        partners = np.array(list(PARTNERS.values()))
        right = 50 * (1 + np.vstack([self.alice, self.bob.T]))
        low, high = np.sort(50 * self.change_intervals * np.where(worse, 1, -1)[:, None]).T
        table = pd.DataFrame(
            {
                "task": TASKS,
                "worse_partner": partners[k, worse],
                "other_partner": partners[k, 1 - worse],
                "right_with_worse": right[k, worse],
                "right_with_other": right[k, 1 - worse],
                "points": 50 * abs(self.changes),
                "low": low,
                "high": high,
                "p_value": self.no_signalling_p_values,
                "shown": np.isin(TASKS, self.signalling),
            }
        )
        return table.sort_values("points", ascending=False, kind="stable", ignore_index=True)

    @property
    def conclusion(self) -> str:
        """Say what was found in a few sentences."""
        return " ".join(conclusion(self))

    def numbers(self) -> dict:
        """Return all that the report holds, as JSON has it: numbers, text, lists and None."""
        names = ["conclusion", "verdict", "signalling", "explanation", "drops"]
        names += [field.name for field in fields(self)]
        return {name: _plain(getattr(self, name)) for name in names}

    def full(self) -> ReportView:
        """Return the report with its rarer rows, to print or to show in a notebook."""
        return ReportView(self, rarer=True)

    def html(self, *, rarer: bool = False) -> str:
        """Return the report as a fragment of HTML, with its picture where matplotlib is there.

        With `rarer` it has the rows that few readers need, as `full` has.
        """
        return ReportView(self, rarer)._repr_html_()

    def plot(self) -> matplotlib.figure.Figure:
        """Draw S among its bounds, the correlators that it is made of, and what each task loses.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ImportError
            Without matplotlib; the line names the extra that brings it.
        """
        from ncnet.plotting import picture

        return picture(self)

    def __str__(self) -> str:
        return str(ReportView(self, rarer=False))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.html()


renamed.attributes(
    {
        field.name.replace("excess", "contextuality"): field.name
        for field in fields(Report)
        if field.name.startswith(("excess", "any_facet_excess"))
    }
)(Report)


def _plain(value: object) -> object:
    """Return a value of a report in the types that JSON has."""
    if isinstance(value, Report):
        return value.numbers()
    if isinstance(value, pd.DataFrame):
        return value.to_dict("records")
    if isinstance(value, pd.Series):
        return value.to_dict()
    array = isinstance(value, (np.ndarray, np.generic, tuple))
    return np.asarray(value).tolist() if array else value


def report(
    outcomes: Outcomes,
    *,
    split: str = "training",
    readout: str = "correct",
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Report:
    """Return the statistics of one experiment, with their intervals and tests.

    Intervals resample replicas, jointly over the four contexts: they generalise over
    initialisations with the items fixed.

    Parameters
    ----------
    outcomes
        A Dataset as `ncnet.train` or `from_table` returns it, or arrays ``(a, b)`` of +-1 with
        shape [2, 2, replicas, items].
    split
        Items to read, "training" or "held_out".
    readout
        "correct" (primary), "solved" or "prediction"; see `ncnet.chsh.read`.
    level
        Nominal coverage of the intervals, between 0 and 1.
    resamples, seed
        Number of bootstrap resamples, and the seed of their draw.

    Raises
    ------
    ValueError
        For outcomes that are no complete CHSH experiment, with more than one capacity, or for
        fewer resamples than the level needs.

    Examples
    --------
    Two parties that succeed on every item of every replica:

    >>> ones = np.ones((2, 2, 1600, 8))
    >>> result = report((ones, ones))
    >>> result.s, result.delta, result.interval_method
    (2.0, 0.0, 'betting')
    """
    # The finest bounds are those of Delta's four parts.
    level, resamples, seed = check_resampling(level, resamples, seed, parts=len(TASKS))
    dataset = _one_capacity(as_dataset(outcomes))
    options = {"readout": readout, "level": level, "resamples": resamples, "seed": seed}
    result = _report(dataset, split, **options)
    if split == "training" and "held_out" in splits(dataset):
        return replace(result, held_out=_report(dataset, "held_out", **options))
    return result


def _report(
    dataset: xr.Dataset, split: str, *, readout: str, level: float, resamples: int, seed: int
) -> Report:
    """Return the report on the items of one split, of a checked Dataset at one capacity."""
    chosen = select(dataset, split=split, readout=readout)
    of_replicas = item_means(chosen)
    means = by_cluster(of_replicas)
    distinct, counts = distinct_columns(replica_rows(means, influence_of(chosen)))
    draws = resampled_means(distinct, counts, resamples=resamples, seed=seed)
    mean = means.mean("replica", skipna=False).transpose(*SIGNS.dims)
    diverged = dataset.get("diverged", xr.DataArray(False))
    against = by_cluster(of_replicas.correlator.where(~diverged, -SIGNS))
    found = inference(distinct, counts, draws, level=level)
    if apart_in(dataset):
        found |= {"influence": np.nan, "influence_interval": (np.nan, np.nan)}
    return Report(
        s=float(s_value(mean.correlator)),
        delta=float(delta(mean)),
        excess=float(excess(mean)),
        excess_bound=float(excess_bound(mean)),
        facets=facets(mean.correlator).to_series(),
        any_facet_excess=float(s_odd(mean.correlator) - delta(mean) - CLASSICAL_BOUND),
        arcsine_excess=float(arcsine_excess(mean.correlator)),
        correlators=mean.correlator.values,
        alice=mean.alice.values,
        bob=mean.bob.values,
        level=level,
        readout=readout,
        split=split,
        replicas=dataset.sizes["replica"],
        clusters=int(counts.sum()) if "cluster" in dataset.coords else None,
        paired=bool(dataset.attrs.get("paired", True)),
        items=int((dataset["split"] == split).sum()),
        diverged=int(diverged.sum()),
        s_diverged_against=float(s_value(against).mean()),
        **found,
    )


def _one_capacity(dataset: xr.Dataset) -> xr.Dataset:
    """Return a Dataset without the dimension `capacity`, or refuse one of several capacities."""
    if "capacity" not in dataset.dims:
        return dataset
    capacities = dataset["capacity"].values.tolist()
    found = f"outcomes hold {len(capacities)} capacities, {capacities}"
    expected = f"one, as in `outcomes.sel(capacity={capacities[0]})`"
    check(len(capacities) == 1, found, expected)
    return dataset.squeeze("capacity")
