"""Asks the same question under every reasonable choice that the paper leaves open.

A *training* fixes game, activation, optimizer, learning rate and initialisation; a *specification*
adds when training stops and how outcomes are read. Each specification gives S over the hidden
sizes and, by the rules of `ncnet.studies.multiverse.claims`, a verdict on each statement of the
paper (Steegen et al., Perspectives on Psychological Science 11, 702, 2016; the specification curve
is Simonsohn et al., Nature Human Behaviour 4, 1208, 2020).
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

import ncnet  # whose `train` brings torch: no verdict needs it
from ncnet import chsh, games, renamed, sweeps
from ncnet.chsh.intervals import S_BOUNDS
from ncnet.claims import CRITICAL_SIZE, GAMES, simultaneous_level
from ncnet.estimates import (
    DIFFERENCE_BOUNDS,
    UNKNOWN,
    WORDS,
    Estimate,
    columns_of,
    mean_of_replicas,
)
from ncnet.parts import Parts
from ncnet.studies.multiverse.claims import CLAIMS, judge
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
OUR_CHOICES = {name: PRIMARY[name] for name in TRAINING if name != "game"}
"""What `ncnet.train` is given in the rest of the book, whatever the game."""
HOLDS = WORDS[True]


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
        Keeps the table of each training, for a run that may be cut off.

    Returns
    -------
    pandas.DataFrame
        One row a training, number of steps, readout and hidden size: the columns of
        `SPECIFICATION`, those of `sweep_rows`, ``delta``, ``replicas``, ``diverged``, ``backend``;
        and for each context (i, j) the correlator ``correlator_ij`` and the marginals
        ``alice_ij``, ``bob_ij``.

    Examples
    --------
    >>> table = run(trainings()[:1], hidden_sizes=[1, 3], replicas=64, seed=0, steps=[10])
    >>> table[["steps", "readout", "hidden_size"]].values.tolist()[:2]
    [[10, 'correct', 1], [10, 'correct', 3]]
    """
    shared = {"hidden_sizes": hidden_sizes, "replicas": replicas, "seed": seed, "steps": steps}
    return compute_grid(run_one, {"training": chosen}, parts=parts, **shared)


def run_one(
    training: dict, hidden_sizes: Sequence[int], *, steps: Sequence[int], **asked: object
) -> pd.DataFrame:
    """Return the rows of `run` for one training.

    Parameters
    ----------
    training
        One of `trainings`.
    hidden_sizes, steps, asked
        Several hidden sizes and numbers of steps; replicas and seed, as `ncnet.train` takes them.

    Examples
    --------
    >>> rows = run_one(trainings()[0], [1, 3], replicas=64, seed=0, steps=[10, 20])
    >>> rows[["steps", "readout"]].drop_duplicates().values.tolist()[3:5]
    [[10, 'loss'], [20, 'correct']]
    """
    options = training | asked | {"steps": steps, "trace_steps": steps}
    game = games.named(options.pop("game"))
    s, about = {}, {}
    for size in hidden_sizes:
        outcomes = ncnet.train(game, hidden_size=size, **options)
        for count in outcomes["capacity"].values.tolist():
            stopped = outcomes.sel(capacity=count, step=count)
            for readout, means in sweeps.means_by_reading(stopped).items():
                values = chsh.s_value(means.correlator).values
                s.setdefault((count, readout), {})[size] = values
                about[count, readout, size] = network_columns(stopped, means)
    rows = [
        training | {"steps": count, "readout": readout} | row | about[count, readout, size]
        for (count, readout), by_size in s.items()
        for size, row in zip(sorted(by_size), _sweep(by_size), strict=True)
    ]
    return pd.DataFrame(rows)


def sweep_rows(s: Mapping[int, np.ndarray]) -> pd.DataFrame:
    """Return S at each hidden size, and how it compares with S at others, within replicas.

    Parameters
    ----------
    s
        S of the same replicas [replicas], by hidden size.

    Returns
    -------
    pandas.DataFrame
        One row a hidden size, in order: ``s``; ``rise``, how much larger it is than at the size
        before; ``lead``, how much larger S at the critical size is. Each has the ends of its
        interval, ``_low`` and ``_high``; those of one kind hold together at 95 %. NaN where there
        is nothing to compare with.

    Examples
    --------
    >>> rows = sweep_rows({n: np.full(1600, s) for n, s in {2: 1.75, 3: 2.25, 4: 2.0}.items()})
    >>> rows[["hidden_size", "s", "rise", "lead"]].values.tolist()
    [[2.0, 1.75, nan, 0.5], [3.0, 2.25, 0.5, nan], [4.0, 2.0, -0.25, 0.25]]
    """
    return pd.DataFrame(_sweep(s))


def _sweep(s: Mapping[int, np.ndarray]) -> list[dict]:
    sizes = sorted(s)
    level_of_s, level = simultaneous_level(len(sizes)), simultaneous_level(max(1, len(sizes) - 1))
    rows = []
    for before, size in zip([None, *sizes], sizes, strict=False):
        compared = {"rise": (size, before), "lead": (CRITICAL_SIZE, size)}
        found = {"s": mean_of_replicas(s[size], bounds=S_BOUNDS, level=level_of_s)}
        for name, (one, other) in compared.items():
            known = one != other and one in s and other in s
            found[name] = _difference(s[one], s[other], level) if known else UNKNOWN
        row = {"hidden_size": size}
        for name, estimate in found.items():
            row |= columns_of(name, estimate)
        rows.append(row)
    return rows


def _difference(one: np.ndarray, other: np.ndarray, level: float) -> Estimate:
    return mean_of_replicas(one - other, bounds=DIFFERENCE_BOUNDS, level=level)


def network_columns(outcomes: xr.Dataset, means: xr.Dataset) -> dict:
    """Return what a row says of networks beside S.

    Parameters
    ----------
    outcomes, means
        As `ncnet.train` and `ncnet.chsh.replica_means` return them, of one number of steps.

    Returns
    -------
    dict
        ``delta``; for each context (i, j) ``correlator_ij``, ``alice_ij``, ``bob_ij``; ``replicas``
        and ``diverged``, numbers of replicas and networks; ``backend``.
    """
    averages = means.mean("replica").reset_coords(drop=True)
    by_context = averages.to_dataframe().unstack(["alice_setting", "bob_setting"])
    return {
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
        One row a specification: `SPECIFICATION`; a column for each of
        `ncnet.studies.multiverse.claims.CLAIMS`, with one of the words `ncnet.estimates.WORDS`;
        ``peak``, the hidden size of the largest S where S exceeds 2, else 0; ``dip``, whether S
        lies below 2 at a hidden size beyond the peak.
    """
    rows = []
    for specification, one in table.groupby(list(SPECIFICATION), sort=False):
        answers = judge(one)
        peak = int(one.loc[one["s"].idxmax(), "hidden_size"]) if answers["exceeds-2"] else 0
        beyond = one.loc[one["hidden_size"] > peak, "s_high"] < chsh.CLASSICAL_BOUND
        named = dict(zip(SPECIFICATION, specification, strict=True))
        said = {name: WORDS[answer] for name, answer in answers.items()}
        rows.append(named | said | {"peak": peak, "dip": peak > 0 and bool(beyond.any())})
    return pd.DataFrame(rows)


def shares_holding(table: pd.DataFrame) -> dict[str, float]:
    """Return in which share of its specifications each statement holds, readouts among them.

    Parameters
    ----------
    table
        As `run` returns it.
    """
    judged = verdicts(table)
    return {claim.name: float((judged[claim.name] == HOLDS).mean()) for claim in CLAIMS}


def unfinished(judged: pd.DataFrame) -> list[dict]:
    """Return the trainings that do not peak at three units after the most `STEPS`.

    Parameters
    ----------
    judged
        What `verdicts` returns. Read are the rows with the readout `correct` and the
        initialisation ``lecun_normal``.

    Examples
    --------
    >>> late = PRIMARY | {"steps": 5000, "peak-at-3": "open"}
    >>> rows = pd.DataFrame([late, late | {"game": "separate", "peak-at-3": "holds"}])
    >>> [training["game"] for training in unfinished(rows)]
    ['overlap']
    """
    read = "readout == 'correct' and initialisation == 'lecun_normal'"
    late = judged.query(f"{read} and steps == {max(STEPS)} and `peak-at-3` != '{HOLDS}'")
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


def has_our_choices(table: pd.DataFrame, *, but: Sequence[str] = ("game",)) -> pd.Series:
    """Return which rows belong to the choices that the rest of the book makes, `but` for some."""
    choices = pd.Series({name: value for name, value in PRIMARY.items() if name not in but})
    return (table[list(choices.index)] == choices).all(axis=1)


def is_primary(table: pd.DataFrame) -> pd.Series:
    """Return which rows belong to the specification that the rest of the book uses."""
    return has_our_choices(table, but=())


__getattr__ = renamed.names(__name__, {"alone": "game_alone"})
