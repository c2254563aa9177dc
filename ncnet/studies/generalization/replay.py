"""Replay the tables on S and held-out accuracy (RQ4), on criteria and on the map of pairs (RQ5).

Small companions are replayed as the tables are that they stand beside.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache, partial

import numpy as np
import pandas as pd

from ncnet import experiment, games, results
from ncnet.claims import simultaneous_level
from ncnet.experiment.grouping import PAIR
from ncnet.replay.comparison import Tolerance, absolute, intervals, outcomes, same, standard_errors
from ncnet.replay.pieces import Replay, Selection
from ncnet.results import Result
from ncnet.studies.generalization import (
    claims,
    correlation,
    early,
    grouping,
    interference,
    measurements,
)
from ncnet.studies.generalization.selection import regrets, selections
from ncnet.studies.generalization.tables import TABLES
from ncnet.training import samples

KIND = ("seed", "steps", "activation", "optimizer", "learning_rate")
"""Parameters of a training."""
CONDITION = (
    *("condition", "training", "label_noise", "capacity_name", "steps", "seed", "replicas"),
)
"""Columns that make a piece of all capacities of a condition."""
# Several tables are made of the same networks. These are kept by their population, so the same
# population has to be asked for again.
_named, _set_aside = lru_cache(samples.named), lru_cache(samples.set_aside)
_trained = lru_cache(maxsize=64)(measurements.train_replicas)
_trained_pairs = lru_cache(maxsize=2)(partial(interference.train_task_pairs, samples.NAMED_TASKS))


def _made(make: Callable[[dict], pd.DataFrame], recorded: Result, piece: Selection) -> pd.DataFrame:
    """Make a piece from what its table was given; the jobs of a batch differ in some of it."""
    table = {"table": recorded.name.rpartition("/")[2]}
    rows = make(recorded.provenance["parameters"] | piece | table)
    return rows.assign(**{name: value for name, value in piece.items() if name not in rows})


def _some(given: dict, *names: str) -> dict:
    return {name: given[name] for name in names}


def _of_sizes(given: dict, replicas: range, aside: float = 0.0, **trace: bool) -> pd.DataFrame:
    """Make a row a replica at each capacity, with a share of the training items set aside."""
    name, _, _ = given["condition"].partition(",")
    items = _some(given, "training", "label_noise", "held_out", "noise", "seed")
    population = _named(name, **items)
    if aside:
        population = _set_aside(population, aside)
    capacity_name = given.get("capacity_name", "hidden_size")
    swept = {
        name: given[name] for name in ("hidden_sizes", "steps", "steps_tried") if name in given
    }
    trainings = measurements.capacities(capacity_name, **swept)
    if "capacity" in given:
        trainings = [one for one in trainings if one[capacity_name] == given["capacity"]]
    kind = _some(given, *KIND) | trace | {"capacity_name": capacity_name}
    rows = (_trained(population, replicas=replicas, **kind | one) for one in trainings)
    return pd.concat(rows, ignore_index=True)


def _replicas(given: dict) -> range:
    """Return which replicas of a condition a piece is made of."""
    count = given["replicas"]
    if given["table"] == "generalization_replicas":
        # More than are kept: another backend may train fewer, and rounds otherwise.
        return range(1, count, 2)
    # Means and correlations count those that are correlated, half of all. Means are of these alone.
    if given["table"] == "generalization_capacity":
        return range(1, 2 * count, 2)
    return range(2 * count if given["table"] == "generalization" else count)


def _of_condition(given: dict) -> pd.DataFrame:
    replicas = _of_sizes(given, _replicas(given))
    level = simultaneous_level(len(claims.CONDITIONS))
    options = _some(given, "resamples", "seed") | {"level": level}
    return TABLES[given["table"]](*measurements.split_replicas(replicas), **options)


def _choices(given: dict) -> pd.DataFrame:
    """Make the choices of one repetition, which sees replicas of its own."""
    size = given["repetition_size"]
    replicas = range(size * given["repetition"], size * (given["repetition"] + 1))
    tables = (_of_sizes(given, replicas, aside, trace=True) for aside in (0, given["set_aside"]))
    return selections(*tables, repetition_size=size).assign(repetition=given["repetition"])


def _fresh(given: dict) -> pd.DataFrame:
    first = given["repetitions"] * given["repetition_size"]
    replicas = range(first, first + given["fresh_replicas"])
    return _of_sizes(given, replicas, trace=True)


def _criteria(given: dict) -> pd.DataFrame:
    parts = (_choices(given | {"repetition": k}) for k in range(given["repetitions"]))
    return regrets(pd.concat(parts), _fresh(given), seed=given["seed"])


def _curve(given: dict) -> pd.DataFrame:
    return measurements.by_capacity(_fresh(given), seed=given["seed"])


def _pairs(analyse: Callable[..., pd.DataFrame], given: dict) -> pd.DataFrame:
    """Make rows of pairs, from replicas that draw the map and others that judge it."""
    kind = _some(given, *KIND, "held_out", "label_noise")
    kind |= {"training": given["pair_training"], "hidden_size": given["pair_size"]}
    count = given["pair_replicas"]
    drawn, judged = (_trained_pairs(replicas=range(k, k + count), **kind) for k in (0, count))
    return analyse(drawn, judged, interference.likeness(samples.NAMED_TASKS), seed=given["seed"])


def _early(given: dict) -> pd.DataFrame:
    """Make what is told early of one kind of pairs."""
    name, count = given["pairs_of"], given["early_replicas"]
    kind = _some(given, *KIND, "held_out", "noise")
    kind["training"] = given["training" if name == early.GAMES else "pair_training"]
    seen, fresh = (
        early.train_looks(name, replicas=range(k, k + count), **kind) for k in (0, count)
    )
    at_end = fresh[fresh["look"] == max(early.LOOKS)]
    return experiment.early_signs(seen, at_end, measures=early.MEASURES, seed=given["seed"])


def _set(given: dict) -> pd.DataFrame:
    """Make the pairs of one drawn set of tasks."""
    asked = _some(given, "held_out", "label_noise", "seed", "steps", "hidden_size")
    asked |= {"training": given["pair_training"], "replicas": given["set_replicas"]}
    return grouping.train_set(grouping.draw_tasks(given["set"]), **asked)


def _of_sets(given: dict) -> pd.DataFrame:
    """Make what recorded sets come to, without any training."""
    sets = grouping.by_set(results.load("grouping_pairs").table)
    return sets if given["table"] == "grouping_sets" else grouping.summary(sets)


def _of_digits(rows: pd.DataFrame) -> np.ndarray:
    """Return which rows are of digits; a table without conditions is of digits as a whole."""
    conditions = rows.get("condition", pd.Series("digits", rows.index))
    return ~conditions.str.startswith(tuple(games.NAMED)).to_numpy()


def _statistic(tolerance: Tolerance, *, span: float = 0.0, share: float = 0.0) -> Tolerance:
    """Return the tolerance of a statistic: on digits, eight times that of a game.

    Parameters
    ----------
    tolerance
        The tolerance in a game.
    span
        What values of single replicas span, of an interval that may be by betting: at the ceiling,
        such an interval is wider by up to four replicas.
    share
        The share of the rows that may be anywhere.
    """

    def allowed(rows: pd.DataFrame, name: str) -> np.ndarray:
        most, of_betting = tolerance.most(rows, name), 4 * span / rows.get("replicas", np.inf)
        return np.where(_of_digits(rows), np.maximum(8 * most, of_betting), most)

    on_digits = "on digits, where whole replicas end elsewhere, eight times as far"
    return Tolerance(f"{tolerance.reason}; {on_digits}", allowed, share)


def _read_off(interval: str, widths: float, least: float) -> Tolerance:
    """Return half a standard error: such a share of an interval's width, but at least so much.

    The error of a regret is at least that of each mean in it, and that of a gain at least that of a
    share of variance. S has four times the error of what a pair loses.
    """

    def error(rows: pd.DataFrame) -> np.ndarray:
        width = rows[f"{interval}_high"] - rows[f"{interval}_low"]
        return np.fmax(width.to_numpy() * widths, least)

    return standard_errors(of=error)


def _of_loss(rows: pd.DataFrame, name: str) -> np.ndarray:
    return np.fmax(0.05 * rows[name].to_numpy(float), 1e-4)


def _of_one(rows: pd.DataFrame, name: str) -> np.ndarray:
    low, high = rows[name].quantile([0.1, 0.9])
    return np.fmax(np.where(_of_digits(rows), 2 * (high - low), 0), 1e-3)


STATISTIC = _statistic(standard_errors())
# Which form and penalty is chosen may turn on one replica, and a curve reaches far.
OF_GAIN = _statistic(_read_off("gain", 1 / 4, 0.02), share=0.4)
OF_MEAN = _statistic(_read_off("lost", 1 / 4, 0.001))
OF_DROP = _statistic(_read_off("s", 1 / 16, 0.0025))
CHOICES = outcomes(share=0.375)
"""Three of eight criteria may choose another capacity, where two are nearly as good."""
CHOSEN = dict.fromkeys(("capacity", "found"), CHOICES)
STATISTICS = {
    **dict.fromkeys(("replicas", "repetitions", "largest_capacity", "likeness"), same()),
    **dict.fromkeys(("estimate", "rho", "low", "high"), STATISTIC),
    **intervals("correlation", "lost", "regret", "s_ahead", tolerance=STATISTIC),
    **dict.fromkeys(("independent", "capacities"), same("no capacity is near the ceiling")),
    **intervals("gain", "without", "with_s", tolerance=OF_GAIN),
    **intervals("s", "held_out_s", tolerance=_statistic(standard_errors(), span=8)),
    **intervals("accuracy", *measurements.TARGETS, tolerance=_statistic(standard_errors(), span=1)),
    **dict.fromkeys(("at_first", "best", "at_smallest"), OF_MEAN),
    **dict.fromkeys(("training_drop", "held_out_drop"), OF_DROP),
    **dict.fromkeys(("lowest", "highest", "enough", "units_more", "met"), CHOICES),
    "loss": _statistic(Tolerance("a few networks lose more or less, a twentieth of all", _of_loss)),
    "cosine": _statistic(absolute(0.02, "the direction of a gradient near 0 is rounding")),
    "first": _statistic(absolute(0.25, "no mean of S of a game lies near 1.95")),
    "defined": absolute(0.3, "near the ceiling one replica off the mode decides many resamples"),
    "off_mode": _statistic(absolute(8, "half a percent of up to 1,600 replicas may end elsewhere")),
    "at_ceiling": same("a capacity that is at the ceiling has no correlation to compare"),
    "share_of_rise": _statistic(absolute(0.06, "it follows from the means")),
    **dict.fromkeys(("best_capacity", "enough_capacity"), same("none other is nearly as good")),
}
OF_ONE = Tolerance(
    "rounding sends up to a fifth of the networks of a game elsewhere; on digits nearly all, but "
    "seldom farther than replicas lie apart",
    _of_one,
    share=0.2,
)
OF_EACH = (*correlation.VARIABLES, "held_out_s", *measurements.CORRELATORS)
ONE_BY_ONE = dict.fromkeys(OF_EACH, OF_ONE)
CRITERIA = STATISTICS | {
    **intervals("regret", tolerance=_statistic(standard_errors(), share=CHOICES.share)),
    "best": same("the best capacity is better than the next by many standard errors"),
}
PAIRS = STATISTICS | {"first": same()}


EARLY = {**intervals("rho", "short", tolerance=STATISTIC), "pairs": same()}
ELSEWHERE = "on digits whole replicas end elsewhere, and this is some standard errors of their mean"
GAINED = {
    **dict.fromkeys(("s", "delta"), absolute(0.04, ELSEWHERE)),
    **dict.fromkeys(("training_drop", "both_wrong"), absolute(0.01, ELSEWHERE)),
    **dict.fromkeys(("cosine", "joint_cosine", "lookahead"), absolute(0.05, ELSEWHERE)),
    "likeness": same(),
    "gain": _statistic(standard_errors(of=lambda rows: rows["gain_error"].to_numpy())),
    "gain_error": absolute(0.05, "it is an error of as many replicas"),
}
OF_SETS = same("it is made from recorded pairs, without any training")
COMPARED = dict.fromkeys(
    (
        *("explained", "trainings", "sets", "regret_any"),
        *(f"regret_{trunks}" for trunks in range(grouping.HALF, grouping.TASKS)),
        *intervals("explained", "regret", "regret_any", "more_explained", "less_regret"),
    ),
    OF_SETS,
)


PART, SIZE = ("part", "capacity"), (*CONDITION, "capacity")
MAP = partial(_pairs, interference.interference_map)
ORDER = partial(_pairs, interference.predictor_correlations)


def _replays(folder: str) -> Iterable[Replay]:
    for name, piece, key, make, tolerances in (
        ("generalization", CONDITION, ("target", "measure", *PART), _of_condition, STATISTICS),
        ("generalization_rules", CONDITION, ("reading",), _of_condition, STATISTICS),
        ("generalization_gains", CONDITION, ("given", *PART), _of_condition, STATISTICS),
        ("generalization_capacity", SIZE, (), _of_condition, STATISTICS),
        ("generalization_replicas", SIZE, ("replica",), _of_condition, ONE_BY_ONE),
        ("first_at_2", CONDITION, ("target",), _of_condition, STATISTICS),
        ("capacity_choices", ("condition", "repetition"), ("criterion",), _choices, CHOSEN),
        ("capacity_criteria", ("condition",), ("criterion",), _criteria, CRITERIA),
        ("capacity_fresh", ("condition", "capacity"), (), _curve, STATISTICS),
        ("interference", (), tuple(PAIR), MAP, PAIRS),
        ("interference_predictors", (), ("predictor",), ORDER, STATISTICS),
    ):
        yield Replay(folder + name, piece, key, partial(_made, make), tolerances)


GROUPED = (
    ("early_signs", ("pairs_of",), ("measure", "look"), _early, STATISTICS | EARLY),
    ("grouping_pairs", ("hidden_size", "set"), tuple(PAIR), _set, GAINED),
    ("grouping_sets", (), ("hidden_size", "set", "measure"), _of_sets, COMPARED),
    ("grouping", (), ("hidden_size", "measure"), _of_sets, COMPARED),
)
REPLAYS = (
    *_replays(""),
    *_replays("small/"),
    *(Replay(*of, partial(_made, make), known) for *of, make, known in GROUPED),
)
