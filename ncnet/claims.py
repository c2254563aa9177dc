"""A claim is a statement of the paper with its source, and the rule that judges it.

A rule names what it estimates, the smallest effect that would matter, and the recorded table that
it reads. Of each game, quartet or condition it says that the statement holds, that it does not, or
that the table leaves it open (`ncnet.estimates`). A statement is *reproduced* where its rule holds
in all of them, *partly* where it holds in some, *not* where it holds in none and fails in one,
*open* where all are left open. All of it is under our reading of the paper.

Rules are written before the runs that they judge. Where a rule was changed after results had been
seen, it judges a run with other seeds; a claim that has no such run yet says so (`afterwards`).
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from ncnet import renamed
from ncnet.checks import check, check_choice
from ncnet.estimates import Answer, Estimate

LEVEL = 0.95
MARGIN = 0.05
"""The smallest effect on S: one as near 2 as this counts as 2. Fixed in advance."""
WEAK = 0.1
"""The smallest rank correlation: one up to this is next to none. Fixed in advance."""
GROUP = 10
"""Replicas of which one correlation is taken, so that several of them have an exact interval of
their mean. Our choice, fixed in advance."""
CRITICAL_SIZE = 3
"""The hidden units at which the paper sees the peak, by the review page."""
GAMES = ("overlap", "separate")
VERDICTS = ("reproduced", "partly", "not", "open")
REPRODUCED, PARTLY, NOT, OPEN = VERDICTS
ABSTRACT, REVIEW, SUMMARIES = "abstract", "review page", "other public summaries"
SOURCES = {ABSTRACT: "zhao2026", REVIEW: "review2026", SUMMARIES: "summaries2026"}
"""The places that a statement of the paper is known from, with their references in the book."""
Region = tuple[tuple[float, float], ...]
"""Intervals of the quantity that a rule is about."""
Tables = Mapping[str, pd.DataFrame]
"""Recorded tables by name."""


@dataclass(frozen=True)
class Finding:
    """What a rule finds in one game, quartet or condition.

    Attributes
    ----------
    holds
        True, False, or None: left open.
    estimate
        The quantity that the rule is about.
    reason
        What decides, in words, where the estimate alone does not.
    """

    holds: Answer
    estimate: Estimate
    reason: str = ""


@dataclass(frozen=True)
class Claim:
    """A statement and its rule.

    Attributes
    ----------
    name
        Short name.
    label
        The statement about S in so few words that a tile can bear them.
    statement
        The paper's statement, in our words.
    source
        Which of `SOURCES` has it.
    estimand
        What is estimated, in words.
    smallest
        The smallest effect, in words.
    region
        The same in numbers: intervals of the estimand, outside of which the statement cannot hold.
    rule
        The rule in words: when we say that the statement holds, when that it does not.
    result
        The recorded table that the rule reads, by name.
    evidence
        Page of the book that shows it.
    find
        The rule: what it finds in the rows of one game, in the order of capacity.
    rows
        The columns that tell the rows of one game apart, the capacity first.
    kind
        The column whose values the rule is asked about, one after the other; None where it is asked
        about all rows at once.
    among
        The values of that column that it is asked about.
    left_out
        True where values without rows are left out; otherwise they are an error.
    afterwards
        True where the rule was written after the runs that it is read on so far.
    """

    name: str
    label: str
    statement: str
    source: str
    estimand: str
    smallest: str
    region: Region
    rule: str
    result: str
    evidence: str
    find: Callable[[pd.DataFrame], Finding]
    rows: tuple[str, ...] = ("hidden_size",)
    kind: str | None = "game"
    among: tuple[str, ...] = GAMES
    left_out: bool = False
    afterwards: bool = False

    @property
    def cited(self) -> str:
        """Return the statement with its source."""
        return f"{self.statement.removesuffix('.')} ({self.source})."


def beyond(effect: float) -> Region:
    """Return the numbers above an effect.

    >>> beyond(0.05)
    ((0.05, inf),)
    """
    return ((effect, math.inf),)


def within(effect: float) -> Region:
    """Return the numbers nearer to 0 than an effect.

    >>> within(0.05)
    ((-0.05, 0.05),)
    """
    return ((-effect, effect),)


def apart(effect: float) -> Region:
    """Return the numbers further from 0 than an effect.

    >>> apart(0.05)
    ((-inf, -0.05), (0.05, inf))
    """
    return (below(-effect)[0], beyond(effect)[0])


def below(effect: float) -> Region:
    """Return the numbers under an effect.

    >>> below(-0.05)
    ((-inf, -0.05),)
    """
    return ((-math.inf, effect),)


def simultaneous_level(contrasts: int) -> float:
    """Return the level of each of so many intervals that hold together at `LEVEL` (Bonferroni).

    >>> round(simultaneous_level(10), 6)
    0.995
    """
    return 1 - (1 - LEVEL) / contrasts


def findings(claim: Claim, tables: Tables) -> dict[str, Finding]:
    """Return what the rule of a claim finds, by game, quartet or condition.

    Parameters
    ----------
    claim
        Of a study, such as one of `ncnet.studies.multiverse.claims.CLAIMS`.
    tables
        The recorded tables by name, with the columns `Claim.kind` and `Claim.rows`, at the choices
        of this book.

    Raises
    ------
    ValueError
        Where the claim's table or one of the games is missing, or a hidden size comes twice.

    Examples
    --------
    >>> from ncnet.studies.multiverse.claims import CLAIMS
    >>> sweep = pd.DataFrame({"game": GAMES, "s": [2.2, 1.9], "s_low": [2.1, 1.8]})
    >>> sweep = sweep.assign(hidden_size=3, s_high=sweep["s"] + 0.1)
    >>> {game: found.holds for game, found in findings(CLAIMS[1], {"multiverse": sweep}).items()}
    {'overlap': True, 'separate': False}
    """
    check_choice("table", claim.result, tables)
    parts = _parts(tables[claim.result], claim)
    return {name.replace("_", " "): claim.find(part) for name, part in parts.items()}


def verdict(claim: Claim, tables: Tables) -> str:
    """Return one of `VERDICTS`, computed from the tables as `findings` does.

    >>> from ncnet.studies.multiverse.claims import CLAIMS
    >>> sweep = pd.DataFrame({"game": GAMES, "s": [2.2, 1.9], "s_low": [2.1, 1.8]})
    >>> sweep = sweep.assign(hidden_size=3, s_high=sweep["s"] + 0.1)
    >>> verdict(CLAIMS[1], {"multiverse": sweep})
    'partly'
    """
    return verdict_on(found.holds for found in findings(claim, tables).values())


def verdict_on(answers: Iterable[Answer]) -> str:
    """Return the verdict that what a rule says of several games amounts to.

    >>> verdict_on([True, True]), verdict_on([True, None]), verdict_on([False, None])
    ('reproduced', 'partly', 'not')
    """
    answers = list(answers)
    if answers and all(answers):
        return REPRODUCED
    if True in answers:
        return PARTLY
    return NOT if False in answers else OPEN


def verdict_table(claims: Iterable[Claim], tables: Tables) -> str:
    """Return some of the statements, with their sources and verdicts, as a table of Markdown.

    >>> from ncnet.studies.multiverse.claims import CLAIMS
    >>> sweep = pd.DataFrame({"game": GAMES, "s": [2.2, 1.9], "s_low": [2.1, 1.8]})
    >>> sweep = sweep.assign(hidden_size=3, s_high=sweep["s"] + 0.1)
    >>> print(verdict_table(CLAIMS[1:2], {"multiverse": sweep}))
    | the paper says | verdict |
    |:--|:--|
    | Near a critical capacity S may exceed 2 (abstract). | **partly** |
    """
    rows = [f"| {claim.cited} | **{verdict(claim, tables)}** |" for claim in claims]
    return "\n".join(["| the paper says | verdict |", "|:--|:--|", *rows])


def rows_where(table: pd.DataFrame, column: str, value: object) -> pd.DataFrame:
    """Return the rows that have a value in a column."""
    return table[table[column] == value]


def row_where(table: pd.DataFrame, **values: object) -> pd.DataFrame:
    """Return the one row that has these values.

    Raises
    ------
    ValueError
        If there is none, or there are several.

    Examples
    --------
    >>> row_where(pd.DataFrame({"rank": [0, 1], "s": [1.5, 2.1]}), rank=1)["s"].tolist()
    [2.1]
    """
    rows = table
    for column, value in values.items():
        rows = rows_where(rows, column, value)
    named = ", ".join(f"{column.replace('_', ' ')} {value}" for column, value in values.items())
    check(len(rows) == 1, f"the table has {len(rows) or 'no'} rows with {named}", "one")
    return rows


def by_capacity(
    sweep: pd.DataFrame, game: str = "the sweep", rows: tuple[str, ...] = ("hidden_size",)
) -> pd.DataFrame:
    """Return a sweep in the order of capacity.

    Raises
    ------
    ValueError
        If it has no rows, or two for one capacity.
    """
    check(len(sweep), f"{game} has no rows", f"one for each {_words(rows[0])}")
    for row in sweep.loc[sweep.duplicated(list(rows)), list(rows)].itertuples(index=False):
        found = f"{game} has {_words(rows[0])} {', '.join(map(str, row))} twice"
        raise ValueError(f"{found}: judge one at a time")
    return sweep.sort_values(list(rows))


def _parts(table: pd.DataFrame, claim: Claim) -> dict[str, pd.DataFrame]:
    """Return the rows that a claim's rule is asked about, by the name of each part."""
    if claim.kind is None:
        return {"all": by_capacity(table, "the table", claim.rows)}
    parts = {name: rows_where(table, claim.kind, name) for name in claim.among}
    return {
        name: by_capacity(part, name, claim.rows)
        for name, part in parts.items()
        if len(part) or not claim.left_out
    }


def _words(name: str) -> str:
    """Return a name of a column or a value as words."""
    return name.replace("_", " ")


__getattr__ = renamed.names(__name__, {"at": "rows_where", "in_order": "by_capacity"})
