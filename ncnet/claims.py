"""A claim is a statement of the paper with its source, the rule that judges it, and its effect.

A rule reads the table of one game: a row a capacity. The intervals of S in the table `multiverse`
are simultaneous, at 95 % together (`simultaneous_level`), so that a rule may compare any of them. A
statement is *reproduced* where its rule holds in both games of this book, *partly* where it holds
in one, or in part, *not* where it fails in both or fails in one and is left open by the other, *not
testable here* where both leave it open; likewise over all quartets or conditions that it is about.
All of it is under our reading of the paper. Rules are written before the recorded training that
they judge, though after a first sweep over capacity had been seen.

A verdict says whether a rule holds; an effect says by how much, with its interval, for each game,
quartet or condition that the rule is asked about. Which quantity stands for a statement is our
choice. Effects read the same recorded tables as the rules, and no others.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from ncnet import renamed
from ncnet.checks import check, check_choice
from ncnet.chsh.text import interval_text, number_text

LEVEL = 0.95
MARGIN = 0.05
"""An S as near 2 as this counts as 2; fixed in advance."""
CRITICAL_SIZE = 3
"""The hidden units at which the paper sees the peak, by the review page."""
GAMES = ("overlap", "separate")
PARTLY = "partly"
VERDICTS = ("reproduced", PARTLY, "not", "not testable here")
ABSTRACT, REVIEW, SUMMARIES = "abstract", "review page", "other public summaries"
SOURCES = {ABSTRACT: "zhao2026", REVIEW: "review2026", SUMMARIES: "summaries2026"}
"""The places that a statement of the paper is known from, with their references in the book."""
Tables = Mapping[str, pd.DataFrame]
"""Recorded tables by name."""
Holds = bool | str | None
"""A rule says of one game that it holds, that it does not, `PARTLY`, or None: left open."""


@dataclass(frozen=True)
class Estimate:
    """A number with its interval.

    Attributes
    ----------
    of
        The game, quartet or condition.
    value, low, high
        The number, and the interval that the rule of its statement reads.
    """

    of: str
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        digits = 2 if self.high - self.low > 0.01 else 3
        ends = interval_text((self.low, self.high), digits=digits)
        return f"{self.of} {number_text(self.value, digits)} {ends}"


@dataclass(frozen=True)
class Effect:
    """The quantity that stands for a statement, and its estimates.

    Examples
    --------
    >>> print(Effect("S at n = 3", (Estimate("overlap", 2.289, 2.274, 2.304),)))
    S at n = 3: overlap 2.29 [2.27, 2.30]
    """

    quantity: str
    estimates: tuple[Estimate, ...]

    def __str__(self) -> str:
        return f"{self.quantity}: {', '.join(map(str, self.estimates))}"


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
    rule
        The rule in words: when we say that the statement holds.
    result
        The recorded table that the rule reads, by name.
    evidence
        Page of the book that shows it.
    holds
        The rule, for the table of one game in the order of capacity: whether the statement holds,
        `PARTLY`, or None where the table leaves it open.
    effect
        A function of the recorded tables by name, which returns the size of the effect.
    rows
        The columns that tell the rows of one game apart, the capacity first.
    kind
        The column whose values the rule is asked about, one after the other; None where it is asked
        about all rows at once.
    among
        The values of that column that it is asked about.
    left_out
        True where values without rows are left out; otherwise they are an error.
    """

    name: str
    label: str
    statement: str
    source: str
    rule: str
    result: str
    evidence: str
    holds: Callable[[pd.DataFrame], Holds]
    effect: Callable[[Tables], Effect]
    rows: tuple[str, ...] = ("hidden_size",)
    kind: str | None = "game"
    among: tuple[str, ...] = GAMES
    left_out: bool = False

    @property
    def cited(self) -> str:
        """Return the statement with its source."""
        return f"{self.statement.removesuffix('.')} ({self.source})."


def simultaneous_level(capacities: int) -> float:
    """Return the level of each of so many intervals that hold together at `LEVEL` (Bonferroni).

    >>> round(simultaneous_level(10), 6)
    0.995
    """
    return 1 - (1 - LEVEL) / capacities


def verdict(claim: Claim, tables: Tables) -> str:
    """Return one of `VERDICTS`, computed from the tables.

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
    >>> sweep = pd.DataFrame({"game": ["overlap", "separate"], "s_low": [2.1, 1.8]})
    >>> verdict(CLAIMS[1], {"multiverse": sweep.assign(hidden_size=3)})
    'partly'
    """
    check_choice("table", claim.result, tables)
    judged = [claim.holds(part) for part in _parts(tables[claim.result], claim)]
    if judged and all(holds is True for holds in judged):
        return "reproduced"
    if any(judged):
        return PARTLY
    return "not" if False in judged else "not testable here"


def verdict_table(claims: Iterable[Claim], tables: Tables) -> str:
    """Return some of the statements, with their sources and verdicts, as a table of Markdown.

    >>> from ncnet.studies.multiverse.claims import CLAIMS
    >>> sweep = pd.DataFrame({"game": ["overlap", "separate"], "s_low": [2.1, 1.8]})
    >>> print(verdict_table(CLAIMS[1:2], {"multiverse": sweep.assign(hidden_size=3)}))
    | the paper says | verdict |
    |:--|:--|
    | Near a critical capacity S may exceed 2 (abstract). | **partly** |
    """
    rows = [f"| {claim.cited} | **{verdict(claim, tables)}** |" for claim in claims]
    return "\n".join(["| the paper says | verdict |", "|:--|:--|", *rows])


def rows_where(table: pd.DataFrame, column: str, value: object) -> pd.DataFrame:
    """Return the rows that have a value in a column."""
    return table[table[column] == value]


def at_critical_size(table: pd.DataFrame, column: str, *needed: str) -> pd.DataFrame:
    """Return the rows at the critical size, by the values of a column.

    Raises
    ------
    ValueError
        If there are none, or none with a value that is needed.
    """
    rows = rows_where(table, "hidden_size", CRITICAL_SIZE).set_index(column)
    check(len(rows), f"the table has no hidden size {CRITICAL_SIZE}", "it, which the rule reads")
    for value in needed:
        check_choice(column, value, rows.index)
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


def estimates(rows: pd.DataFrame, of: str, value: str, ends: str | None = None) -> tuple:
    """Return an estimate for each row, named by the column `of`; `ends` begins its interval's."""
    low, high = (f"{ends}_{end}" if ends else end for end in ("low", "high"))
    names = map(_words, rows[of])
    return tuple(map(Estimate, names, rows[value], rows[low], rows[high]))


def estimates_of_s(rows: pd.DataFrame, of: str = "game") -> tuple[Estimate, ...]:
    """Return S of each row with its interval."""
    return estimates(rows, of, "s", "s")


def _parts(table: pd.DataFrame, claim: Claim) -> list[pd.DataFrame]:
    """Return the rows that a claim's rule is asked about, one part after the other."""
    if claim.kind is None:
        return [by_capacity(table, "the table", claim.rows)]
    parts = {name: rows_where(table, claim.kind, name) for name in claim.among}
    return [
        by_capacity(part, name, claim.rows)
        for name, part in parts.items()
        if len(part) or not claim.left_out
    ]


def _words(name: str) -> str:
    """Return a name of a column or a value as words."""
    return name.replace("_", " ")


__getattr__ = renamed.names(
    __name__, {"at": "rows_where", "in_order": "by_capacity", "of_s": "estimates_of_s"}
)
