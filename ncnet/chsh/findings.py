"""What a report holds, and what follows from it: verdicts, drops, a row of a table."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ncnet import renamed
from ncnet.chsh.intervals import with_ends
from ncnet.chsh.showing import OF_LEFT, OF_S, SHOWN, Shown, conclusion, evidence, interval_of
from ncnet.chsh.signalling import PARTNERS, TASKS

if TYPE_CHECKING:
    import matplotlib.figure

IN_A_ROW = (
    "readout",
    "split",
    "level",
    "s",
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
"""What `Report.row` has, with the ends of intervals, before correlators and marginals."""
FORMER_ENDS = (
    "",
    "_interval",
    "_method",
    "_p_value",
    "_p_value_below",
    "_within",
    "_within_interval",
    "_bound",
)


@renamed.attributes(
    {f"contextuality{end}": f"excess{end}" for end in FORMER_ENDS}
    | {"any_facet_contextuality": "any_facet_excess"}
)
@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """The Bell test of one experiment; printed as text, shown with its picture in a notebook.

    Every interval is for the mean over initialisations, at `level` by itself unless it says
    otherwise. Tests but the sign test are by betting: their p-values hold whenever one looks, so
    that replicas, or whole clusters, may be added and tested again. Neither the sign test nor
    bootstrap intervals may be extended like that.

    Attributes
    ----------
    s, interval
        S, the minus sign fixed at (2,2) in advance, and its interval.
    interval_method
        "percentile bootstrap", or "betting" where fewer than 10 replicas differ from the most
        frequent S, so that a resample has next to no spread.
    p_value, p_value_below
        Of "the mean of S over initialisations is at most 2", and of "is at least 2", by betting.
        They say nothing about locality, which a shared trunk denies by design.
    smallest_s_shown, replicas_needed
        The S below which so many replicas can show none to be above 2, and how many like these it
        takes in all to show theirs to be, by exact test and betting interval; None if none does.
    share_above, share_above_interval
        Share of replicas whose own S is above 2, and its exact binomial interval. Where the
        contexts of a replica share all that is random, it is 0 without influence.
    sign_p_value
        Of "at most half of the replicas have an S above 2", exact at any number that was fixed
        beforehand: about the median, with the items given.
    facets
        The eight sums of correlators with an odd number of minus signs, a Series by their signs.
    changes, change_intervals
        By how much the marginals of A1, A2, B1, B2 change with the other's setting, [4], as
        `marginal_changes` gives them, and their intervals [4, 2], at a quarter of the error each:
        they hold together (Bonferroni).
    delta, delta_interval
        Delta, the signalling in the marginals, biased upwards near 0, and its interval: added up
        from those of the four changes.
    no_signalling_p_values
        Of "this marginal does not change with the other's setting", for A1, A2, B1, B2; betting,
        two-sided, adjusted for their number by Holm's method.
    influence, influence_interval
        How often outcomes differ between contexts, replica by replica and item by item; at least
        S - 2 and at least Delta. It is the other setting's influence where the contexts of a
        replica share all that is random: initial weights, order of the data, noise.
    excess, excess_interval, excess_method
        S - Delta - 2: what of S the marginals do not explain, and its interval, by "intersection
        bounds" or "betting".
    excess_p_value, excess_p_value_below
        Of "S - Delta - 2 is at most 0", and of "is at least 0".
    excess_within, excess_within_interval
        The mean over replicas of a replica's own S - Delta - 2, and its interval. It is at most
        S - Delta - 2: what lies between the two is there only because changes of the marginals
        that differ in sign from replica to replica cancel in the means.
    excess_bound
        What S - Delta - 2 cannot exceed in these outcomes: four times the rarest cell that S
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
        What was read, and whether the k-th items of both parties are partners.
    clusters
        How many clusters the replicas come in, which are then what is independent; None without.
    diverged
        Networks with a non-finite logit; read as class 0, none is left out.
    s_diverged_against
        S with every diverged network's correlator set against a large S.
    held_out
        The report on held-out items where the outcomes have any, else None.
    """

    s: float
    interval: tuple[float, float]
    interval_method: str
    p_value: float
    p_value_below: float
    smallest_s_shown: float | None
    replicas_needed: int | None
    share_above: float
    share_above_interval: tuple[float, float]
    sign_p_value: float
    facets: pd.Series
    changes: np.ndarray
    change_intervals: np.ndarray
    delta: float
    delta_interval: tuple[float, float]
    no_signalling_p_values: np.ndarray
    influence: float
    influence_interval: tuple[float, float]
    excess: float
    excess_interval: tuple[float, float]
    excess_method: str
    excess_p_value: float
    excess_p_value_below: float
    excess_within: float
    excess_within_interval: tuple[float, float]
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
        """Whether S is above 2, below 2, or not distinguishable from 2.

        Above where the interval lies there and the exact test agrees, `p_value` being at most
        1 - `level`; below likewise. A bootstrap interval alone is misled where rare replicas that
        weigh much are missing from the sample.
        """
        return " ".join(self._shown(*OF_S)) or "not distinguishable from 2"

    @property
    def signalling(self) -> list[str]:
        """Which tasks' marginals change with the other's setting, of A1, A2, B1, B2.

        Those of which the exact test says so, at most 1 - `level` after Holm's correction, and
        whose interval leaves 0 out.
        """
        return self._shown(*TASKS)

    @property
    def explanation(self) -> str:
        """Whether the change of the marginals explains S.

        "contextual" where it does not: the interval of S - Delta - 2 lies above 0, and the exact
        test agrees, `excess_p_value` being at most 1 - `level`. "within 2 + Delta" where the
        interval does not reach above 0, and the test of the other side agrees; else "undecided".
        Of the other facets it says nothing.
        """
        return " ".join(self._shown(*OF_LEFT)) or "undecided"

    def _shown(self, *sides: str) -> list[str]:
        """Return those of some sides that interval and exact test show together."""
        together = evidence(self)["together"]
        return [side for side in sides if together[side] == SHOWN]

    @property
    def independent(self) -> int:
        """How many clusters there are, or replicas where there are no clusters."""
        return self.replicas if self.clusters is None else self.clusters

    @property
    def units(self) -> str:
        """The word for what is independent, "replicas" or "clusters"."""
        return "replicas" if self.clusters is None else "clusters"

    def row(self) -> dict[str, float | int | str]:
        """Return one flat row of a table.

        Of the facets the largest, of the no-signalling tests the smallest p-value; without the
        intervals of the correlators and without the held-out items.
        """
        derived = {
            "no_signalling_p_value": float(self.no_signalling_p_values.min()),
            "s_odd": float(self.facets.max()),
        }
        row = {}
        for name in IN_A_ROW:
            value = derived[name] if name in derived else getattr(self, name)
            interval = interval_of(self, name)
            row |= with_ends(name, value, interval) if interval else {name: value}
        for name in ("correlators", "alice", "bob"):
            for (i, j), value in np.ndenumerate(getattr(self, name)):
                row[f"{name.removesuffix('s')}_{i + 1}{j + 1}"] = float(value)
        return row

    @property
    def drops(self) -> pd.DataFrame:
        """What each task loses beside the one of its two partners with which it does worse.

        Returns
        -------
        pandas.DataFrame
            A row a task, the largest first: `task`; `beside`, the partner with which it does
            worse, and `instead`, the other; `right_beside` and `right_instead`, how often it is
            right with either, in percent; `points`, the difference in percentage points; `low` and
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
                "beside": partners[k, worse],
                "instead": partners[k, 1 - worse],
                "right_beside": right[k, worse],
                "right_instead": right[k, 1 - worse],
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
        """What was found, in two or three sentences; more where interval and exact test differ."""
        return " ".join(conclusion(self))

    def numbers(self) -> dict:
        """Return all that the report holds, as JSON has it: numbers, text, lists and None."""
        names = ["conclusion", "verdict", "signalling", "explanation", "drops"]
        names += [field.name for field in fields(self)]
        return {name: _plain(getattr(self, name)) for name in names}

    def full(self) -> Shown:
        """Return the report with its rarer rows, to print or to show in a notebook."""
        return Shown(self, rarer=True)

    def html(self, *, rarer: bool = False) -> str:
        """Return the report as a fragment of HTML, with its picture where matplotlib is there."""
        return Shown(self, rarer)._repr_html_()

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
        return str(Shown(self, rarer=False))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.html()


def _plain(value: object) -> object:
    """Return a value of a report as JSON has it."""
    if isinstance(value, Report):
        return value.numbers()
    if isinstance(value, pd.DataFrame):
        return value.to_dict("records")
    if isinstance(value, pd.Series):
        return value.to_dict()
    array = isinstance(value, (np.ndarray, np.generic, tuple))
    return np.asarray(value).tolist() if array else value
