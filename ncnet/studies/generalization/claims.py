"""State what is claimed of generalization, and judge it by rules.

The rules read conditions in place of games. They were written after a trial with another seed and
at most 64 replicas a capacity, in which items and steps were chosen. The second of them was made
stricter after a first run, and judges a second one with new seeds and a larger network. The
notebook `rq4` says how.
"""

import pandas as pd

from ncnet.checks import check
from ncnet.claims import ABSTRACT, Claim, Effect, Estimate, Holds, Tables, estimates, rows_where

CONDITIONS = (
    "overlap, 64 items",
    "separate, 64 items",
    "hard_together, 128 items",
    "hard_apart, 128 items",
    "middling, 128 items",
    "hard_together, 256 items",
    "hard_together, 128 items, 10 % flipped",
)
"""What the statements are asked about, as `ncnet.training.samples.label` names it: noisy XORnet
games, and quartets of tasks on digits."""
CLOSE = 0.02
"""Share of held-out items by which a capacity that generalizes well may fall short of the best."""
WEAK = 0.1
"""Rank correlation up to which a correlation is next to none."""


UP_TO_2 = "target == 'held_out_accuracy' and measure == 'spearman' and part == 'up to 2'"
"""Selects Spearman's correlations, averaged up to the capacity at which S first reaches 2."""


def _correlates(table: pd.DataFrame) -> Holds:
    found = _only(table.query(UP_TO_2))
    if found["low"] > 0:
        return True
    return False if found["high"] < WEAK else None


def _first_at_2_generalizes(table: pd.DataFrame) -> Holds:
    found = _only(rows_where(table, "target", "held_out_accuracy"))
    if found["regret_low"] > CLOSE:
        return False
    # Where the largest is the best, a larger one might be better still.
    within = found["best_capacity"] < found["largest_capacity"]
    return True if found["regret_high"] <= CLOSE and within else None


def _only(rows: pd.DataFrame) -> pd.Series:
    check(len(rows) == 1, f"the table has {len(rows)} rows for held-out accuracy", "1")
    return rows.iloc[0]


def _correlation(tables: Tables) -> Effect:
    rows = tables["generalization"].query(UP_TO_2)
    return _extremes("rank correlation", estimates(rows, "condition", "estimate"))


def _points_lost(tables: Tables) -> Effect:
    rows = rows_where(tables["first_at_2"], "target", "held_out_accuracy")
    rows = rows.assign(**100 * rows[["regret", "regret_low", "regret_high"]])
    return _extremes("percentage points lost", estimates(rows, "condition", "regret", "regret"))


def _extremes(quantity: str, estimates: tuple[Estimate, ...]) -> Effect:
    """Return the smallest and the largest of many estimates, and say of how many they are."""
    ordered = sorted(estimates, key=lambda estimate: estimate.value)
    quantity = f"{quantity}, smallest and largest of {len(estimates)} conditions"
    return Effect(quantity, (ordered[0], ordered[-1]))


_ABOUT = {"source": ABSTRACT, "evidence": "notebooks/rq4", "kind": "condition", "among": CONDITIONS}
CLAIMS = (
    Claim(
        "generalization-correlates",
        "goes with accuracy",
        "Where capacity is insufficient S and generalization are positively correlated.",
        rule="Over replicas, within a capacity: Spearman's correlation of S of the training items "
        "with held-out accuracy, averaged over the capacities up to the one at which S first "
        "reaches 2 (its mean is at least 1.95, on other replicas), has an interval above 0. It "
        f"fails where the interval ends below {WEAK}; else it stays open. Intervals hold together "
        "over the conditions at 95 %, and are bootstrapped through the choice of the capacity.",
        result="generalization",
        holds=_correlates,
        effect=_correlation,
        rows=("target", "measure", "part", "capacity"),
        **_ABOUT,
    ),
    Claim(
        "first-2-generalizes",
        "first 2 generalizes",
        "The capacity at which S first reaches 2 often generalizes well.",
        rule="At the smallest capacity whose mean of S is at least 1.95, found on other replicas, "
        f"held-out accuracy falls short of the best capacity's by at most {CLOSE:.0%} of the "
        "items, interval included, and the best is not the largest that was tried, or else a still "
        "larger one might be better. It fails where the whole interval lies above that. Intervals "
        "as for the statement before.",
        result="first_at_2",
        holds=_first_at_2_generalizes,
        effect=_points_lost,
        rows=("target",),
        **_ABOUT,
    ),
)
