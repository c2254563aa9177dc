"""Asks of recorded pairs of real tasks what they tell early, and which should share a trunk.

All pairs of a family, and each task alone, were trained at the rank named beforehand and looked at
along the training. Replicas with an even number are measured, the others say what is gained, and
the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ncnet import experiment, results
from ncnet.chsh.pairs import NAMES
from ncnet.experiment.grouping import PAIR, partitions, regrets
from ncnet.studies.ranks import tables
from ncnet.studies.ranks.claims import NAMED_RANK
from ncnet.studies.ranks.families import family

MEASURES = {"s": 1, "delta": 1, "conflict": 1, "training_drop": 1, "cosine": -1, "lookahead": -1}
"""What is measured of pairs, each with the sign that it should have against what they lose."""
CHANCE, APART = "chance", "all apart"


def watched(name: str) -> pd.DataFrame:
    """Return what was seen of every pair of a family's tasks, at each look and in each replica.

    Parameters
    ----------
    name
        The family.

    Returns
    -------
    pandas.DataFrame
        The columns of `ncnet.experiment.interference`, and ``look``, the share of the steps that is
        done; of the looks so far, ``cosine`` and ``lookahead`` (the mean of both heads'), means,
        and ``conflict``, the share at which the cosine is negative.
    """
    outcomes, networks = (_rows(table, name) for table in ("real_outcomes", "real_networks"))
    parts = []
    for look, rows in outcomes.groupby("look"):
        at_end = rows.assign(look=tables.END)
        pairs = tables.from_outcome_rows(at_end, paired=family(name).paired)
        parts.append(experiment.interference(pairs.squeeze("capacity")).assign(look=look))
    networks = networks[networks["second_task"] != ""]
    seen = networks.rename(columns=dict(zip(NAMES, PAIR, strict=True)))
    seen = seen.assign(lookahead=seen[["first_lookahead", "second_lookahead"]].mean(axis=1))
    seen["conflict"] = (seen["cosine"] < 0).astype(float).where(seen["cosine"].notna())
    so_far = seen.sort_values("look").groupby([*PAIR, "replica"], observed=True)
    pulls = ["cosine", "lookahead", "conflict"]
    means = so_far[pulls].expanding().mean().reset_index(level=[0, 1, 2]).join(seen["look"])
    means[PAIR] = means[PAIR].astype(str)
    return pd.concat(parts, ignore_index=True).merge(means, on=[*PAIR, "replica", "look"])


def _rows(table: str, name: str) -> pd.DataFrame:
    rows = results.load(table).table
    return rows[(rows["family"] == name) & (rows["rank"] == NAMED_RANK)]


def _halves(rows: pd.DataFrame) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """Return which rows are measured and which judge, both ways."""
    even, odd = (rows[rows["replica"] % 2 == remainder] for remainder in (0, 1))
    return [(even, odd), (odd, even)]


def early_rows(name: str) -> pd.DataFrame:
    """Return `ncnet.experiment.early_signs` of a family, the mean of both ways to halve replicas.

    The ends of intervals are means, too: the two ways share all replicas, so that their mean is no
    surer than either.
    """
    rows = watched(name)
    both = [
        experiment.early_signs(seen, fresh[fresh["look"] == tables.END], measures=MEASURES)
        for seen, fresh in _halves(rows)
    ]
    return pd.concat(both).groupby(["measure", "look"], sort=False).mean().reset_index()


def grouping_rows(name: str) -> pd.DataFrame:
    """Return what it costs to group a family's tasks by each measure.

    Parameters
    ----------
    name
        The family.

    Returns
    -------
    pandas.DataFrame
        A row each ``measure`` and number of ``trunks``: ``regret``, by how many percentage points
        of held-out accuracy, mean over tasks, the best way to divide the tasks gains more than the
        one in which the measure is best, and ``best``, what the best way gains; means of both ways
        to halve replicas. `CHANCE` is the mean over all ways, `APART` leaves all tasks alone.
    """
    rows = watched(name)
    at_end = rows[rows["look"] == tables.END]
    tasks = len(family(name).tasks)
    found = []
    for seen, fresh in _halves(at_end):
        means = seen.groupby(PAIR).mean(numeric_only=True)
        means["delta"] = 2 * (abs(means["first_drop"]) + abs(means["second_drop"]))
        gains = -200 / tasks * fresh.groupby(PAIR)["held_out_drop"].mean().to_numpy()
        scores = {measure: -sign * means[measure].to_numpy() for measure, sign in MEASURES.items()}
        found += _costs(scores, gains, tasks)
    return pd.DataFrame(found).groupby(["measure", "trunks"], sort=False).mean().reset_index()


def _costs(
    scores: Mapping[str, np.ndarray], gains: np.ndarray, tasks: int
) -> list[dict[str, object]]:
    """Return the rows of one way to halve replicas."""
    ways, trunks = partitions(tasks)
    true = ways @ gains
    best = {count: true[trunks == count].max() for count in sorted(set(trunks.tolist()))}
    found = [
        {"measure": measure, "trunks": count, "regret": lost, "best": best[count]}
        for measure, score in scores.items()
        for count, lost in regrets(score, gains, tasks=tasks).items()
    ]
    for count in (count for count in best if count < tasks):
        lost = best[count] - true[trunks == count].mean()
        found.append({"measure": CHANCE, "trunks": count, "regret": lost, "best": best[count]})
    lost = {"measure": APART, "trunks": tasks, "regret": true.max(), "best": true.max()}
    return [*found, lost]
