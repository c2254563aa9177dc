"""State what is claimed of real models, and judge it by rules.

The rules read contrasts (`ncnet.studies.ranks.contrasts`) of quartets of tasks in place of games,
and were written before the runs that they are read on. The quartets were named by a trial of tasks
without a partner (`ncnet.studies.ranks.families`). Full fine-tuning is not judged: at the same
learning rate it fitted some tasks of the trial less well than the largest rank did.
"""

import pandas as pd

from ncnet.chsh import CLASSICAL_BOUND
from ncnet.claims import (
    ABSTRACT,
    GROUP,
    MARGIN,
    REVIEW,
    SUMMARIES,
    WEAK,
    Claim,
    Finding,
    apart,
    beyond,
    row_where,
    rows_where,
)
from ncnet.estimates import any_of, estimates_in, largest, returns_to_0

LANGUAGES = "languages"
"""The family of one task in several languages, whose named quartet rules read."""
MIXED = "mixed"
"""The family of mixed tasks, whose named quartet rules read."""
NAMED_RANK = 1.0
"""The rank at which doses are compared."""
LARGEST_RANK = 16.0
"""The largest rank that rules read."""
OF_S, FROM_HEADS, BEYOND_LOWEST = "S", "rise from heads alone", "rise from the lowest rank"
DIFFICULTY, BALANCE = "difficulty", "balance"
"""How the names of contrasts begin in the table ``real_contrasts``."""
WITHIN, ACROSS = "within", "across"
"""Readings of a correlation: over replicas of one rank, and over ranks in a replica."""
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
    return Finding(returns_to_0(s, MARGIN), largest(s[:-1]), "this is about the encoder e5 alone")


def _depends_on(contrast: str, rows: pd.DataFrame, reason: str = "") -> Finding:
    found = estimates_in(rows[rows["contrast"].str.startswith(contrast)], "s")
    farthest = max(found, key=lambda one: abs(one.value))
    return Finding(any_of(*(one.apart(MARGIN) for one in found)), farthest, reason)


def _correlates(reading: str, rows: pd.DataFrame, reason: str = "") -> Finding:
    [correlation] = estimates_in(row_where(rows, reading=reading), "correlation")
    return Finding(correlation.beyond(WEAK), correlation, reason)


_REAL_MODELS = {
    "result": "real_contrasts",
    "evidence": "notebooks/rq3_lora",
    "rows": ("rank", "contrast"),
    "kind": "quartet",
}
_OF_TEXT = {
    "smallest": f"a rank correlation of {WEAK}",
    "region": beyond(WEAK),
    "result": "real_generalization",
    "evidence": "notebooks/rq4",
    "rows": ("reading",),
    "kind": "quartet",
    "among": (MIXED,),
}
_CORRELATED = "Where capacity is insufficient S and generalization are positively correlated"
_EXACT = (
    "The interval is exact over initialisations, with the items given. The other two tasks are not "
    "asked: heads get few of their held-out items right beyond what guessing does."
)
_MOVES = (
    "The rule asks whether S moves. That S passes 2 at one dose and not at another is not asked: "
    "it may be under 2 at all of them."
)
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
        estimand=f"S at rank {LARGEST_RANK:g}, the largest, less S at rank 0, the heads alone",
        smallest=f"{MARGIN}",
        region=beyond(MARGIN),
        rule=f"S rises by more than {MARGIN}, by differences within replicas. It does not hold "
        f"where it rises by less. {_OF_RANKS}",
        find=lambda rows: _rises(FROM_HEADS, rows),
        among=(LANGUAGES,),
        **_REAL_MODELS,
    ),
    Claim(
        "multilingual-rises-with-rank",
        "rank raises it",
        "In multilingual training of a language model S rises with the rank of its adapters: from "
        "the lowest rank to the largest.",
        REVIEW,
        estimand=f"S at rank {LARGEST_RANK:g}, the largest, less S at the lowest rank above 0",
        smallest=f"{MARGIN}",
        region=beyond(MARGIN),
        rule=f"S rises by more than {MARGIN}, by differences within replicas. It does not hold "
        "where it rises by less: then it is having adapters at all that raises S, not their rank. "
        f"{_OF_RANKS}",
        find=lambda rows: _rises(BEYOND_LOWEST, rows),
        among=(LANGUAGES,),
        **_REAL_MODELS,
    ),
    Claim(
        "mixed-passes-2-at-low-rank",
        "low rank passes 2",
        "With mixed tasks S passes 2 at low rank and tends to 2 as the rank grows.",
        SUMMARIES,
        estimand="the largest S at a rank above 0 and below the largest, less 2",
        smallest=f"{MARGIN}, and {MARGIN} to either side at the largest rank",
        region=beyond(MARGIN),
        rule=f"At such a rank S is more than {MARGIN} above 2, and at the largest it is within "
        f"{MARGIN} of 2: the rule of hidden units, read over ranks. It does not hold where one of "
        f"the two is refuted. {_OF_RANKS} They hold together over the ranks above 0.",
        find=_passes_2_at_low_rank,
        among=(MIXED,),
        **_REAL_MODELS,
    ),
    Claim(
        "mixed-depends-on-difficulty",
        "difficulty moves S",
        "With mixed tasks S depends on their difficulty.",
        REVIEW,
        estimand="S less S of the same replicas at another difficulty",
        smallest=f"{MARGIN}, to either side",
        region=apart(MARGIN),
        rule=f"At rank {NAMED_RANK:g}, named beforehand, a share of the training labels of the "
        "two tasks with the minus sign is shuffled, in five doses from none to all. S at the last "
        "dose less S at the first, or S at the middle one less the mean of both, is further than "
        f"{MARGIN} from 0, both intervals together. It does not hold where both are nearer. "
        f"{_MOVES} {_OF_RANKS}",
        find=lambda rows: _depends_on(DIFFICULTY, rows),
        among=(MIXED,),
        **_REAL_MODELS,
    ),
    Claim(
        "mixed-depends-on-balance",
        "balance moves S",
        "With mixed tasks S depends on their balance.",
        REVIEW,
        estimand="S less S of the same replicas at another balance",
        smallest=f"{MARGIN}, to either side",
        region=apart(MARGIN),
        rule=f"At rank {NAMED_RANK:g}, named beforehand, the ratio of the training items of one "
        "task to those of the other goes from a quarter to four. S at equally many less the mean "
        f"of S at both ends is further than {MARGIN} from 0. It does not hold where it is nearer. "
        f"{_MOVES} {_OF_RANKS}",
        find=lambda rows: _depends_on(
            BALANCE, rows, "the ratio also changes how often an item is seen"
        ),
        among=(MIXED,),
        **_REAL_MODELS,
    ),
    Claim(
        "text-correlates-within",
        "text: at one rank",
        f"{_CORRELATED}: over language models of one rank.",
        ABSTRACT,
        estimand="Spearman's correlation of S of the training items with the held-out accuracy of "
        f"A1 and B1, over replicas at rank {NAMED_RANK:g}",
        rule=f"Replicas are divided into groups of {GROUP}. The correlation in a group has a mean "
        f"over groups of more than {WEAK}. It does not hold where that is less. {_EXACT}",
        find=lambda rows: _correlates(WITHIN, rows),
        **_OF_TEXT,
    ),
    Claim(
        "text-correlates-across",
        "text: with the rank",
        f"{_CORRELATED}: over ranks of the adapters of a language model.",
        ABSTRACT,
        estimand="Spearman's correlation of S of the training items with the held-out accuracy of "
        f"A1 and B1, over the ranks up to {LARGEST_RANK:g}, in a replica",
        rule=f"The correlation has a mean over replicas of more than {WEAK}. It does not hold "
        f"where that is less. Two things that both follow the rank correlate so, whatever one says "
        f"of the other. {_EXACT}",
        find=lambda rows: _correlates(
            ACROSS, rows, "any two things that rise with the rank correlate"
        ),
        **_OF_TEXT,
    ),
)
