"""Asks the same question under every reasonable choice that the paper leaves open.

A *training* fixes game, activation, optimizer, learning rate and initialisation; a *specification*
adds when training stops and how outcomes are read. Each specification gives S over the hidden
sizes and, by the rules of `ncnet.studies.multiverse.claims`, a verdict on each statement of the
paper (Steegen et al., Perspectives on Psychological Science 11, 702, 2016; the specification curve
is Simonsohn et al., Nature Human Behaviour 4, 1208, 2020).
"""

import dataclasses
from collections.abc import Sequence

import pandas as pd
import xarray as xr

import ncnet  # whose `train` brings torch: no verdict needs it
from ncnet import chsh, games, renamed
from ncnet.chsh.intervals import with_ends
from ncnet.claims import GAMES, simultaneous_level
from ncnet.parts import Parts
from ncnet.studies.multiverse.claims import judge
from ncnet.sweeps import compute_grid

ACTIVATIONS = ("tanh", "sigmoid", "relu")
OPTIMIZERS = {"gradient_descent": (0.1, 0.5, 2.0), "adam": (0.003, 0.01, 0.05)}
"""The learning rates of each optimizer."""
INITIALISATIONS = ("lecun_normal", "he_normal", "torch_linear")
STEPS = (500, 2000, 5000)
HIDDEN_SIZES = tuple(range(1, 11))

TRAINING = ("game", "activation", "optimizer", "learning_rate", "initialisation")
SPECIFICATION = (*TRAINING, "steps", "readout")
PRIMARY = {
    "game": "overlap",
    "activation": "tanh",
    "optimizer": "gradient_descent",
    "learning_rate": 0.5,
    "initialisation": "lecun_normal",
    "steps": 2000,
    "readout": "correct",
}
"""The specification that the rest of the book uses."""


def trainings() -> list[dict]:
    """Return every training of the multiverse as arguments of `ncnet.train`, the game by name.

    >>> len(trainings())
    108
    >>> trainings()[0]["activation"]
    'tanh'
    """
    return [
        dict(zip(TRAINING, (game, activation, optimizer, rate, initialisation), strict=True))
        for game in GAMES
        for activation in ACTIVATIONS
        for optimizer, rates in OPTIMIZERS.items()
        for rate in rates
        for initialisation in INITIALISATIONS
    ]


def run(
    chosen: Sequence[dict],
    *,
    hidden_sizes: Sequence[int] = HIDDEN_SIZES,
    replicas: int,
    seed: int,
    steps: Sequence[int] = STEPS,
    parts: Parts | None = None,
) -> pd.DataFrame:
    """Train several trainings at every hidden size and return S of each of their specifications.

    Parameters
    ----------
    chosen
        Trainings, as `trainings` gives them.
    hidden_sizes, replicas, seed, steps
        As `ncnet.train` takes them, one hidden size after the other.
    parts
        Keeps the table of each training and hidden size, for a run that may be cut off.

    Returns
    -------
    pandas.DataFrame
        One row a training, hidden size, number of steps and readout: the columns of
        `SPECIFICATION`, ``hidden_size``, ``s``, ``s_low`` and ``s_high`` (simultaneous over the
        hidden sizes), ``interval_method``, ``delta``, ``replicas``, ``diverged``, ``backend``; and
        for each context (i, j) the correlator ``correlator_ij`` and the marginals ``alice_ij``,
        ``bob_ij``.

    Examples
    --------
    >>> table = run(trainings()[:1], hidden_sizes=[1, 3], replicas=64, seed=0, steps=[10])
    >>> table[["steps", "hidden_size", "readout"]].values.tolist()[:2]
    [[10, 1, 'correct'], [10, 1, 'solved']]
    """
    axes = {"training": chosen, "hidden_size": hidden_sizes}
    level = simultaneous_level(len(hidden_sizes))
    shared = {"level": level, "replicas": replicas, "seed": seed, "steps": steps}
    return compute_grid(run_one_size, axes, parts=parts, **shared)


def run_one_size(
    training: dict, hidden_size: int, *, level: float, **asked: object
) -> pd.DataFrame:
    """Return the rows of `run` for one training and hidden size.

    Parameters
    ----------
    training
        One of `trainings`.
    level
        Nominal coverage of each interval: `ncnet.claims.simultaneous_level` of the number of hidden
        sizes.
    hidden_size, asked
        Replicas, seed and several numbers of steps, as `ncnet.train` takes them.

    Examples
    --------
    >>> rows = run_one_size(trainings()[0], 3, level=0.99, replicas=64, seed=0, steps=[10, 20])
    >>> rows[["steps", "readout"]].values.tolist()[2:4]
    [[10, 'prediction'], [20, 'correct']]
    """
    options = training | asked
    game = games.named(options.pop("game"))
    outcomes = ncnet.train(game, hidden_size=hidden_size, **options)
    rows = [
        training
        | {"steps": count, "readout": readout, "hidden_size": hidden_size}
        | _row(outcomes.sel(capacity=count, drop=True), readout, level)
        for count in outcomes["capacity"].values.tolist()
        for readout in chsh.READOUTS
    ]
    return pd.DataFrame(rows)


def _row(outcomes: xr.Dataset, readout: str, level: float) -> dict:
    means = chsh.replica_means(outcomes, readout=readout)
    s = chsh.s_value(means.correlator)
    interval, method = chsh.s_interval(s.values, level=level)
    averages = means.mean("replica")
    by_context = averages.to_dataframe().unstack(["alice_setting", "bob_setting"])
    return {
        **with_ends("s", float(s.mean()), interval),
        "interval_method": method,
        "delta": float(chsh.delta(averages)),
        **{f"{name}_{i}{j}": mean for (name, i, j), mean in by_context.items()},
        "replicas": outcomes.sizes["replica"],
        "diverged": int(outcomes["diverged"].sum()),
        "backend": outcomes.attrs["backend"],
    }


def verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Return what each specification says of each statement.

    Parameters
    ----------
    table
        As `run` returns it.

    Returns
    -------
    pandas.DataFrame
        One row a specification: `SPECIFICATION`; one boolean column for each of
        `ncnet.studies.multiverse.claims.CLAIMS`; ``peak``, the hidden size of the largest S where S
        exceeds 2, else 0; ``dip``, whether S lies below 2 at a hidden size beyond the peak.
    """
    rows = []
    for specification, one in table.groupby(list(SPECIFICATION), sort=False):
        held = judge(one)
        peak = int(one.loc[one["s"].idxmax(), "hidden_size"]) if held["exceeds-2"] else 0
        beyond = one.loc[one["hidden_size"] > peak, "s_high"] < chsh.CLASSICAL_BOUND
        named = dict(zip(SPECIFICATION, specification, strict=True))
        rows.append(named | held | {"peak": peak, "dip": peak > 0 and bool(beyond.any())})
    return pd.DataFrame(rows)


def unfinished(judged: pd.DataFrame) -> list[dict]:
    """Return the trainings that do not peak at three units after the most `STEPS`.

    Parameters
    ----------
    judged
        What `verdicts` returns. Read are the rows with the readout `correct` and the
        initialisation ``lecun_normal``.

    Examples
    --------
    >>> late = PRIMARY | {"steps": 5000, "peak-at-3": False}
    >>> rows = pd.DataFrame([late, late | {"game": "separate", "peak-at-3": True}])
    >>> [training["game"] for training in unfinished(rows)]
    ['overlap']
    """
    read = "readout == 'correct' and initialisation == 'lecun_normal'"
    late = judged.query(f"{read} and steps == {max(STEPS)} and not `peak-at-3`")
    return late[list(TRAINING)].to_dict("records")


def game_alone(game: str) -> games.Game:
    """Return a game whose tasks of Bob's are the constant 1, so that Alice learns alone.

    >>> game_alone("overlap").bob[0].name
    'TRUE'
    """
    both_learn = games.named(game)
    constant = games.Task("TRUE", (1,) * 2**both_learn.bits)
    return dataclasses.replace(both_learn, name=f"{game}, alone", bob=(constant, constant))


def trainings_alone() -> list[dict]:
    """Return the trainings in which Alice's second task, XOR, is learnt in a `game_alone`.

    Each optimizer has its middle learning rate; the initialisation is the default.

    >>> trainings_alone()[0]["hidden_size"], len(trainings_alone())
    (2, 60)
    """
    middle = [rates[1] for rates in OPTIMIZERS.values()]
    return [
        {name: training[name] for name in TRAINING[:-1]} | {"hidden_size": hidden_size}
        for training in trainings()
        if training["initialisation"] == INITIALISATIONS[0] and training["learning_rate"] in middle
        for hidden_size in range(2, 7)
    ]


def solved_alone(
    chosen: Sequence[dict], *, replicas: int, seed: int, steps: int = max(STEPS)
) -> pd.DataFrame:
    """Train each `game_alone` and count the replicas that solve XOR on all inputs.

    Parameters
    ----------
    chosen
        Some of `trainings_alone`.
    replicas, seed, steps
        As `ncnet.train` takes them.

    Returns
    -------
    pandas.DataFrame
        One row a training: what it is, ``solved`` and ``replicas``.

    Examples
    --------
    >>> table = solved_alone(trainings_alone()[:1], replicas=64, seed=0, steps=10)
    >>> table[["game", "hidden_size", "replicas"]].values.tolist()
    [['overlap', 2, 64]]
    """
    rows = []
    for training in chosen:
        options = training | {"replicas": replicas, "seed": seed, "steps": steps}
        outcomes = ncnet.train(game_alone(options.pop("game")), **options)
        xor = outcomes["a"].sel(alice_setting=2, bob_setting=1)
        solved = int((xor > 0).all("item").sum())
        rows.append(training | {"solved": solved, "replicas": replicas})
    return pd.DataFrame(rows)


def has_our_choices(table: pd.DataFrame) -> pd.Series:
    """Return which rows belong to the choices that the rest of the book makes, in any game."""
    choices = pd.Series({name: value for name, value in PRIMARY.items() if name != "game"})
    return (table[list(choices.index)] == choices).all(axis=1)


def is_primary(table: pd.DataFrame) -> pd.Series:
    """Return which rows belong to the specification that the rest of the book uses."""
    return has_our_choices(table) & (table["game"] == PRIMARY["game"])


__getattr__ = renamed.names(__name__, {"alone": "game_alone", "of_size": "run_one_size"})
