"""The paper's statements on S and capacity, each with the rule that judges it.

A rule reads one sweep: S at every capacity with its interval. The intervals of a sweep are
simultaneous, at 95 % together (`simultaneous_level`), so that a rule may compare any of them. The
rules were written before the sweeps were trained that they judge.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from ncnet.chsh import CLASSICAL_BOUND

LEVEL = 0.95
MARGIN = 0.05
"""How near 2 counts as 2; fixed in advance."""
CRITICAL_SIZE = 3
"""Hidden units at which the paper sees the peak."""


@dataclass(frozen=True)
class Claim:
    """A statement and its rule.

    Attributes
    ----------
    name
        Short name.
    statement
        What the paper says, in our words.
    rule
        When we say that it holds.
    holds
        The rule, for a sweep: a table with columns ``hidden_size``, ``s``, ``s_low`` and
        ``s_high``, one row a capacity.
    """

    name: str
    statement: str
    rule: str
    holds: Callable[[pd.DataFrame], bool]


def simultaneous_level(capacities: int) -> float:
    """Return the level of each of so many intervals that hold together at `LEVEL` (Bonferroni).

    >>> round(simultaneous_level(10), 6)
    0.995
    """
    return 1 - (1 - LEVEL) / capacities


def _rises_to_2(sweep: pd.DataFrame) -> bool:
    arrived = (sweep["s_low"] >= CLASSICAL_BOUND - MARGIN).to_numpy()
    if not arrived.any() or sweep["s_high"].iloc[0] >= CLASSICAL_BOUND:
        return False
    rise = sweep.iloc[: arrived.argmax() + 1]
    highest_so_far = rise["s_low"].cummax()
    return bool((rise["s_high"] >= highest_so_far).all())


def _exceeds_2(sweep: pd.DataFrame) -> bool:
    return bool((sweep["s_low"] > CLASSICAL_BOUND).any())


def _peaks_at_3(sweep: pd.DataFrame) -> bool:
    critical = sweep["hidden_size"] == CRITICAL_SIZE
    if not critical.any():
        raise ValueError(f"the sweep has no hidden size {CRITICAL_SIZE}: the rule compares with it")
    lowest = sweep.loc[critical, "s_low"].item()
    return bool(lowest > max(CLASSICAL_BOUND, sweep.loc[~critical, "s_high"].max()))


def _returns_to_2(sweep: pd.DataFrame) -> bool:
    last = sweep.iloc[-1]
    settled = (
        last["s_low"] >= CLASSICAL_BOUND - MARGIN and last["s_high"] <= CLASSICAL_BOUND + MARGIN
    )
    return _exceeds_2(sweep.iloc[:-1]) and bool(settled)


CAPACITY_CLAIMS = {
    claim.name: claim
    for claim in (
        Claim(
            "rises-to-2",
            "With few resources S is below 2 and rises towards it as they grow.",
            f"S lies below 2 at the smallest capacity; at some capacity its interval lies above "
            f"{CLASSICAL_BOUND - MARGIN:.2f}; and up to the first such capacity no interval lies "
            "below that of a smaller capacity.",
            _rises_to_2,
        ),
        Claim(
            "exceeds-2",
            "At some capacities S exceeds 2.",
            "At some capacity the interval of S lies above 2.",
            _exceeds_2,
        ),
        Claim(
            "peak-at-3",
            "S peaks at the critical capacity, three hidden units.",
            "The interval of S at three hidden units lies above 2 and above the intervals at all "
            "other capacities.",
            _peaks_at_3,
        ),
        Claim(
            "returns-to-2",
            "With more capacity S falls back to 2.",
            "S exceeds 2 by the rule above before the largest capacity, and there its interval "
            f"lies within {MARGIN} of 2.",
            _returns_to_2,
        ),
    )
}


def judge(sweep: pd.DataFrame) -> dict[str, bool]:
    """Return which statements on capacity hold in a sweep over hidden sizes.

    Parameters
    ----------
    sweep
        One row a hidden size: ``hidden_size``, ``s``, and its interval ``s_low``, ``s_high`` at
        `simultaneous_level`.

    Raises
    ------
    ValueError
        If the sweep does not contain the critical size, 3, or a hidden size comes twice.

    Examples
    --------
    >>> import pandas as pd
    >>> sweep = pd.DataFrame({"hidden_size": [1, 2, 3, 4], "s": [0.5, 1.8, 2.3, 2.0]})
    >>> judge(sweep.assign(s_low=sweep["s"] - 0.02, s_high=sweep["s"] + 0.02))
    {'rises-to-2': True, 'exceeds-2': True, 'peak-at-3': True, 'returns-to-2': True}
    """
    sweep = sweep.sort_values("hidden_size")
    twice = sweep["hidden_size"][sweep["hidden_size"].duplicated()]
    if len(twice):
        raise ValueError(f"the sweep has hidden size {twice.iloc[0]} twice: judge one at a time")
    return {name: claim.holds(sweep) for name, claim in CAPACITY_CLAIMS.items()}
