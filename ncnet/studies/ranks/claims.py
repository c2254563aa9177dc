"""State what is claimed of real models, and judge it by rules.

The rules read contrasts (`ncnet.studies.ranks.contrasts`) of quartets of tasks in place of games.
They were written for runs of named quartets and doses that are still to be made, after runs of
MiniLM, which stands in for BERT, had been seen under other rules. Until then they are read on those
runs: found afterwards.
"""

import pandas as pd

from ncnet.chsh import CLASSICAL_BOUND
from ncnet.claims import MARGIN, REVIEW, SUMMARIES, Claim, Finding, row_where, rows_where
from ncnet.estimates import any_of, estimates_in, largest, returns_to_0

MIXED = TOGETHER, APART, TWICE = (
    "mixed_hard_together",
    "mixed_hard_apart",
    "mixed_hard_twice",
)
"""Quartets of mixed tasks: the hard ones meet in the context with the minus sign; they are one
party's; they meet there, and are trained on twice as many items."""
LANGUAGES = ("languages", "languages_ja")
"""Quartets of one task in four languages."""
OF_S, FROM_HEADS, BEYOND_LOWEST = "S", "rise from heads alone", "rise from the lowest rank"
DIFFICULTY, BALANCE = "difficulty", "balance"
"""How the names of contrasts begin in the table ``lora_contrasts``."""
DOSES_OF_DIFFICULTY = (
    {1.0: 1, 0.0: -1},
    {0.5: 1, 0.0: -1 / 2, 1.0: -1 / 2},
)
"""Contrasts of a run in doses, as weights of S by the share of training labels that are shuffled:
the last dose less the first, and the middle one less the mean of both."""
DOSES_OF_BALANCE = ({1.0: 1, 0.25: -1 / 2, 4.0: -1 / 2},)
"""The same by the ratio of training items of one task to those of the other: equally many less the
mean of the ends."""


def _rises(contrast: str, rows: pd.DataFrame) -> Finding:
    [rise] = estimates_in(row_where(rows, contrast=contrast), "s")
    return Finding(rise.beyond(MARGIN), rise)


def _passes_2_at_low_rank(rows: pd.DataFrame) -> Finding:
    s = [one - CLASSICAL_BOUND for one in estimates_in(rows_where(rows, "contrast", OF_S), "s")]
    return Finding(returns_to_0(s, MARGIN), largest(s[:-1]))


def _depends_on(contrast: str, rows: pd.DataFrame) -> Finding:
    of_kind = rows[rows["contrast"].str.startswith(contrast)]
    found = estimates_in(rows_where(of_kind, "rank", of_kind["rank"].min()), "s")
    farthest = max(found, key=lambda one: abs(one.value))
    return Finding(any_of(*(one.apart(MARGIN) for one in found)), farthest)


_REAL_MODELS = {
    "result": "lora_contrasts",
    "evidence": "notebooks/rq3_lora",
    "rows": ("rank", "contrast"),
    "kind": "quartet",
    "left_out": True,
    "afterwards": True,
}
_OF_RANKS = (
    "Intervals are the wider of two: of the mean, replicas and items being resampled, and of the "
    "median over replicas, which is exact."
)
CLAIMS = (
    Claim(
        "multilingual-rises-from-heads-alone",
        "adapters raise it",
        "In multilingual training of a language model S rises with the rank of its adapters: from "
        "the heads alone to the largest rank.",
        REVIEW,
        estimand="S at the largest rank less S at rank 0, the heads alone",
        smallest=f"{MARGIN}",
        rule=f"S rises by more than {MARGIN}, by differences within replicas. It does not hold "
        f"where it rises by less. {_OF_RANKS}",
        find=lambda rows: _rises(FROM_HEADS, rows),
        among=LANGUAGES,
        **_REAL_MODELS,
    ),
    Claim(
        "multilingual-rises-with-rank",
        "rank raises it",
        "In multilingual training of a language model S rises with the rank of its adapters: from "
        "the lowest rank to the largest.",
        REVIEW,
        estimand="S at the largest rank less S at the lowest rank above 0",
        smallest=f"{MARGIN}",
        rule=f"S rises by more than {MARGIN}, by differences within replicas. It does not hold "
        "where it rises by less: then it is having adapters at all that raises S, not their rank. "
        f"{_OF_RANKS}",
        find=lambda rows: _rises(BEYOND_LOWEST, rows),
        among=LANGUAGES,
        **_REAL_MODELS,
    ),
    Claim(
        "mixed-passes-2-at-low-rank",
        "low rank passes 2",
        "With mixed tasks S passes 2 at low rank and tends to 2 as the rank grows.",
        SUMMARIES,
        estimand="the largest S at a rank above 0 and below the largest, less 2",
        smallest=f"{MARGIN}, and {MARGIN} to either side at the largest rank",
        rule=f"At such a rank S is more than {MARGIN} above 2, and at the largest it is within "
        f"{MARGIN} of 2: the rule of hidden units, read over ranks. It does not hold where one of "
        f"the two is refuted. {_OF_RANKS} They hold together over the ranks above 0.",
        find=_passes_2_at_low_rank,
        among=MIXED[:2],
        **_REAL_MODELS,
    ),
    Claim(
        "mixed-depends-on-difficulty",
        "difficulty matters",
        "Whether S passes 2 with mixed tasks depends on their difficulty.",
        REVIEW,
        estimand="S less S of the same replicas at another difficulty",
        smallest=f"{MARGIN}, to either side",
        rule="At the lowest rank above 0, named beforehand, a share of the training labels of the "
        "two tasks with the minus sign is shuffled, in five doses from none to all. S at the last "
        "dose less S at the first, or S at the middle one less the mean of both, is further than "
        f"{MARGIN} from 0, both intervals together. It does not hold where both are nearer. Until "
        "these runs are made, it is read on recorded ones: S where the two hard tasks meet in the "
        f"context with the minus sign less S where they are one party's. {_OF_RANKS}",
        find=lambda rows: _depends_on(DIFFICULTY, rows),
        among=MIXED[:1],
        **_REAL_MODELS,
    ),
    Claim(
        "mixed-depends-on-balance",
        "balance matters",
        "Whether S passes 2 with mixed tasks depends on their balance.",
        REVIEW,
        estimand="S less S of the same replicas at another balance",
        smallest=f"{MARGIN}, to either side",
        rule="At the lowest rank above 0, named beforehand, the ratio of the training items of one "
        "task to those of the other goes from a quarter to four. S at equally many less the mean "
        "of S at both ends "
        f"is further than {MARGIN} from 0. It does not hold where it is nearer. Until these runs "
        "are made, it is read on recorded ones: S with equally many training items a task less S "
        f"with twice as many for the two hard tasks. {_OF_RANKS}",
        find=lambda rows: _depends_on(BALANCE, rows),
        among=MIXED[:1],
        **_REAL_MODELS,
    ),
)
