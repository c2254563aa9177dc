"""State what is claimed of real models, and judge it by rules.

The rules read quartets of tasks in place of games, a row a rank. They were written after a trial
with two replicas, and are about MiniLM, which stands in for BERT.
"""

from functools import partial

import pandas as pd

from ncnet.chsh import CLASSICAL_BOUND
from ncnet.claims import MARGIN, PARTLY, REVIEW, SUMMARIES, Claim, Effect, Holds, Tables, estimates

MIXED = ("mixed_hard_together", "mixed_hard_apart", "mixed_hard_twice")
"""Quartets of mixed tasks: the hard ones meet in the context with the minus sign; they are one
party's; they meet there, and are trained on twice as many items."""
LANGUAGES = ("languages", "languages_ja")
"""Quartets of one task in four languages."""


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
    together, *others = MIXED
    depends = [_differ(table, together, other) for other in others]
    if any(depends):
        return True if all(depends) else PARTLY
    return None if None in depends else False


def _differ(table: pd.DataFrame, *quartets: str) -> bool | None:
    """Return whether one of two quartets passes 2 and the other does not, or None if undecided."""
    ends = table.pivot(index="rank", columns="quartet", values=["s_low", "s_high"])
    low, high = (ends[end].reindex(columns=quartets) for end in ("s_low", "s_high"))
    passes = low > CLASSICAL_BOUND
    if passes.any().all():
        return False
    apart = passes & (low > high[[*reversed(quartets)]].to_numpy())
    return True if apart.any(axis=None) else None


def _rise_with_rank(tables: Tables) -> Effect:
    table = tables["lora"]
    last = table[(table["rank"] == table["rank"].max()) & table["quartet"].isin(LANGUAGES)]
    rises = []
    for start, rise in ((0, "rise"), (table["rank"][table["rank"] > 0].min(), "rise_with_rank")):
        names = last["quartet"] + f" (from rank {start:.0f})"
        rises += estimates(last.assign(start=names), "start", rise, rise)
    return Effect("S gained up to the largest rank", tuple(rises))


def _largest_s(quartets: tuple[str, ...], tables: Tables) -> Effect:
    table = tables["lora"]
    adapted = table[table["rank"] > 0].sort_values("s", ascending=False, kind="stable")
    largest = adapted.drop_duplicates("quartet").set_index("quartet").loc[list(quartets)]
    names = largest.index.str.removeprefix("mixed_") + largest["rank"].map(" (rank {:.0f})".format)
    return Effect("largest S over the ranks", estimates(largest.assign(of=names), "of", "s", "s"))


_REAL_MODELS = {
    "result": "lora",
    "evidence": "notebooks/rq3_lora",
    "rows": ("rank",),
    "kind": "quartet",
    "left_out": True,
}
CLAIMS = (
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
        effect=_rise_with_rank,
        among=LANGUAGES,
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
        effect=partial(_largest_s, MIXED[:2]),
        among=MIXED[:2],
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
        effect=partial(_largest_s, MIXED),
        **{**_REAL_MODELS, "kind": None, "rows": ("rank", "quartet")},
    ),
)
