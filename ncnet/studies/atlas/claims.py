"""The statement on what S above 2 means, and the rule that judges it."""

import pandas as pd

from ncnet import claims
from ncnet.claims import CRITICAL_SIZE, Claim, Effect, Tables


def _suffices(sweep: pd.DataFrame) -> bool | None:
    above = sweep.loc[sweep["verdict"] == "above 2", "explanation"]
    if (above == "within 2 + Delta").any():
        return False
    return True if len(above) and (above == "contextual").all() else None


def _unexplained(tables: Tables) -> Effect:
    critical = claims.rows_where(tables["capacity"], "hidden_size", CRITICAL_SIZE)
    found = claims.estimates(critical, "game", "excess", "excess")
    return Effect(f"S - Δ - 2 at n = {CRITICAL_SIZE}", found)


CLAIMS = (
    Claim(
        "above-2-suffices",
        "means non-classical",
        "S above 2 is sufficient for non-classical statistics.",
        claims.REVIEW,
        rule="Where S is above 2 (95 % interval and exact test), the change of the marginals does "
        "not explain it: S - Delta is above 2 as well. One capacity with S above 2 and the "
        "interval of S - Delta - 2 not above 0 refutes it; where S is nowhere above 2, or "
        "S - Delta - 2 is undecided, it stays open.",
        result="capacity",
        evidence="notebooks/rq6",
        holds=_suffices,
        effect=_unexplained,
    ),
)
