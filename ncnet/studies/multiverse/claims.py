"""States what the paper claims of S along a sweep over hidden sizes, and judges it by rules."""

from collections.abc import Callable
from functools import partial

import pandas as pd

from ncnet import claims
from ncnet.chsh import CLASSICAL_BOUND
from ncnet.claims import CRITICAL_SIZE, MARGIN, Claim, Effect, Tables


def _rises_to_2(sweep: pd.DataFrame) -> bool:
    arrived = sweep["s_low"] >= CLASSICAL_BOUND - MARGIN
    if not arrived.any() or sweep["s_high"].iloc[0] >= CLASSICAL_BOUND:
        return False
    rise = sweep.iloc[: arrived.to_numpy().argmax() + 1]
    return bool((rise["s_high"] >= rise["s_low"].cummax()).all())


def _exceeds_2(sweep: pd.DataFrame) -> bool:
    return bool((sweep["s_low"] > CLASSICAL_BOUND).any())


def _peaks_at_3(sweep: pd.DataFrame) -> bool:
    lowest = claims.at_critical_size(sweep, "hidden_size")["s_low"].item()
    others = sweep.loc[sweep["hidden_size"] != CRITICAL_SIZE, "s_high"]
    return bool(lowest > max(CLASSICAL_BOUND, others.max()))


def _returns_to_2(sweep: pd.DataFrame) -> bool:
    ends = sweep[["s_low", "s_high"]].iloc[-1]
    settled = ends.between(CLASSICAL_BOUND - MARGIN, CLASSICAL_BOUND + MARGIN).all()
    return _exceeds_2(sweep.iloc[:-1]) and bool(settled)


def _at_size(choose: Callable[[pd.Series], int], tables: Tables) -> Effect:
    sweep = tables["multiverse"]
    size = choose(sweep["hidden_size"])
    rows = claims.rows_where(sweep, "hidden_size", size)
    return Effect(f"S at n = {size}", claims.estimates_of_s(rows))


def _at_best_other(tables: Tables) -> Effect:
    sweep = tables["multiverse"]
    others = sweep[sweep["hidden_size"] != CRITICAL_SIZE]
    best = others.loc[others.groupby("game")["s"].idxmax()]
    where = ", ".join(f"n = {n}" for n in sorted(set(best["hidden_size"])))
    return Effect(f"largest S elsewhere (at {where})", claims.estimates_of_s(best))


_SWEEP = {"result": "multiverse", "evidence": "notebooks/rq3_multiverse"}
CLAIMS = (
    Claim(
        "rises-to-2",
        "rises to 2",
        "With few resources S is below 2 and rises towards it as they grow.",
        claims.ABSTRACT,
        rule="S lies below 2 at the smallest capacity; at some capacity its interval lies above "
        f"{CLASSICAL_BOUND - MARGIN:.2f}; and up to the first such capacity no interval lies "
        "below that of a smaller capacity.",
        holds=_rises_to_2,
        effect=partial(_at_size, min),
        **_SWEEP,
    ),
    Claim(
        "exceeds-2",
        "exceeds 2",
        "Near a critical capacity S may exceed 2.",
        claims.ABSTRACT,
        rule="At some capacity the interval of S lies above 2.",
        holds=_exceeds_2,
        effect=partial(_at_size, lambda sizes: CRITICAL_SIZE),
        **_SWEEP,
    ),
    Claim(
        "peak-at-3",
        "peaks at 3 units",
        "S peaks at the critical capacity, three hidden units.",
        claims.REVIEW,
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
        claims.ABSTRACT,
        rule="S exceeds 2 by the rule above before the largest capacity, and there its interval "
        f"lies within {MARGIN} of 2.",
        holds=_returns_to_2,
        effect=partial(_at_size, max),
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
    sweep = claims.by_capacity(sweep)
    return {claim.name: claim.holds(sweep) for claim in CLAIMS}
