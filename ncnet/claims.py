"""The paper's statements, each with its source, the rule that judges it and what it reads.

A rule reads the table of one game: a row a capacity. The intervals of S in the table `multiverse`
are simultaneous, at 95 % together (`simultaneous_level`), so that a rule may compare any of them. A
statement is *reproduced* where its rule holds in both games of this book, *partly* where it holds
in one, or in part, *not* where it fails in both or fails in one and is left open by the other, *not
testable here* where both leave it open; likewise over all quartets or settings that it is about.
All of it is under our reading of the paper. Rules are written before the recorded training that
they judge, though after a first sweep over capacity had been seen. The two rules on the mechanism
were changed after first runs, and judge one with a new seed: the notebook `rq2` says how. Those on
real models read quartets of tasks in place of games, a row a rank; they were written after a trial
with two replicas, and are about MiniLM, which stands in for BERT. Those on generalization read
settings, and were written after a trial with another seed and at most 64 replicas a capacity, in
which items and steps were chosen; the second of them was made stricter after a first run, and
judges one with new seeds and a larger network more: the notebook `rq4` says how.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from ncnet.checks import check_choice
from ncnet.chsh import CLASSICAL_BOUND

LEVEL = 0.95
MARGIN = 0.05
"""How near 2 counts as 2; fixed in advance."""
CRITICAL_SIZE = 3
"""Hidden units at which, by the review page, the paper sees the peak."""


GAMES = ("overlap", "separate")
MIXED = ("mixed_hard_together", "mixed_hard_apart", "mixed_hard_twice")
"""Quartets of mixed tasks: the hard ones meet in the context with the minus sign; they are one
party's; they meet there, and are trained on twice as many items."""
LANGUAGES = ("languages", "languages_ja")
SETTINGS = (
    "overlap, 64 items",
    "separate, 64 items",
    "hard_together, 128 items",
    "hard_apart, 128 items",
    "middling, 128 items",
    "hard_together, 256 items",
    "hard_together, 128 items, 10 % flipped",
)
"""What the statements on generalization are asked about: noisy XORnet games, and quartets of tasks
on digits (`ncnet.samples`)."""
CLOSE = 0.02
"""Share of held-out items by which a capacity that generalizes well may fall short of the best."""
WEAK = 0.1
"""Rank correlation up to which a correlation is next to none."""
PARTLY = "partly"
VERDICTS = ("reproduced", PARTLY, "not", "not testable here")
ABSTRACT, REVIEW, SUMMARIES = "abstract", "review page", "other public summaries"
SOURCES = {ABSTRACT: "zhao2026", REVIEW: "review2026", SUMMARIES: "summaries2026"}
"""Where a statement of the paper is known from, with the key of its reference in the book."""
Holds = bool | str | None
"""What a rule says of one game: whether it holds, `PARTLY`, or None where it is left open."""


@dataclass(frozen=True)
class Claim:
    """A statement and its rule.

    Attributes
    ----------
    name
        Short name.
    label
        What it says of S, in so few words that a tile can bear them.
    statement
        What the paper says, in our words.
    source
        Which of `SOURCES` has it.
    rule
        When we say that it holds.
    result
        The recorded table that the rule reads, by name.
    evidence
        Page of the book that shows it.
    holds
        The rule, for the table of one game in the order of capacity: whether the statement holds,
        `PARTLY`, or None where the table leaves it open.
    rows
        The columns that tell the rows of one game apart, the capacity first.
    games
        Which the rule is asked about, one after the other: values of the column ``game``,
        ``quartet`` or ``setting``; of quartets, those that were not run are left out. None: about
        all rows at once.
    """

    name: str
    label: str
    statement: str
    source: str
    rule: str
    result: str
    evidence: str
    holds: Callable[[pd.DataFrame], Holds]
    rows: tuple[str, ...] = ("hidden_size",)
    games: tuple[str, ...] | None = GAMES

    @property
    def cited(self) -> str:
        """The statement with its source.

        >>> CLAIMS["peak-at-3"].cited
        'S peaks at the critical capacity, three hidden units (review page).'
        """
        return f"{self.statement.removesuffix('.')} ({self.source})."


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


def _suffices(sweep: pd.DataFrame) -> bool | None:
    above = sweep.loc[sweep["verdict"] == "above 2", "explanation"]
    if (above == "within 2 + Delta").any():
        return False
    return True if len(above) and (above == "contextual").all() else None


WITHOUT_COMPETITION = {
    "separate, n each": "each head with a trunk of its own",
    "λ = 0": "Bob's gradient stopped before the trunk",
    "PCGrad": "the conflicting parts of both gradients taken out",
}
"""Three ways to take the competition away, of which each has to lower S: the sharing itself, one of
the competitors, and only the conflict."""
WITHOUT_OSCILLATION = "whole, PCGrad, small steps"
"""The whole trace of trainings in which no head's loss ever rises."""
OSCILLATIONS = ("fast", "rises")
"""Two readings of it, as in `ncnet.mechanism.trend`; the rule holds where one of them does."""


def _competition_causes(interventions: pd.DataFrame) -> Holds:
    at = _at_the_critical_size(interventions, "intervention")
    for name in ("shared", *WITHOUT_COMPETITION):
        check_choice("intervention", name, at.index)
    if at.loc["shared", "verdict"] != "above 2":
        return None
    without = at.loc[list(WITHOUT_COMPETITION)]
    if not (without["s_change_high"] < 0).all():
        return False
    gone = without["s_high"] <= CLASSICAL_BOUND + MARGIN
    return True if gone.all() else PARTLY


def _oscillation_senses(sensing: pd.DataFrame) -> Holds:
    at = _at_the_critical_size(sensing, "use")

    alone = {reading: f"oscillation ({reading})" for reading in OSCILLATIONS}
    without = {reading: f"without oscillation ({reading})" for reading in OSCILLATIONS}
    for use in ("whole", WITHOUT_OSCILLATION, *alone.values(), *without.values()):
        check_choice("use", use, at.index)
    if at.loc[["whole", *alone.values()], "p_value"].isna().any():
        return None

    def decodes(use: str, tests: int) -> bool:
        row = at.loc[use]
        return bool(row["auc_low"] > 0.5 and row["p_value"] <= (1 - LEVEL) / tests)

    carries = [
        decodes(alone[reading], len(OSCILLATIONS)) and at.loc[without[reading], "lost_low"] > 0
        for reading in OSCILLATIONS
    ]
    if not (decodes("whole", 1) and any(carries)):
        return False
    return True if at.loc[WITHOUT_OSCILLATION, "auc_low"] <= 0.5 else PARTLY


def _rises_with_rank(sweep: pd.DataFrame) -> Holds:
    last = sweep.iloc[-1]
    falls = (sweep["s_high"] < sweep["s_low"].cummax()).any()
    if falls or last["rise_low"] <= 0:
        return False
    return True if last["rise_with_rank_low"] > 0 else PARTLY


def _passes_2_at_low_rank(sweep: pd.DataFrame) -> Holds:
    low = sweep[(sweep["rank"] > 0) & (sweep["rank"] < sweep["rank"].max())]
    passes = low[low["s_low"] > CLASSICAL_BOUND]
    if passes.empty:
        return False
    last = sweep.iloc[-1]
    near = last["s_low"] <= CLASSICAL_BOUND + MARGIN and last["s_high"] >= CLASSICAL_BOUND - MARGIN
    return True if near and last["s"] < passes["s"].max() else PARTLY


def _depends_on_difficulty_and_balance(table: pd.DataFrame) -> Holds:
    together, apart, twice = MIXED
    depends = [_differ(table, together, other) for other in (apart, twice)]
    if all(depends):
        return True
    if any(depends):
        return PARTLY
    return None if None in depends else False


def _differ(table: pd.DataFrame, *quartets: str) -> bool | None:
    """Return whether one of two quartets passes 2 and the other does not, or None if undecided."""
    sweeps = [table[table["quartet"] == name].set_index("rank") for name in quartets]
    passes = [sweep["s_low"] > CLASSICAL_BOUND for sweep in sweeps]
    if all(ranks.any() for ranks in passes):
        return False
    for above, sweep, other in zip(passes, sweeps, reversed(sweeps), strict=True):
        beside = other["s_high"].reindex(sweep.index)
        if (sweep["s_low"] > beside)[above].any():
            return True
    return None


def _correlates(table: pd.DataFrame) -> Holds:
    low, high = _of_held_out_accuracy(
        table[(table["measure"] == "spearman") & (table["part"] == "up to 2")], "low", "high"
    )
    if low > 0:
        return True
    return False if high < WEAK else None


def _first_at_2_generalizes(table: pd.DataFrame) -> Holds:
    names = ("regret_low", "regret_high", "best_capacity", "largest_capacity")
    low, high, best, largest = _of_held_out_accuracy(table, *names)
    if low > CLOSE:
        return False
    # Where the largest is the best, a larger one might be better still.
    return True if high <= CLOSE and best < largest else None


def _of_held_out_accuracy(table: pd.DataFrame, *columns: str) -> list[float]:
    rows = table[table["target"] == "held_out_accuracy"]
    if len(rows) != 1:
        raise ValueError(f"the table has {len(rows)} rows for held-out accuracy: expected 1")
    return rows[list(columns)].iloc[0].tolist()


def _at_the_critical_size(table: pd.DataFrame, rows: str) -> pd.DataFrame:
    at = table[table["hidden_size"] == CRITICAL_SIZE]
    if at.empty:
        raise ValueError(f"the table has no hidden size {CRITICAL_SIZE}: the rule reads it")
    return at.set_index(rows)


_REAL_MODELS = {"result": "lora", "evidence": "notebooks/rq3_lora", "rows": ("rank",)}
_GENERALIZATION = {
    "source": ABSTRACT,
    "evidence": "notebooks/rq4",
    "games": SETTINGS,
}
_SWEEP = {"result": "multiverse", "evidence": "notebooks/rq3_multiverse"}
_CLAIMS = (
    Claim(
        "rises-to-2",
        "rises to 2",
        "With few resources S is below 2 and rises towards it as they grow.",
        ABSTRACT,
        rule="S lies below 2 at the smallest capacity; at some capacity its interval lies above "
        f"{CLASSICAL_BOUND - MARGIN:.2f}; and up to the first such capacity no interval lies "
        "below that of a smaller capacity.",
        holds=_rises_to_2,
        **_SWEEP,
    ),
    Claim(
        "exceeds-2",
        "exceeds 2",
        "Near a critical capacity S may exceed 2.",
        ABSTRACT,
        rule="At some capacity the interval of S lies above 2.",
        holds=_exceeds_2,
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
        **_SWEEP,
    ),
    Claim(
        "above-2-suffices",
        "means non-classical",
        "S above 2 is sufficient for non-classical statistics.",
        REVIEW,
        rule="Where S is above 2 (95 % interval and exact test), the change of the marginals does "
        "not explain it: S - Delta is above 2 as well. One capacity with S above 2 and the "
        "interval of S - Delta - 2 not above 0 refutes it; where S is nowhere above 2, or "
        "S - Delta - 2 is undecided, it stays open.",
        result="capacity",
        evidence="notebooks/rq6",
        holds=_suffices,
    ),
    Claim(
        "competition-causes",
        "conflict causes it",
        "The competition of the heads' gradients on shared units causes S above 2.",
        ABSTRACT,
        rule="At three hidden units, where S of the shared trunk is above 2 (or else it stays "
        "open), each of three ways to take the competition away takes the excess away: S falls, on "
        "the same initial weights, with the interval of its change clear of 0, and the interval "
        f"of S ends below {CLASSICAL_BOUND + MARGIN:.2f}. They are a trunk for each head, Bob's "
        "gradient stopped before the trunk, and PCGrad, which leaves the trunk shared and takes "
        "only the conflicting parts out of the gradients. In part only, where each lowers S but "
        "not each takes the excess away. The intervals of the change hold together over all "
        "interventions at 95 %.",
        result="interventions",
        evidence="notebooks/rq2",
        holds=_competition_causes,
        rows=("hidden_size", "intervention"),
    ),
    Claim(
        "oscillation-senses",
        "heads sense tasks",
        "A head senses the other's task through oscillations of its own loss.",
        ABSTRACT,
        rule="At three hidden units Bob's setting can be told from Alice's whole loss trace (AUC "
        "above 0.5 with its interval, permutation test at 5 %); it can be told from the "
        "oscillation alone; and without the oscillation it is told less well, the loss of AUC "
        "clear of 0. The last two in one of two readings of oscillation, intervals and tests "
        "together at 95 %: what repeats within ten steps, or the height of the loss above its "
        "lowest value so far. In part only, if it can also be told (AUC above 0.5 with its "
        "interval) from trainings in which no head's loss ever rises (PCGrad with a tenth of the "
        "learning rate).",
        result="sensing",
        evidence="notebooks/rq2",
        holds=_oscillation_senses,
        rows=("hidden_size", "use"),
    ),
    Claim(
        "multilingual-rises-with-rank",
        "rises with rank",
        "In multilingual training of a language model S rises with the rank of its adapters.",
        REVIEW,
        rule="From the heads alone (rank 0) to the largest rank S rises, on the same replicas and "
        "items, with the interval of its change clear of 0, and no rank's interval of S lies below "
        "that of a smaller rank. In part only, where S does not rise so from the smallest rank "
        "above 0 on: then it is having adapters at all that raises S, not their rank. Intervals "
        "hold together over ranks at 95 %; they resample replicas and items, or bet where fewer "
        "than ten replicas differ from the most frequent value.",
        holds=_rises_with_rank,
        games=LANGUAGES,
        **_REAL_MODELS,
    ),
    Claim(
        "mixed-passes-2-at-low-rank",
        "low rank passes 2",
        "With mixed tasks S passes 2 at low rank and tends to 2 as the rank grows.",
        SUMMARIES,
        rule="At a rank above 0 and below the largest the interval of S lies above 2; at the "
        f"largest rank it comes within {MARGIN} of 2, and S is smaller there. In part only, where "
        "S passes 2 but does not come back. Intervals as for the statement before.",
        holds=_passes_2_at_low_rank,
        games=MIXED[:2],
        **_REAL_MODELS,
    ),
    Claim(
        "mixed-depends-on-difficulty-and-balance",
        "difficulty matters",
        "Whether S passes 2 with mixed tasks depends on their difficulty and balance.",
        REVIEW,
        rule="Difficulty: of the same four tasks, one assignment passes 2 (the interval of S "
        "lies above 2 at some rank) and the other nowhere does, and at such a rank its interval "
        "lies below. The two hard tasks meet in the context with the minus sign, or are both one "
        "party's. Balance: the same between equally many training items a task and twice as many "
        "for the two hard ones. In part only, where one of the two decides it; not, where both "
        "sides of both comparisons pass 2; open otherwise. Intervals as before.",
        holds=_depends_on_difficulty_and_balance,
        games=None,
        **{**_REAL_MODELS, "rows": ("rank", "quartet")},
    ),
    Claim(
        "generalization-correlates",
        "goes with accuracy",
        "Where capacity is insufficient S and generalization are positively correlated.",
        rule="Over replicas, within a capacity: Spearman's correlation of S of the training items "
        "with held-out accuracy, averaged over the capacities up to the one at which S first "
        "reaches 2 (its mean is at least 1.95, on other replicas), has an interval above 0. It "
        f"fails where the interval ends below {WEAK}; else it stays open. Intervals hold together "
        "over the settings at 95 %, and are bootstrapped through the choice of the capacity.",
        result="generalization",
        holds=_correlates,
        rows=("target", "measure", "part", "capacity"),
        **_GENERALIZATION,
    ),
    Claim(
        "first-2-generalizes",
        "first 2 generalizes",
        "The capacity at which S first reaches 2 often generalizes well.",
        rule="At the smallest capacity whose mean of S is at least 1.95, found on other replicas, "
        f"held-out accuracy falls short of the best capacity's by at most {CLOSE:.0%} of the "
        "items, interval included, and the best is not the largest that was tried, or else a still "
        "larger one might be better. It fails where the whole interval lies above that. Intervals "
        "as for the statement before.",
        result="first_at_2",
        holds=_first_at_2_generalizes,
        rows=("target",),
        **_GENERALIZATION,
    ),
)
CLAIMS = {claim.name: claim for claim in _CLAIMS}
"""All statements of the paper that this book is to test."""
CAPACITY_CLAIMS = {name: claim for name, claim in CLAIMS.items() if claim.result == "multiverse"}
"""Those on S along a sweep over hidden sizes."""


def verdict(claim: Claim, tables: Mapping[str, pd.DataFrame]) -> str:
    """Return one of `VERDICTS`, computed from the tables.

    Parameters
    ----------
    claim
        One of `CLAIMS`.
    tables
        The recorded tables by name, with columns ``game`` and ``hidden_size``, at the choices of
        this book.

    Raises
    ------
    ValueError
        Where the claim's table or one of the games is missing, or a hidden size comes twice.

    Examples
    --------
    >>> sweep = pd.DataFrame({"game": ["overlap", "separate"], "s_low": [2.1, 1.8]})
    >>> verdict(CLAIMS["exceeds-2"], {"multiverse": sweep.assign(hidden_size=3)})
    'partly'
    """
    check_choice("table", claim.result, tables)
    found = [claim.holds(part) for part in _parts(tables[claim.result], claim)]
    if found and all(holds is True for holds in found):
        return "reproduced"
    if any(found):
        return PARTLY
    return "not" if False in found else "not testable here"


def _parts(table: pd.DataFrame, claim: Claim) -> list[pd.DataFrame]:
    if claim.games is None:
        return [_in_order(table, "the table", claim.rows)]
    if claim.games is GAMES:
        return [_in_order(table[table["game"] == game], game, claim.rows) for game in GAMES]
    if claim.games is SETTINGS:
        return [_in_order(table[table["setting"] == name], name, claim.rows) for name in SETTINGS]
    there = [name for name in claim.games if (table["quartet"] == name).any()]
    return [_in_order(table[table["quartet"] == name], name, claim.rows) for name in there]


def _in_order(
    sweep: pd.DataFrame, game: str = "the sweep", rows: tuple[str, ...] = ("hidden_size",)
) -> pd.DataFrame:
    if sweep.empty:
        raise ValueError(f"{game} has no rows: expected one for each {_words(rows[0])}")
    twice = sweep[sweep.duplicated(list(rows))]
    if len(twice):
        size, *which = (str(twice[name].iloc[0]) for name in rows)
        raise ValueError(
            f"{game} has {_words(rows[0])} {', '.join([size, *which])} twice: judge one at a time"
        )
    return sweep.sort_values(list(rows))


def _words(column: str) -> str:
    return column.replace("_", " ")


def verdict_table(names: Iterable[str], tables: Mapping[str, pd.DataFrame]) -> str:
    """Return some of the statements, with their sources and verdicts, as a table of Markdown.

    >>> sweep = pd.DataFrame({"game": ["overlap", "separate"], "s_low": [2.1, 1.8]})
    >>> print(verdict_table(["exceeds-2"], {"multiverse": sweep.assign(hidden_size=3)}))
    | the paper says | verdict |
    |:--|:--|
    | Near a critical capacity S may exceed 2 (abstract). | **partly** |
    """
    rows = [f"| {CLAIMS[name].cited} | **{verdict(CLAIMS[name], tables)}** |" for name in names]
    return "\n".join(["| the paper says | verdict |", "|:--|:--|", *rows])


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
        If the sweep is empty, lacks the critical size, 3, or has a hidden size twice.

    Examples
    --------
    >>> import pandas as pd
    >>> sweep = pd.DataFrame({"hidden_size": [1, 2, 3, 4], "s": [0.5, 1.8, 2.3, 2.0]})
    >>> judge(sweep.assign(s_low=sweep["s"] - 0.02, s_high=sweep["s"] + 0.02))
    {'rises-to-2': True, 'exceeds-2': True, 'peak-at-3': True, 'returns-to-2': True}
    """
    sweep = _in_order(sweep)
    return {name: claim.holds(sweep) for name, claim in CAPACITY_CLAIMS.items()}
