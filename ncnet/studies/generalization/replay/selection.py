"""Replays of rules that choose a capacity and of the map of pairs (RQ5), small ones as well."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from ncnet.replay import pieces
from ncnet.replay.comparison import intervals, outcomes, same, standard_errors
from ncnet.replay.pieces import Replay, Where
from ncnet.results import Result
from ncnet.studies.generalization import analysis as general
from ncnet.studies.generalization.replay.correlation import (
    COSINE,
    MEANS,
    of_size,
    statistic,
    training,
)
from ncnet.training import samples

ITEMS = ("held_out", "label_noise", "seed")


def _population(recorded: Result, where: Where) -> samples.Population:
    about = pieces.given(recorded, ("training", "label_noise"))
    [name] = [one for one in samples.NAMES if samples.label(one, **about) == where["setting"]]
    return samples.named(name, **pieces.given(recorded, ("training", "noise", *ITEMS)))


def _trained(
    recorded: Result,
    population: samples.Population,
    replicas: range,
    hidden_sizes: Sequence[int],
) -> pd.DataFrame:
    seed = recorded.provenance["parameters"]["seed"]
    kind = (*training(recorded).items(), ("trace", True))
    parts = [of_size(population, n, tuple(replicas), seed, kind) for n in hidden_sizes]
    return pd.concat(parts, ignore_index=True)


def _chosen(recorded: Result, where: Where, repetitions: range) -> pd.DataFrame:
    """Make the choices of some repetitions of a setting: each sees replicas of its own."""
    given = recorded.provenance["parameters"]
    size = given["repetition_size"]
    replicas = range(repetitions.start * size, repetitions.stop * size)
    whole = _population(recorded, where)
    validated = samples.set_aside(whole, given["set_aside"])
    sizes = given["hidden_sizes"]
    rows = general.selections(
        _trained(recorded, whole, replicas, sizes),
        _trained(recorded, validated, replicas, sizes),
        repetition_size=size,
    )
    return rows.assign(repetition=rows["repetition"] + repetitions.start, **where)


def _choices(recorded: Result, where: Where) -> pd.DataFrame:
    repetition = where["repetition"]
    return _chosen(recorded, {"setting": where["setting"]}, range(repetition, repetition + 1))


def _fresh(recorded: Result, where: Where, hidden_sizes: Sequence[int]) -> pd.DataFrame:
    given = recorded.provenance["parameters"]
    first = given["repetitions"] * given["repetition_size"]
    replicas = range(first, first + given["fresh_replicas"])
    return _trained(recorded, _population(recorded, where), replicas, hidden_sizes)


def _rules(recorded: Result, where: Where) -> pd.DataFrame:
    given = recorded.provenance["parameters"]
    chosen = _chosen(recorded, where, range(given["repetitions"]))
    judges = _fresh(recorded, where, given["hidden_sizes"])
    return general.regrets(chosen, judges, seed=given["seed"]).assign(**where)


def _curve(recorded: Result, where: Where) -> pd.DataFrame:
    judges = _fresh(recorded, where, [where["capacity"]])
    seed = recorded.provenance["parameters"]["seed"]
    return general.by_capacity(judges, seed=seed).assign(**where)


def _of_pairs(recorded: Result) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Train all pairs, on replicas that draw the map and on those that judge it."""
    given = recorded.provenance["parameters"]
    count = given["pair_replicas"]
    kind = {
        "training": given["pair_training"],
        "hidden_size": given["pair_size"],
        **pieces.given(recorded, ITEMS),
        **training(recorded),
    }
    drawn, judged = (
        _trained_pairs(range(first, first + count), tuple(kind.items())) for first in (0, count)
    )
    return drawn, judged, general.likeness(samples.NAMED_TASKS)


# Two tables are made of the same networks.
@lru_cache(maxsize=2)
def _trained_pairs(replicas: range, kind: tuple[tuple[str, object], ...]) -> pd.DataFrame:
    return general.trained_pairs(samples.NAMED_TASKS, replicas=replicas, **dict(kind))


def _interference(recorded: Result, _: Where) -> pd.DataFrame:
    seed = recorded.provenance["parameters"]["seed"]
    return general.interference_map(*_of_pairs(recorded), seed=seed)


def _predictors(recorded: Result, _: Where) -> pd.DataFrame:
    seed = recorded.provenance["parameters"]["seed"]
    return general.predictors(*_of_pairs(recorded), seed=seed)


def _of_drop(rows: pd.DataFrame) -> np.ndarray:
    """Return the standard error of what a pair loses, of which S has four times as much."""
    return np.fmax((rows["s_high"] - rows["s_low"]).to_numpy() / 16, 0.0025)


CHOICES = outcomes(share=0.375)
"""Three of eight rules may choose another capacity, where two are nearly as good."""
CHOSEN = {
    **dict.fromkeys(("repetition", "rule", "setting"), same()),
    **dict.fromkeys(("capacity", "found"), CHOICES),
}
RULES = {
    **dict.fromkeys(("rule", "setting", "repetitions"), same()),
    **intervals("regret", tolerance=statistic(share=CHOICES.share)),
    **dict.fromkeys(("lowest", "highest", "enough", "units_more", "met"), CHOICES),
    "best": same("the best capacity is better than the next by many standard errors"),
    "enough_capacity": same("no capacity lies near the line of a percentage point"),
}
PAIRS = {
    **dict.fromkeys(("first", "second", "likeness"), same()),
    **intervals("s", tolerance=statistic()),
    **dict.fromkeys(("training_drop", "held_out_drop"), statistic(standard_errors(of=_of_drop))),
    "cosine": COSINE,
}
PREDICTORS = {
    "predictor": same(),
    **dict.fromkeys(("rho", "low", "high"), statistic()),
    **intervals("s_ahead", tolerance=statistic()),
}


def _replays(folder: str) -> tuple[Replay, ...]:
    rows = (
        ("capacity_choices", ("setting", "repetition"), ("rule",), _choices, CHOSEN),
        ("capacity_rules", ("setting",), ("rule",), _rules, RULES),
        ("capacity_fresh", ("setting", "capacity"), (), _curve, MEANS | {"setting": same()}),
        ("interference", (), ("first", "second"), _interference, PAIRS),
        ("interference_predictors", (), ("predictor",), _predictors, PREDICTORS),
    )
    return tuple(Replay(folder + name, *of_table) for name, *of_table in rows)


REPLAYS = (*_replays(""), *_replays("small/"))
