"""States what the paper claims of the mechanism, and judges it by rules.

Both rules were changed after first runs, and changed again after a recorded one, whose verdicts
were "partly" by the wording of then. Each has now one estimand, a smallest effect that was fixed
before, and an exact interval, and judges a run with a seed of its own. The notebook `rq2` says how.
"""

import pandas as pd

from ncnet import claims
from ncnet.claims import ABSTRACT, MARGIN, Claim, Finding
from ncnet.estimates import Estimate, any_of, estimates_in, largest

WITHOUT_CONFLICT = "PCGrad"
"""The intervention that takes nothing but the conflict out of the gradients: the rule reads it."""
# `loss_trend` reads an oscillation in these two ways; the rule holds where it does in one of them.
OSCILLATIONS = ("fast", "rises")


def _competition_causes(interventions: pd.DataFrame) -> Finding:
    at = claims.rows_where(interventions, "hidden_size", claims.CRITICAL_SIZE)
    violation = _estimate(at, "left_less_gone", intervention="shared")
    left = _estimate(at, "left_less_gone", intervention=WITHOUT_CONFLICT)
    if not violation.beyond(MARGIN):
        return Finding(None, left, "there is no violation to lose")
    gone = 50 * (1 - left.value / violation.value)
    return Finding(
        (-left).beyond(0.0), left, f"{gone:.0f} % of the violation goes with the conflict"
    )


def _oscillation_senses(sensing: pd.DataFrame) -> Finding:
    at = claims.rows_where(sensing, "hidden_size", claims.CRITICAL_SIZE)
    uses = [f"without oscillation ({reading})" for reading in OSCILLATIONS]
    lost = [_estimate(at, "lost", use=use) for use in uses]
    return Finding(any_of(*(one.beyond(MARGIN) for one in lost)), largest(lost))


def _estimate(rows: pd.DataFrame, column: str, **where: str) -> Estimate:
    [found] = estimates_in(claims.row_where(rows, **where), column)
    return found


CLAIMS = (
    Claim(
        "competition-causes",
        "conflict causes it",
        "The competition of the heads' gradients on shared units causes S above 2.",
        ABSTRACT,
        estimand="2 S(PCGrad) - S(shared) - 2 at three hidden units: what is left of the "
        "violation, S - 2, where the conflict alone is taken out, less what is gone of it",
        smallest="half of the violation gone: 0",
        region=claims.below(0),
        rule="With PCGrad, on the same initial weights, less of the violation is left than is "
        "gone. It does not hold where more is left. It is open where S of the shared trunk is not "
        f"shown to be more than {MARGIN} above 2, so that there is nothing to lose. Only PCGrad "
        "decides: trunks of their own succeed by theorem, and a stopped gradient breaks a head.",
        result="interventions",
        evidence="notebooks/rq2",
        find=_competition_causes,
        rows=("hidden_size", "intervention"),
    ),
    Claim(
        "oscillation-senses",
        "heads sense tasks",
        "A head senses the other's task through oscillations of its own loss.",
        ABSTRACT,
        estimand="AUC lost at three hidden units, the larger of two readings: how much less well "
        "Bob's setting is told from Alice's loss trace without its oscillation than from the whole",
        smallest=f"{MARGIN}",
        region=claims.beyond(MARGIN),
        rule=f"In one of two readings of oscillation, what repeats within ten steps and the height "
        f"of the loss above its lowest value so far, more than {MARGIN} of AUC is lost. It does "
        "not hold where less is lost in both. The intervals of both hold together, for the "
        "decoders that were trained.",
        result="sensing",
        evidence="notebooks/rq2",
        find=_oscillation_senses,
        rows=("hidden_size", "use"),
    ),
)
