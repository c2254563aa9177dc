"""States what the paper claims of S along a sweep over hidden sizes, and judges it by rules.

A rule reads a row for each hidden size, as `ncnet.studies.multiverse.analysis.sweep_rows` makes
them: S, how far S rises to it from the size before, and how far S at three units lies above it. The
last two are differences within replicas. Intervals of each kind hold together over the sizes.
"""

import pandas as pd

from ncnet import claims
from ncnet.chsh import CLASSICAL_BOUND
from ncnet.claims import CRITICAL_SIZE, MARGIN, Claim, Finding
from ncnet.estimates import Answer, Estimate, all_of, estimates_in, largest, returns_to_0, smallest


def _rises_to_2(sweep: pd.DataFrame) -> Finding:
    above = _above_2(sweep)
    arrived = [s.value >= -MARGIN for s in above]
    on_the_way = arrived.index(True) if any(arrived) else len(arrived) - 1
    falls = [-rise for rise in estimates_in(sweep, "rise")[1 : on_the_way + 1]]
    holds = all_of(
        (-above[0]).beyond(MARGIN),
        largest(above).beyond(-MARGIN),
        *([_refuted(largest(falls).beyond(MARGIN))] if falls else []),
    )
    return Finding(holds, above[0])


def _exceeds_2(sweep: pd.DataFrame) -> Finding:
    most = largest(_above_2(sweep))
    return Finding(most.beyond(MARGIN), most)


def _peaks_at_3(sweep: pd.DataFrame) -> Finding:
    claims.row_where(sweep, hidden_size=CRITICAL_SIZE)
    others = sweep[sweep["hidden_size"] != CRITICAL_SIZE]
    lead = smallest(estimates_in(others, "lead"))
    return Finding(lead.beyond(MARGIN), lead)


def _returns_to_2(sweep: pd.DataFrame) -> Finding:
    above = _above_2(sweep)
    return Finding(returns_to_0(above, MARGIN), above[-1])


def _above_2(sweep: pd.DataFrame) -> list[Estimate]:
    return [s - CLASSICAL_BOUND for s in estimates_in(sweep, "s")]


def _refuted(answer: Answer) -> Answer:
    return None if answer is None else not answer


_SWEEP = {"result": "multiverse", "evidence": "notebooks/rq3_multiverse"}
CLAIMS = (
    Claim(
        "rises-to-2",
        "rises to 2",
        "With few resources S is below 2 and rises towards it as they grow.",
        claims.ABSTRACT,
        estimand="S at the smallest capacity, less 2",
        smallest=f"{MARGIN} below 2; the same for what counts as a fall",
        region=claims.below(-MARGIN),
        rule=f"S at the smallest capacity is more than {MARGIN} below 2; at some capacity it is "
        f"above {CLASSICAL_BOUND - MARGIN:.2f}; and up to the first such capacity it nowhere falls "
        f"by more than {MARGIN} from one capacity to the next. It does not hold where one of the "
        "three is refuted.",
        find=_rises_to_2,
        **_SWEEP,
    ),
    Claim(
        "exceeds-2",
        "exceeds 2",
        "Near a critical capacity S may exceed 2.",
        claims.ABSTRACT,
        estimand="the largest S over the capacities, less 2, in runs of the multiverse",
        smallest=f"{MARGIN}",
        region=claims.beyond(MARGIN),
        rule=f"At some capacity S is more than {MARGIN} above 2. It does not hold where S is less "
        "than that above 2 at every capacity.",
        find=_exceeds_2,
        **_SWEEP,
    ),
    Claim(
        "peak-at-3",
        "peaks at 3 units",
        "S peaks at the critical capacity, three hidden units.",
        claims.REVIEW,
        estimand="S at three units, less the largest S at any other number",
        smallest=f"{MARGIN}",
        region=claims.beyond(MARGIN),
        rule=f"S at three hidden units is more than {MARGIN} above S at each other capacity, by "
        "differences within replicas. It does not hold where at one of them S is less than that "
        "below.",
        find=_peaks_at_3,
        **_SWEEP,
    ),
    Claim(
        "returns-to-2",
        "falls back to 2",
        "With more capacity S falls back to 2.",
        claims.ABSTRACT,
        estimand="S at the largest capacity, less 2",
        smallest=f"{MARGIN}, to either side",
        region=claims.within(MARGIN),
        rule="S exceeds 2 by the rule above before the largest capacity, and is within "
        f"{MARGIN} of 2 there. It does not hold where S nowhere exceeds 2 so, or is further from "
        "2 at the largest capacity.",
        find=_returns_to_2,
        **_SWEEP,
    ),
)


def judge(sweep: pd.DataFrame) -> dict[str, Answer]:
    """Return which statements on capacity hold in a sweep over hidden sizes.

    Parameters
    ----------
    sweep
        One row a hidden size, as `ncnet.studies.multiverse.analysis.sweep_rows` makes them.

    Returns
    -------
    dict
        True, False or None (open), by the name of the claim.

    Raises
    ------
    ValueError
        If the sweep is empty, lacks the critical size, 3, or has a hidden size twice.

    Examples
    --------
    >>> import numpy as np
    >>> from ncnet.studies.multiverse.analysis import sweep_rows
    >>> s = {1: 0.5, 2: 1.75, 3: 2.25, 4: 2.0}
    >>> judge(sweep_rows({n: np.full(1600, value) for n, value in s.items()}))
    {'rises-to-2': True, 'exceeds-2': True, 'peak-at-3': True, 'returns-to-2': True}
    """
    sweep = claims.by_capacity(sweep)
    return {claim.name: claim.find(sweep).holds for claim in CLAIMS}
