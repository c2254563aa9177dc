"""What S of the training items tells of held-out items, and whether it helps to choose a capacity.

The unit is the replica. Within a capacity first: over capacities both S and accuracy grow, so that
replicas of several capacities thrown together show a correlation that says nothing of S.
"""

from ncnet.studies.generalization.correlation import across, correlations, first_at_2, pooled
from ncnet.studies.generalization.interference import (
    interference,
    interference_map,
    likeness,
    pairs_with_nothing,
    predictors,
)
from ncnet.studies.generalization.prediction import gains
from ncnet.studies.generalization.replicas import by_capacity, by_replica
from ncnet.studies.generalization.selection import RULES, regret_at_first, regrets, selections
from ncnet.studies.generalization.tables import TABLES, halves
from ncnet.studies.generalization.training import traced, trained, trained_pairs

__all__ = [
    "RULES",
    "TABLES",
    "across",
    "by_capacity",
    "by_replica",
    "correlations",
    "first_at_2",
    "gains",
    "halves",
    "interference",
    "interference_map",
    "likeness",
    "pairs_with_nothing",
    "pooled",
    "predictors",
    "regret_at_first",
    "regrets",
    "selections",
    "traced",
    "trained",
    "trained_pairs",
]
