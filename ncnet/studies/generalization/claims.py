"""State what is claimed of generalization, and judge it by rules.

The rules read conditions in place of games. All three were changed after results had been seen, and
judge a run with new seeds and further conditions. The notebook `rq4` says what they were before,
and how the conditions were chosen.
"""

from collections.abc import Iterable

import pandas as pd

from ncnet.claims import ABSTRACT, GROUP, WEAK, Claim, Finding, below, beyond, row_where
from ncnet.estimates import estimates_in

CONDITIONS = (
    "overlap, 64 items",
    "separate, 64 items",
    "hard_together, 128 items",
    "hard_apart, 128 items",
    "middling, 128 items",
    "hard_together, 256 items",
    "hard_together, 128 items, 10 % flipped",
    "overlap, 64 items, 30 % flipped",
    "overlap, 32 items, 20 % flipped, by steps",
    "hard_together, 128 items, 10 % flipped, by steps",
    "hard_together, 48 items, 30 % flipped, by steps",
)
"""What the statements are asked about, as `ncnet.training.samples.label` names it: noisy XORnet
games, and quartets of tasks on digits. Capacity is the number of hidden units, or that of steps."""
CLOSE = 0.02
"""Share of held-out items by which a capacity that generalizes well may fall short of the best."""


def _correlates_within(rows: pd.DataFrame) -> Finding:
    return _correlates(rows, "within")


def _correlates_across(rows: pd.DataFrame) -> Finding:
    return _correlates(rows, "across")


def _correlates(rows: pd.DataFrame, reading: str) -> Finding:
    [correlation] = estimates_in(row_where(rows, reading=reading), "correlation")
    return Finding(correlation.beyond(WEAK), correlation)


def _first_at_2_generalizes(rows: pd.DataFrame, margin: float = CLOSE) -> Finding:
    row = row_where(rows, target="held_out_accuracy")
    [lost] = estimates_in(row, "lost")
    # Where the largest is the best, a larger one might be better still.
    within = (row["best_capacity"] < row["largest_capacity"]).item()
    if not within:
        return Finding(None, lost, "the largest capacity tried was the best")
    return Finding((-lost).beyond(-margin), lost)


def answers_by_margin(table: pd.DataFrame, margins: Iterable[float]) -> pd.DataFrame:
    """Count what the rule on the first 2 says of the conditions, were the smallest effect another.

    Parameters
    ----------
    table
        Rows of `ncnet.studies.generalization.selection.regret_at_first_2` with a column
        ``condition``.
    margins
        Shares of the held-out items.

    Returns
    -------
    pandas.DataFrame
        `holds`, `fails` and `open`, the numbers of conditions, by `margin`.

    Examples
    --------
    >>> rows = pd.DataFrame({"lost": [0.01], "lost_low": [0.0], "lost_high": [0.02]})
    >>> rows = rows.assign(condition="a", target="held_out_accuracy")
    >>> rows = rows.assign(best_capacity=2, largest_capacity=3)
    >>> answers_by_margin(rows, [0.01, 0.05])["holds"].to_dict()
    {0.01: 0, 0.05: 1}
    """
    parts = [part for _, part in table.groupby("condition")]
    rows = []
    for margin in margins:
        said = [_first_at_2_generalizes(part, margin).holds for part in parts]
        counts = {"holds": said.count(True), "fails": said.count(False), "open": said.count(None)}
        rows.append({"margin": margin} | counts)
    return pd.DataFrame(rows).set_index("margin")


_ABOUT = {"source": ABSTRACT, "evidence": "notebooks/rq4", "kind": "condition", "among": CONDITIONS}
_CORRELATES = {"result": "generalization_rules", "rows": ("reading",), **_ABOUT}
_STATED = "Where capacity is insufficient S and generalization are positively correlated"
_UP_TO_2 = (
    "up to the capacity at which S first reaches 2 (its mean is at least 1.95, on other replicas), "
    "saturated ones left out"
)
_SIMULTANEOUS = "Intervals are exact, and hold together over the conditions at 95 %."
CLAIMS = (
    Claim(
        "generalization-correlates-within",
        "goes with accuracy",
        f"{_STATED}: over networks of one capacity.",
        estimand="Spearman's correlation of S of the training items with held-out accuracy over "
        f"replicas, mean over the capacities {_UP_TO_2}",
        smallest=f"a rank correlation of {WEAK}",
        region=beyond(WEAK),
        rule=f"Replicas are divided into groups of {GROUP}. The correlation in a group, averaged "
        f"over these capacities, has a mean over groups of more than {WEAK}. It does not hold "
        f"where that is less. {_SIMULTANEOUS}",
        find=_correlates_within,
        **_CORRELATES,
    ),
    Claim(
        "generalization-correlates-across",
        "grows with accuracy",
        f"{_STATED}: over capacities.",
        estimand="Spearman's correlation of S of the training items with held-out accuracy over "
        f"the capacities {_UP_TO_2}, in a replica",
        smallest=f"a rank correlation of {WEAK}",
        region=beyond(WEAK),
        rule=f"The correlation has a mean over replicas of more than {WEAK}. It does not hold "
        f"where that is less, and is open where there are less than two capacities. "
        f"{_SIMULTANEOUS}",
        find=_correlates_across,
        **_CORRELATES,
    ),
    Claim(
        "first-2-generalizes",
        "first 2 generalizes",
        "The capacity at which S first reaches 2 often generalizes well.",
        estimand="held-out accuracy at the best capacity, less that at the capacity at which S "
        "first reaches 2 (its mean is at least 1.95, on other replicas)",
        smallest=f"{100 * CLOSE:g} percentage points",
        region=below(CLOSE),
        rule="By differences within replicas, no capacity has a held-out accuracy that is higher "
        f"by {100 * CLOSE:g} points or more. It does not hold where one is higher by more. It is "
        "open where the best capacity is the largest that was tried, since a still larger one "
        f"might be better, and where S does not reach 2. {_SIMULTANEOUS}",
        result="first_at_2",
        find=_first_at_2_generalizes,
        rows=("target",),
        **_ABOUT,
    ),
)
