"""The size of what each statement of the paper is about, beside the verdict on it.

A verdict says whether a rule holds; an effect says by how much, with its interval, for each game,
quartet or setting that the rule is asked about. Which quantity stands for a statement is our
choice. Effects read the same recorded tables as the rules, and no others.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from ncnet import claims, multiverse, results
from ncnet.checks import check_choice
from ncnet.chsh.text import interval_text, number_text

Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Estimate:
    """A number with its interval.

    Attributes
    ----------
    of
        The game, quartet or setting.
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
    """What stands for a statement, and its estimates.

    Examples
    --------
    >>> print(Effect("S at n = 3", (Estimate("overlap", 2.289, 2.274, 2.304),)))
    S at n = 3: overlap 2.29 [2.27, 2.30]
    """

    quantity: str
    estimates: tuple[Estimate, ...]

    def __str__(self) -> str:
        return f"{self.quantity}: {', '.join(map(str, self.estimates))}"


def recorded_tables() -> dict[str, pd.DataFrame]:
    """Return all recorded tables that the rules read, by name, at the choices of this book.

    Examples
    --------
    >>> claims.verdict(claims.CLAIMS["exceeds-2"], recorded_tables())
    'reproduced'
    """
    tables = {claim.result: results.load(claim.result).table for claim in claims.CLAIMS.values()}
    specifications = tables["multiverse"]
    return tables | {"multiverse": specifications[multiverse.has_our_choices(specifications)]}


def effect(name: str, tables: Tables) -> Effect:
    """Return the effect that belongs to a statement.

    Parameters
    ----------
    name
        One of `ncnet.claims.CLAIMS`.
    tables
        The recorded tables by name, as `ncnet.claims.verdict` takes them.

    Raises
    ------
    ValueError
        For a statement that there is not.

    Examples
    --------
    >>> row = {"hidden_size": 3, "s": 2.29, "s_low": 2.27, "s_high": 2.3}
    >>> sweep = pd.DataFrame([row | {"game": game} for game in claims.GAMES])
    >>> print(effect("exceeds-2", {"multiverse": sweep}))
    S at n = 3: overlap 2.29 [2.27, 2.30], separate 2.29 [2.27, 2.30]
    """
    check_choice("statement", name, _EFFECTS)
    return _EFFECTS[name](tables)


def _estimates(rows: pd.DataFrame, of: str, value: str, ends: str | None = None) -> tuple:
    """Return an estimate for each row, named by the column `of`; `ends` begins its interval's."""
    low, high = (f"{ends}_{end}" if ends else end for end in ("low", "high"))
    names = (_in_words(name) for name in rows[of])
    return tuple(map(Estimate, names, rows[value], rows[low], rows[high]))


def _in_words(name: str) -> str:
    return name.removeprefix("mixed_").replace("_", " ")


def _at(table: pd.DataFrame, capacity: str, value: float) -> pd.DataFrame:
    return table[table[capacity] == value]


def _at_size(tables: Tables, size: int) -> Effect:
    return Effect(f"S at n = {size}", _s(_at(tables["multiverse"], "hidden_size", size)))


def _at_smallest(tables: Tables) -> Effect:
    return _at_size(tables, tables["multiverse"]["hidden_size"].min())


def _at_critical(tables: Tables) -> Effect:
    return _at_size(tables, claims.CRITICAL_SIZE)


def _at_largest(tables: Tables) -> Effect:
    return _at_size(tables, tables["multiverse"]["hidden_size"].max())


def _at_best_other(tables: Tables) -> Effect:
    sweep = tables["multiverse"]
    others = sweep[sweep["hidden_size"] != claims.CRITICAL_SIZE]
    best = others.loc[others.groupby("game")["s"].idxmax()]
    at = ", ".join(f"n = {n}" for n in sorted(set(best["hidden_size"])))
    return Effect(f"largest S elsewhere (at {at})", _s(best))


def _unexplained(tables: Tables) -> Effect:
    at = _at(tables["capacity"], "hidden_size", claims.CRITICAL_SIZE)
    estimates = _estimates(at, "game", "contextuality", "contextuality")
    return Effect(f"S - Δ - 2 at n = {claims.CRITICAL_SIZE}", estimates)


def _without_conflict(tables: Tables) -> Effect:
    at = _at(tables["interventions"], "hidden_size", claims.CRITICAL_SIZE)
    at = at[at["intervention"] == _NO_CONFLICT]
    return Effect(f"S with the conflict taken out ({_NO_CONFLICT})", _s(at))


def _without_oscillation(tables: Tables) -> Effect:
    at = _at(tables["sensing"], "hidden_size", claims.CRITICAL_SIZE)
    at = at[at["use"] == claims.WITHOUT_OSCILLATION]
    return Effect("AUC where no loss ever rises", _estimates(at, "game", "auc", "auc"))


def _rise_with_rank(tables: Tables) -> Effect:
    table = tables["lora"]
    last = _at(table, "rank", table["rank"].max())
    languages = last[last["quartet"].isin(claims.LANGUAGES)]
    lowest = table.loc[table["rank"] > 0, "rank"].min()
    rises = [
        estimate
        for start, rise in ((0, "rise"), (lowest, "rise_with_rank"))
        for estimate in _estimates(
            languages.assign(start=languages["quartet"] + f" (from rank {start:.0f})"),
            "start",
            rise,
            rise,
        )
    ]
    return Effect("S gained up to the largest rank", tuple(rises))


def _of_two_quartets(tables: Tables) -> Effect:
    return _largest_of_mixed(tables["lora"], claims.MIXED[:2])


def _of_all_quartets(tables: Tables) -> Effect:
    return _largest_of_mixed(tables["lora"], claims.MIXED)


def _largest_of_mixed(table: pd.DataFrame, quartets: tuple[str, ...]) -> Effect:
    adapted = table[table["rank"] > 0]
    largest = adapted.loc[adapted.groupby("quartet")["s"].idxmax()]
    largest = largest.set_index("quartet").loc[list(quartets)].reset_index()
    ranks = largest["rank"].map(" (rank {:.0f})".format)
    return Effect(
        "largest S over the ranks", _s(largest.assign(of=largest["quartet"] + ranks), "of")
    )


def _correlation(tables: Tables) -> Effect:
    table = tables["generalization"]
    rows = table[
        (table["target"] == "held_out_accuracy")
        & (table["measure"] == "spearman")
        & (table["part"] == "up to 2")
    ]
    return _extremes("rank correlation", _estimates(rows, "setting", "estimate"))


def _points_lost(tables: Tables) -> Effect:
    table = tables["first_at_2"]
    rows = table[table["target"] == "held_out_accuracy"]
    columns = ["regret", "regret_low", "regret_high"]
    rows = rows.assign(**{name: 100 * rows[name] for name in columns})
    return _extremes("percentage points lost", _estimates(rows, "setting", "regret", "regret"))


def _extremes(quantity: str, estimates: tuple[Estimate, ...]) -> Effect:
    """Keep the smallest and the largest of many, and say of how many they are."""
    ordered = sorted(estimates, key=lambda estimate: estimate.value)
    ends = (ordered[0], ordered[-1])
    return Effect(f"{quantity}, smallest and largest of {len(estimates)} settings", ends)


def _s(rows: pd.DataFrame, of: str = "game") -> tuple[Estimate, ...]:
    return _estimates(rows, of, "s", "s")


_NO_CONFLICT = "PCGrad"
_EFFECTS: dict[str, Callable[[Tables], Effect]] = {
    "rises-to-2": _at_smallest,
    "exceeds-2": _at_critical,
    "peak-at-3": _at_best_other,
    "returns-to-2": _at_largest,
    "above-2-suffices": _unexplained,
    "competition-causes": _without_conflict,
    "oscillation-senses": _without_oscillation,
    "multilingual-rises-with-rank": _rise_with_rank,
    "mixed-passes-2-at-low-rank": _of_two_quartets,
    "mixed-depends-on-difficulty-and-balance": _of_all_quartets,
    "generalization-correlates": _correlation,
    "first-2-generalizes": _points_lost,
}
