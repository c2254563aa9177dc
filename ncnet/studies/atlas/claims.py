"""States what S above 2 suffices for, in two readings, and judges both by rules."""

import pandas as pd
import xarray as xr

from ncnet import claims
from ncnet.chsh import local_fraction
from ncnet.chsh.outcomes import SETTINGS
from ncnet.claims import Claim, Finding
from ncnet.estimates import Estimate, all_of, estimates_in

EXPLAINED = {"contextual": True, "within 2 + Delta": False, "undecided": None}
"""The explanations of a report, as answers to whether more than signalling is needed."""
THEOREM = "this is a theorem, and can only hold"
ROUNDED = 1e-6
"""A share of the outcomes as near 1 as this is all of them."""


def _no_joint_distribution(sweep: pd.DataFrame) -> Finding:
    above = _above_2(sweep)
    shares = [local_fraction(_means(row)) for _, row in above.iterrows()]
    holds = all_of(*(share < 1 - ROUNDED for share in shares)) if shares else None
    peak = sweep.loc[sweep["s"].idxmax()]
    return Finding(holds, Estimate(*peak[["s", "s_betting_low", "s_betting_high"]]) - 2, THEOREM)


def _beyond_signalling(sweep: pd.DataFrame) -> Finding:
    answers = [EXPLAINED[explanation] for explanation in _above_2(sweep)["explanation"]]
    return Finding(all_of(*answers) if answers else None, _largest(sweep, "excess"))


def _above_2(sweep: pd.DataFrame) -> pd.DataFrame:
    return claims.rows_where(sweep, "verdict", "above 2")


def _largest(sweep: pd.DataFrame, name: str) -> Estimate:
    """Return an estimate at the capacity of the largest S."""
    [found] = estimates_in(sweep.loc[[sweep["s"].idxmax()]], name)
    return found


def _means(row: pd.Series) -> xr.Dataset:
    """Return the means of a report's row, as a linear program reads them."""
    names = ("correlator", "alice", "bob")
    table = {n: [[row[f"{n}_{i}{j}"] for j in (1, 2)] for i in (1, 2)] for n in names}
    return xr.Dataset({n: ([*SETTINGS], values) for n, values in table.items()}, SETTINGS)


_SUFFICES = {"source": claims.REVIEW, "result": "capacity", "evidence": "notebooks/rq6"}
CLAIMS = (
    Claim(
        "above-2-suffices-by-definition",
        "by definition",
        "S above 2 is sufficient for non-classical statistics: no joint distribution of four "
        "outcomes is behind them.",
        estimand="the largest S over the capacities, less 2, in the capacity sweep",
        smallest="none: it is a theorem",
        region=claims.beyond(0),
        rule="At each capacity at which S is above 2, a linear program finds no joint distribution "
        "of the four outcomes with these correlators and marginals. It is a theorem, so that it "
        "can only hold or, where S is nowhere above 2, stay open; the rule checks that our numbers "
        "obey it.",
        find=_no_joint_distribution,
        **_SUFFICES,
    ),
    Claim(
        "above-2-suffices-beyond-signalling",
        "beyond signalling",
        "S above 2 is sufficient for non-classical statistics: signalling does not explain them.",
        estimand="S - Δ - 2 at the capacity of the largest S",
        smallest="none: any excess would do",
        region=claims.beyond(0),
        rule="At each capacity at which S is above 2, S - Δ - 2 is above 0, by interval and exact "
        "test. It does not hold where at one of them it is below 0 by both; where S is nowhere "
        "above 2, or S - Δ - 2 is undecided, it stays open.",
        find=_beyond_signalling,
        **_SUFFICES,
    ),
)
