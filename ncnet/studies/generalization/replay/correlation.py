"""Replays of S against held-out accuracy (RQ4), and of its small companions."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from ncnet import games
from ncnet.claims import simultaneous_level
from ncnet.replay.comparison import Tolerance, absolute, intervals, same, standard_errors
from ncnet.replay.pieces import Replay, Where, given
from ncnet.results import Result
from ncnet.studies.generalization import analysis as general
from ncnet.studies.generalization.claims import SETTINGS
from ncnet.studies.generalization.replicas import CONTEXTS, CORRELATORS
from ncnet.training import samples

KIND = ("steps", "activation", "optimizer", "learning_rate")
SETTING = ("setting", "training", "label_noise", "seed", "replicas")
BLOCK = 40
"""Replicas of a piece; half of them are correlated, and so recorded."""


def training(recorded: Result) -> dict:
    """Return what the networks of a recorded table were trained with, but for their seed."""
    return given(recorded, KIND)


def _population(recorded: Result, where: Where) -> samples.Population:
    about = {name: where[name] for name in ("training", "label_noise")}
    [name] = [one for one in samples.NAMES if samples.label(one, **about) == where["setting"]]
    recorded_with = given(recorded, ("held_out", "noise"))
    return samples.named(name, seed=where["seed"], **about, **recorded_with)


def _trained(
    recorded: Result, where: Where, hidden_sizes: Sequence[int], replicas: Sequence[int]
) -> pd.DataFrame:
    population, kind = _population(recorded, where), tuple(training(recorded).items())
    parts = [of_size(population, n, tuple(replicas), where["seed"], kind) for n in hidden_sizes]
    return pd.concat(parts, ignore_index=True)


# Several tables are made of the same networks.
@lru_cache(maxsize=64)
def of_size(
    population: samples.Population,
    hidden_size: int,
    replicas: tuple[int, ...],
    seed: int,
    kind: tuple[tuple[str, object], ...],
) -> pd.DataFrame:
    """Return the rows of networks of one size; `kind` has what else `general.trained` takes."""
    return general.trained(
        population, hidden_size=hidden_size, replicas=replicas, seed=seed, **dict(kind)
    )


def _made(
    recorded: Result, where: Where, hidden_sizes: Sequence[int], replicas: Sequence[int]
) -> pd.DataFrame:
    """Make rows of a recorded table from what is trained again."""
    _, _, name = recorded.name.rpartition("/")
    rows = general.TABLES[name](
        _trained(recorded, where, hidden_sizes, replicas),
        level=simultaneous_level(len(SETTINGS)),
        resamples=recorded.provenance["parameters"]["resamples"],
        seed=where["seed"],
    )
    return rows.assign(**{name: where[name] for name in SETTING if name not in rows})


def _of_setting(recorded: Result, where: Where) -> pd.DataFrame:
    sizes = recorded.provenance["parameters"]["hidden_sizes"]
    return _made(recorded, where, sizes, range(where["replicas"]))


def _of_correlated(recorded: Result, where: Where) -> pd.DataFrame:
    """Make the rows of a setting whose table counts the replicas that are correlated: half."""
    sizes = recorded.provenance["parameters"]["hidden_sizes"]
    return _made(recorded, where, sizes, range(2 * where["replicas"]))


def _of_capacity(recorded: Result, where: Where) -> pd.DataFrame:
    # Those that choose are in no mean of this table.
    return _made(recorded, where, [where["capacity"]], range(1, 2 * where["replicas"], 2))


def _of_block(recorded: Result, where: Where) -> pd.DataFrame:
    replicas = range(where["replica"], min(where["replica"] + BLOCK, where["replicas"]))
    return _made(recorded, where, [where["capacity"]], [one for one in replicas if one % 2])


def _of_digits(rows: pd.DataFrame) -> np.ndarray:
    """Return which rows are of digits; a table without settings is of digits as a whole."""
    if "setting" not in rows:
        return np.ones(len(rows), bool)
    return ~rows["setting"].str.startswith(tuple(games.NAMED)).to_numpy()


def statistic(
    tolerance: Tolerance | None = None, *, span: float = 0.0, share: float = 0.0
) -> Tolerance:
    """Return the tolerance of a statistic: on digits, eight times that of a game.

    Parameters
    ----------
    tolerance
        That of a game, half a standard error unless told otherwise.
    span
        What values of single replicas span, of an interval that may be by betting: at the ceiling,
        such an interval is wider by up to four replicas.
    share
        Of the rows that may be anywhere.
    """
    tolerance = tolerance or standard_errors()

    def allowed(rows: pd.DataFrame, name: str) -> np.ndarray:
        digits = _of_digits(rows)
        most = tolerance.most(rows, name, equal=False) * np.where(digits, 8, 1)
        return np.fmax(most, np.where(digits, 4 * span / rows["replicas"], 0)) if span else most

    reason = (
        "rounding moves a few outcomes of a game, which is less than half a standard error; on "
        "digits it grows until a replica ends as another one would, and four are another sample"
    )
    return Tolerance(reason, allowed, share)


def _of_one(rows: pd.DataFrame, name: str) -> np.ndarray:
    low, high = rows[name].quantile([0.1, 0.9])
    return np.fmax(np.where(_of_digits(rows), 2 * (high - low), 0), 1e-3)


def _of_loss(rows: pd.DataFrame, name: str) -> np.ndarray:
    return np.fmax(0.05 * rows[name].to_numpy(float), 1e-4)


def _of_regret(rows: pd.DataFrame) -> np.ndarray:
    """Return the standard error of a regret, which each mean in it has at most, or 0.001."""
    return np.fmax((rows["regret_high"] - rows["regret_low"]).to_numpy() / 4, 0.001)


def _of_gain(rows: pd.DataFrame) -> np.ndarray:
    """Return the standard error of a gain; that of a share of variance is as large or 0.02."""
    return np.fmax((rows["gain_high"] - rows["gain_low"]).to_numpy() / 4, 0.02)


FIRST = statistic(absolute(0.25, "no mean of S of a game lies near 1.95; on digits the next may"))
ASKED = dict.fromkeys(SETTING, same())
CORRELATED = {
    **ASKED,
    **dict.fromkeys(("target", "measure", "part", "capacity"), same()),
    **dict.fromkeys(("estimate", "low", "high"), statistic()),
    "defined": absolute(0.3, "near the ceiling one replica off the mode decides many resamples"),
    "off_mode": statistic(absolute(4, "half a percent of up to 800 replicas may end elsewhere")),
    "at_ceiling": same("a capacity that is at the ceiling has no correlation to compare"),
    "first": FIRST,
}
GAINED = {
    **ASKED,
    **dict.fromkeys(("given", "part", "capacity"), same()),
    # Which form and penalty is chosen may turn on one replica, and a curve reaches far.
    **intervals("gain", tolerance=statistic(standard_errors(of=_of_gain), share=0.4)),
    **dict.fromkeys(("without", "with_s"), statistic(standard_errors(of=_of_gain), share=0.4)),
}
COSINE = statistic(absolute(0.02, "where a gradient nearly vanishes its direction is rounding"))
MEANS = {
    **dict.fromkeys(("capacity", "replicas"), same()),
    **intervals("s", "held_out_s", tolerance=statistic(span=8)),
    **intervals("accuracy", "held_out_accuracy", "held_out_worst", tolerance=statistic(span=1)),
    "loss": statistic(Tolerance("a few networks lose more or less, a twentieth of all", _of_loss)),
    "cosine": COSINE,
}
ONE_BY_ONE = {
    **ASKED,
    **dict.fromkeys(("capacity", "replica"), same()),
    **dict.fromkeys(
        (
            *("s", "accuracy", "loss", "held_out_s", "held_out_accuracy", "held_out_worst"),
            *CORRELATORS,
            *CONTEXTS,
        ),
        Tolerance(
            "rounding sends up to a fifth of the networks of a game elsewhere; on digits nearly "
            "all, but seldom farther than replicas lie apart",
            _of_one,
            share=0.2,
        ),
    ),
}
AT_FIRST = {
    **ASKED,
    **dict.fromkeys(("target", "largest_capacity"), same()),
    **dict.fromkeys(("at_first", "best", "at_smallest"), statistic(standard_errors(of=_of_regret))),
    **intervals("regret", tolerance=statistic()),
    "first": FIRST,
    "best_capacity": same("no two capacities are nearly as good as the best one"),
    "share_of_rise": statistic(absolute(0.06, "it follows from the means")),
    "reached": statistic(absolute(0.02, "the mean of S of a resample may turn where it is 1.95")),
}


def _replays(folder: str) -> tuple[Replay, ...]:
    blocks = {"replica": BLOCK}
    of_capacity = (*SETTING, "capacity")
    by = ("part", "capacity")
    rows = (
        ("generalization", SETTING, ("target", "measure", *by), _of_correlated, CORRELATED),
        ("generalization_gains", SETTING, ("given", *by), _of_setting, GAINED),
        ("generalization_capacity", of_capacity, (), _of_capacity, ASKED | MEANS),
        ("first_at_2", SETTING, ("target",), _of_setting, AT_FIRST),
    )
    one_by_one = ((*of_capacity, "replica"), ("replica",), _of_block, ONE_BY_ONE, blocks)
    return (
        *(Replay(folder + name, *of_table) for name, *of_table in rows),
        Replay(f"{folder}generalization_replicas", *one_by_one),
    )


REPLAYS = (*_replays(""), *_replays("small/"))
