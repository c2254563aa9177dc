"""States that S fluctuates around 2 once capacity is enough, and judges it by a rule.

The rule reads a row for each hidden size and way to read an outcome, as
`ncnet.studies.capacity.analysis.scatter` makes them: how far runs scatter, and how many of them lie
on either side of 2. It is asked of trainings without noise, and of one noise named beforehand.
"""

from dataclasses import replace
from functools import partial

import pandas as pd

from ncnet import claims
from ncnet.claims import MARGIN, Claim, Finding
from ncnet.estimates import all_of, estimates_in

RUNS = {"correct": 32, "solved": 50}
"""Replicas in a run, by how an outcome is read."""
SIZES = (4, 8)
"""Hidden sizes beyond the critical one at which the statement is judged: just beyond, and far."""
EITHER_SIDE = 0.1
"""The smallest share of the runs that has to lie on each side of 2."""
NAMED_NOISE = {"learning_rate": 0.5, "batch_size": 1, "label_noise": 0.0}
"""The noise under which the statement is judged once more: batches of one item, which at a learning
rate are as noisy as batches can be."""


def judge(rows: pd.DataFrame, **row_of: object) -> Finding:
    """Return what the rule says of the one row that has these values.

    Parameters
    ----------
    rows
        As `ncnet.studies.capacity.analysis.scatter` makes them.
    row_of
        The values of columns that tell the row.

    Examples
    --------
    >>> rows = pd.DataFrame({"hidden_size": [4], "spread": 0.02, "above": 0.4, "below": 0.5})
    >>> ends = {f"{name}_{end}": rows[name] for name in rows for end in ("low", "high")}
    >>> judge(rows.assign(**ends), hidden_size=4).holds
    False
    """
    row = claims.row_where(rows, **row_of)
    [spread], *sides = (estimates_in(row, name) for name in ("spread", "below", "above"))
    either = (share.beyond(EITHER_SIDE) for [share] in sides)
    holds = all_of(spread.beyond(MARGIN), *either)
    below, above = (f"{100 * share.value:.0f} %" for [share] in sides)
    reason = f"{below} of the runs lie below 2 and {above} above" if spread.beyond(MARGIN) else ""
    return Finding(holds, spread, "" if holds else reason)


def fluctuates(size: int, readout: str, run: int) -> Claim:
    """Return the claim that S fluctuates around 2 at a hidden size.

    Parameters
    ----------
    size, readout, run
        Hidden units, how an outcome is read, and the replicas in a run.

    Examples
    --------
    >>> fluctuates(4, "correct", 32).label
    'fluctuates, n = 4'
    """
    what, ending = ("fluctuates", "") if readout == "correct" else (readout, f"-{readout}")
    return Claim(
        f"fluctuates-at-{size}{ending}",
        f"{what}, n = {size}",
        "With more capacity S fluctuates around 2: in runs "
        f"of {run} networks a context, read as {readout}, of {size} hidden units.",
        claims.ABSTRACT,
        estimand=f"the standard deviation of S over runs of {run} replicas",
        smallest=f"{MARGIN}, and {EITHER_SIDE:.0%} of the runs on either side of 2",
        region=claims.beyond(MARGIN),
        rule=f"At {size} hidden units, with the readout `{readout}`, S of runs of {run} replicas "
        f"has a standard deviation beyond {MARGIN}, and more than {EITHER_SIDE:.0%} of the runs "
        "lie above 2 and as many below. It does not hold where one of the three is refuted. The "
        "deviation is that of single replicas over the root of their number in a run; its interval "
        "bets on pairs of replicas. Those of the shares are binomial.",
        result="scatter",
        evidence="notebooks/rq3",
        find=partial(judge, hidden_size=size, readout=readout),
        rows=("hidden_size", "readout"),
    )


def fluctuates_in_batches(size: int, readout: str, run: int) -> Claim:
    """Return the claim that S fluctuates around 2 under `NAMED_NOISE`; see `fluctuates`.

    >>> fluctuates_in_batches(4, "solved", 50).label
    'solved, batches, n=4'
    """
    still = fluctuates(size, readout, run)
    where = f"n = {size}" if readout == "correct" else f"n={size}"
    return replace(
        still,
        name=f"{still.name}-in-batches",
        label=f"{'' if readout == 'correct' else f'{readout}, '}batches, {where}",
        statement=f"{still.statement.removesuffix('.')}, trained in batches of one item.",
        rule=f"Trained in batches of one item, which was fixed beforehand. {still.rule}",
        result="noise_scatter",
        evidence="notebooks/rq3_multiverse",
        find=partial(judge, hidden_size=size, readout=readout, **NAMED_NOISE),
        rows=(*still.rows, *NAMED_NOISE),
    )


CLAIMS = tuple(
    claim(size, readout, run)
    for claim in (fluctuates, fluctuates_in_batches)
    for readout, run in RUNS.items()
    for size in SIZES
)
