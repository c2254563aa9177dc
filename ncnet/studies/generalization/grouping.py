"""Asks which tasks should share a trunk, and whether S helps to say it.

Ten tasks on digits are divided into pairs and singles, a trunk for each: there are 9,496 ways. What
a way gains is the sum of what its pairs gain on held-out items, each task against itself alone; 45
pairs and 10 singles, trained once, price them all. A measure of pairs, taken from other replicas,
chooses the way in which its sum over pairs is largest, at a given number of trunks. Its *regret* is
by how much the best way gains more.

A set of ten tasks is the unit: thirty are drawn, and measures are compared set by set. What a
measure says of gains is a line, fitted on all sets but the one it is asked about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from ncnet.claims import LEVEL
from ncnet.estimates import Estimate, columns_of, estimates_in, hull, median_interval
from ncnet.experiment.grouping import PAIR, partitions, regrets
from ncnet.studies.generalization import interference, together
from ncnet.training import samples

TASKS = 10
"""Tasks in a set."""
HALF = TASKS // 2
"""The number of trunks at which measures are compared: half as many as tasks. Our choice."""
SIZES = (8, 2)
"""Hidden units of every trunk. Our choice: in eight nearly all is fitted, some pairs gain and
others lose; in two, those of the map of tasks, little is fitted. The second was added after a run
of the first had been seen."""
DROP, BOTH, CHANCE, APART = "drop", "drop and both wrong", "chance", "all apart"
MEASURES = {
    "S": ("s",),
    "Delta": ("delta",),
    DROP: ("training_drop",),
    BOTH: ("training_drop", "both_wrong"),
    "cosine of the pair": ("cosine",),
    "cosine, all in one": ("joint_cosine",),
    "lookahead, all in one": ("lookahead",),
    "likeness": ("likeness",),
}
"""What may choose, each with the columns that its line is fitted on."""
TRAININGS = dict.fromkeys(list(MEASURES)[:5], TASKS * (TASKS + 1) // 2)
TRAININGS |= dict.fromkeys(list(MEASURES)[5:7], 1) | {"likeness": 0, CHANCE: 0}
"""What a choice costs, in networks a replica: every pair and every task alone, or all in one."""
SMALLEST_SHARE, SMALLEST_REGRET = 0.02, 0.1
"""The smallest effects, fixed in advance: a share of the variance of gains, and percentage points
of held-out accuracy, mean over tasks."""
S_MORE = "S explains more than the drop"
MORE, LESS = ("more_explained", SMALLEST_SHARE), ("less_regret", SMALLEST_REGRET)
PREDICTED = {
    "P(both wrong) explains more than the drop alone": (BOTH, 1, *MORE, False),
    S_MORE: ("S", 1, *MORE, False),
    "the choice by S costs less than the one by the drop": ("S", 1, *LESS, False),
    "the choice by the drop costs less than one by chance": (CHANCE, -1, *LESS, True),
    "the cosine, all in one, explains less than the drop": ("cosine, all in one", -1, *MORE, True),
    "the lookahead explains less than the drop": ("lookahead, all in one", -1, *MORE, True),
    "likeness explains less than the drop": ("likeness", -1, *MORE, True),
    "the drop explains more than a quarter": (DROP, 1, "explained", 0.25, True),
}
"""What was asked of each measure, in words: its sign and column in `summary`, the smallest effect,
and the answer that was predicted."""


def draw_tasks(seed: int) -> dict[str, tuple[int, ...]]:
    """Return a set of ten tasks: each asks whether a digit is one of three to five drawn ones.

    >>> tasks = draw_tasks(1)
    >>> len(tasks), tasks["0128"]
    (10, (0, 1, 2, 8))
    """
    generator, found = np.random.default_rng([seed, TASKS]), {}
    while len(found) < TASKS:
        members = generator.choice(10, size=generator.integers(3, 6), replace=False)
        members = tuple(sorted(members.tolist()))
        # Of five digits, the other five ask the same.
        others = tuple(digit for digit in range(10) if digit not in members)
        if "".join(map(str, others)) not in found:
            found["".join(map(str, members))] = members
    return found


def train_set(
    tasks: Mapping[str, Sequence[int]],
    *,
    hidden_size: int,
    replicas: int,
    seed: int,
    steps: int,
    **items: float,
) -> pd.DataFrame:
    """Train every pair of tasks, each alone and all in one trunk; return what is seen and gained.

    Parameters
    ----------
    tasks
        The digits that are of class 1, by the name of the task.
    hidden_size
        Hidden units of every trunk.
    replicas
        Those that measures are taken from, and as many further ones that gains are.
    seed, steps, items
        As `ncnet.studies.generalization.interference.train_task_pairs` takes them.

    Returns
    -------
    pandas.DataFrame
        A row each pair: ``first``, ``second``; means over the replicas that are seen of the columns
        of `MEASURES`; ``gain``, by how many percentage points more of the held-out items are right
        than alone, mean over both tasks and the fresh replicas, and its standard error,
        ``gain_error``.

    Examples
    --------
    >>> tasks = {"odd": (1, 3, 5, 7, 9), "prime": (2, 3, 5, 7), "square": (0, 1, 4, 9)}
    >>> items = {"training": 8, "held_out": 4, "label_noise": 0.0}
    >>> rows = train_set(tasks, hidden_size=2, replicas=3, seed=0, steps=10, **items)
    >>> rows[["first", "second"]].values.tolist()
    [['odd', 'prime'], ['odd', 'square'], ['prime', 'square']]
    """
    asked = {"seed": seed, "steps": steps, "hidden_size": hidden_size}
    seen, fresh = (
        interference.train_task_pairs(
            tasks, replicas=range(first, first + replicas), **asked, **items
        )
        for first in (0, replicas)
    )
    population = samples.digits(tasks.values(), seed=seed, **items)
    pulls = together.affinities(population, list(tasks), replicas=range(replicas), **asked)
    drops = ["s", "first_drop", "second_drop", "training_drop", "both_wrong", "cosine"]
    table = seen.groupby(PAIR, sort=False)[drops].mean()
    table["delta"] = 2 * (abs(table["first_drop"]) + abs(table["second_drop"]))
    table = table.join(pulls.groupby(PAIR)[["joint_cosine", "lookahead"]].mean())
    table = table.join(interference.likeness(tasks).set_index(PAIR))
    gains = -100 * fresh.groupby(PAIR)["held_out_drop"].agg(["mean", "sem"])
    table = table.join(gains.rename(columns={"mean": "gain", "sem": "gain_error"}))
    table["gain_error"] = abs(table["gain_error"])
    kept = dict.fromkeys(name for columns in MEASURES.values() for name in columns)
    table = table.reset_index().assign(hidden_size=hidden_size)
    return table[["hidden_size", *PAIR, *kept, "gain", "gain_error"]]


def by_set(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return how well each measure tells gains, and what its choices cost, set by set.

    Parameters
    ----------
    pairs
        Rows of `train_set` of several sets, told apart by a column ``set``.

    Returns
    -------
    pandas.DataFrame
        A row each ``hidden_size``, ``set`` and ``measure``, `CHANCE` among them: ``explained``, the
        share of the variance of gains over the pairs of the set that lines fitted on the other sets
        explain;
        ``regret_5`` to ``regret_9``, by how many points of held-out accuracy, mean over tasks, the
        best way at so many trunks gains more than the chosen one, or a way drawn at random;
        ``regret_any``, the same where the number of trunks is chosen, too, and `APART`, the regret
        of leaving all tasks alone.
    """
    return pd.concat(
        [
            _by_set(rows).assign(hidden_size=size)
            for size, rows in pairs.groupby("hidden_size", sort=False)
        ],
        ignore_index=True,
    )


def _by_set(pairs: pd.DataFrame) -> pd.DataFrame:
    sets = {name: rows.reset_index(drop=True) for name, rows in pairs.groupby("set", sort=False)}
    found = []
    for name, rows in sets.items():
        others = pd.concat([other for key, other in sets.items() if key != name])
        gains = rows["gain"].to_numpy()
        for measure, columns in MEASURES.items():
            predicted = _predicted(others, rows, list(columns))
            left = gains - gains.mean() - (predicted - predicted.mean())
            row = {"set": name, "measure": measure}
            row["explained"] = 1 - (left**2).sum() / ((gains - gains.mean()) ** 2).sum()
            found.append(row | _regrets(predicted, gains))
        found.append({"set": name, "measure": CHANCE, "explained": 0.0} | _of_chance(gains))
        found.append({"set": name, "measure": APART} | _regrets_any(np.zeros(len(rows)), gains))
    return pd.DataFrame(found)


def _predicted(others: pd.DataFrame, rows: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """Return the gains that lines say, which are fitted on other sets."""
    designs = (np.column_stack([np.ones(len(table)), table[columns]]) for table in (others, rows))
    fitted, asked = designs
    weights, *_ = np.linalg.lstsq(fitted, others["gain"].to_numpy(), rcond=None)
    return asked @ weights


def _regrets(predicted: np.ndarray, gains: np.ndarray) -> dict[str, float]:
    lost = regrets(predicted, gains, tasks=TASKS)
    found = {f"regret_{trunks}": of_tasks(value) for trunks, value in lost.items()}
    return found | _regrets_any(predicted, gains)


def _regrets_any(predicted: np.ndarray, gains: np.ndarray) -> dict[str, float]:
    ways, _ = partitions(TASKS)
    thought, true = (ways @ values for values in (predicted, gains))
    return {"regret_any": of_tasks(true.max() - true[np.argmax(thought)])}


def _of_chance(gains: np.ndarray) -> dict[str, float]:
    ways, trunks = partitions(TASKS)
    true = ways @ gains
    counts = range(HALF, TASKS)
    found = {f"regret_{k}": true[trunks == k].max() - true[trunks == k].mean() for k in counts}
    found["regret_any"] = true.max() - true.mean()
    return {name: of_tasks(value) for name, value in found.items()}


def of_tasks(of_pairs: float) -> float:
    """Return a sum over pairs of means over both tasks as the mean over all tasks.

    >>> of_tasks(5.0)
    1.0
    """
    return float(2 / TASKS * of_pairs)


def summary(sets: pd.DataFrame) -> pd.DataFrame:
    """Return means over sets, and by how much each measure differs from the plain drop.

    Parameters
    ----------
    sets
        Rows of `by_set`.

    Returns
    -------
    pandas.DataFrame
        A row each ``hidden_size`` and ``measure``: its ``trainings``; ``explained``, ``regret`` at
        `HALF` trunks and ``regret_any``; ``more_explained`` and ``less_regret``, how far each is
        better than `DROP` in the same set. Each has the ends of its interval at 95 %, the wider of
        Student's of the mean and the exact one of the median over sets; and ``sets``.
    """
    return pd.concat(
        [
            _summary(rows).assign(hidden_size=size)
            for size, rows in sets.groupby("hidden_size", sort=False)
        ],
        ignore_index=True,
    )


def _summary(sets: pd.DataFrame) -> pd.DataFrame:
    wide = {
        name: sets.pivot(index="set", columns="measure", values=column)
        for name, column in (
            ("explained", "explained"),
            ("regret", f"regret_{HALF}"),
            ("regret_any", "regret_any"),
        )
    }
    compared = {
        "more_explained": wide["explained"].sub(wide["explained"][DROP], axis=0),
        "less_regret": -wide["regret"].sub(wide["regret"][DROP], axis=0),
    }
    rows = []
    for measure in sets["measure"].drop_duplicates():
        row = {"measure": measure, "trainings": TRAININGS.get(measure, np.nan)}
        for name, values in (wide | compared).items():
            row |= columns_of(name, over_sets(values[measure].to_numpy()))
        rows.append(row | {"sets": len(wide["explained"])})
    return pd.DataFrame(rows)


def answers(table: pd.DataFrame) -> pd.DataFrame:
    """Return what sets of tasks say of each question in `PREDICTED`.

    Parameters
    ----------
    table
        Rows of `summary`.

    Returns
    -------
    pandas.DataFrame
        A row each ``hidden_size`` and ``question``: the ``estimate``, the ``smallest`` effect that
        counts, what was ``predicted``, and the ``answer``: True, False or None (open).

    Examples
    --------
    >>> rows = pd.DataFrame({"measure": [*MEASURES, CHANCE], "hidden_size": 8})
    >>> columns = ("explained", "more_explained", "less_regret")
    >>> rows[[f"{name}{end}" for name in columns for end in ("", "_low", "_high")]] = -0.15
    >>> answers(rows)["answer"].tolist()
    [False, False, False, True, True, True, True, False]
    """
    found = []
    for size, rows in table.groupby("hidden_size", sort=False):
        of_measure = rows.set_index("measure")
        for question, (measure, sign, column, least, predicted) in PREDICTED.items():
            [estimate] = estimates_in(of_measure.loc[[measure]], column)
            estimate = estimate if sign > 0 else -estimate
            row = {"hidden_size": size, "question": question, "estimate": estimate}
            row |= {"smallest": least, "predicted": predicted, "answer": estimate.beyond(least)}
            found.append(row)
    return pd.DataFrame(found)


def over_sets(values: np.ndarray) -> Estimate:
    """Return the mean over sets with the wider of two intervals at 95 %.

    >>> print(over_sets(np.arange(30.0)))
    14.50 [9.00, 20.00]
    """
    mean = float(values.mean())
    if np.isnan(mean) or np.ptp(values) == 0:
        return Estimate(mean, mean, mean)
    half = stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) * stats.sem(values)
    student = (mean - float(half), mean + float(half))
    return Estimate(mean, *hull(student, median_interval(values, level=LEVEL)))
