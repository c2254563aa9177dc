"""The statements on S along a sweep over hidden sizes, and the rules that judge them."""

import pandas as pd

from ncnet.chsh import CLASSICAL_BOUND
from ncnet.claims import (
    ABSTRACT,
    CRITICAL_SIZE,
    MARGIN,
    REVIEW,
    Claim,
    Effect,
    Tables,
    at,
    in_order,
    of_s,
)


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


def _at_size(tables: Tables, size: int) -> Effect:
    return Effect(f"S at n = {size}", of_s(at(tables["multiverse"], "hidden_size", size)))


def _at_smallest(tables: Tables) -> Effect:
    return _at_size(tables, tables["multiverse"]["hidden_size"].min())


def _at_critical(tables: Tables) -> Effect:
    return _at_size(tables, CRITICAL_SIZE)


def _at_largest(tables: Tables) -> Effect:
    return _at_size(tables, tables["multiverse"]["hidden_size"].max())


def _at_best_other(tables: Tables) -> Effect:
    sweep = tables["multiverse"]
    others = sweep[sweep["hidden_size"] != CRITICAL_SIZE]
    best = others.loc[others.groupby("game")["s"].idxmax()]
    where = ", ".join(f"n = {n}" for n in sorted(set(best["hidden_size"])))
    return Effect(f"largest S elsewhere (at {where})", of_s(best))


_SWEEP = {"result": "multiverse", "evidence": "notebooks/rq3_multiverse"}
CLAIMS = (
    Claim(
        "rises-to-2",
        "rises to 2",
        "With few resources S is below 2 and rises towards it as they grow.",
        ABSTRACT,
        rule="S lies below 2 at the smallest capacity; at some capacity its interval lies above "
        f"{CLASSICAL_BOUND - MARGIN:.2f}; and up to the first such capacity no interval lies "
        "below that of a smaller capacity.",
        holds=_rises_to_2,
        effect=_at_smallest,
        **_SWEEP,
    ),
    Claim(
        "exceeds-2",
        "exceeds 2",
        "Near a critical capacity S may exceed 2.",
        ABSTRACT,
        rule="At some capacity the interval of S lies above 2.",
        holds=_exceeds_2,
        effect=_at_critical,
        **_SWEEP,
    ),
    Claim(
        "peak-at-3",
        "peaks at 3 units",
        "S peaks at the critical capacity, three hidden units.",
        REVIEW,
        rule="The interval of S at three hidden units lies above 2 and above the intervals at all "
        "other capacities.",
        holds=_peaks_at_3,
        effect=_at_best_other,
        **_SWEEP,
    ),
    Claim(
        "returns-to-2",
        "falls back to 2",
        "With more capacity S falls back to 2.",
        ABSTRACT,
        rule="S exceeds 2 by the rule above before the largest capacity, and there its interval "
        f"lies within {MARGIN} of 2.",
        holds=_returns_to_2,
        effect=_at_largest,
        **_SWEEP,
    ),
)


def judge(sweep: pd.DataFrame) -> dict[str, bool]:
    """Return which statements on capacity hold in a sweep over hidden sizes.

    Parameters
    ----------
    sweep
        One row a hidden size: ``hidden_size``, ``s``, and its interval ``s_low``, ``s_high`` at
        `ncnet.claims.simultaneous_level`.

    Raises
    ------
    ValueError
        If the sweep is empty, lacks the critical size, 3, or has a hidden size twice.

    Examples
    --------
    >>> import pandas as pd
    >>> sweep = pd.DataFrame({"hidden_size": [1, 2, 3, 4], "s": [0.5, 1.8, 2.3, 2.0]})
    >>> judge(sweep.assign(s_low=sweep["s"] - 0.02, s_high=sweep["s"] + 0.02))
    {'rises-to-2': True, 'exceeds-2': True, 'peak-at-3': True, 'returns-to-2': True}
    """
    sweep = in_order(sweep)
    return {claim.name: claim.holds(sweep) for claim in CLAIMS}
