"""Asks the statements on capacity again where training is noisy, or deeper.

The choices of the book have no noise but their initial weights. Each of `NOISES` changes one thing,
and a sweep over hidden sizes is judged by the same rules (`ncnet.studies.multiverse.claims`).
"""

from collections.abc import Iterable, Sequence

import pandas as pd

import ncnet  # whose `train` brings torch: no verdict needs it
from ncnet import chsh, games
from ncnet.claims import GAMES
from ncnet.parts import Parts
from ncnet.studies.multiverse.analysis import OUR_CHOICES, network_columns, sweep_rows
from ncnet.studies.multiverse.claims import judge
from ncnet.sweeps import compute_grid

DEEPER = "two layers"
NOISES = {
    "none": {},
    "batches of 4": {"batch_size": 4},
    "batches of 1": {"batch_size": 1},
    "own batches of 1": {"batch_size": 1, "own_batches": True},
    "momentum": {"momentum": 0.9, "learning_rate": 0.05},
    "weak decay": {"weight_decay": 0.001},
    "strong decay": {"weight_decay": 0.01},
    "label noise": {"label_noise": 0.1},
    "label noise, batches of 1": {"label_noise": 0.1, "batch_size": 1},
    "own starts": {"own_starts": True},
    DEEPER: {},
}
"""By name: what a training has that the book's choices have not. Momentum repeats nine tenths of a
step, so that a tenth of the learning rate goes as far. Of `DEEPER` the second layer is as wide as
the first."""


def sweep(noise: str, game: str, *, hidden_sizes: Sequence[int], **asked: int) -> pd.DataFrame:
    """Return S over hidden sizes under one of `NOISES`.

    Parameters
    ----------
    noise, game
        Names of both.
    hidden_sizes, asked
        Several hidden sizes; replicas, seed and steps, as `ncnet.train` takes them.

    Returns
    -------
    pandas.DataFrame
        ``noise``, ``game``; the columns of `ncnet.studies.multiverse.analysis.sweep_rows` and of
        `ncnet.studies.multiverse.analysis.network_columns`, a row each hidden size.

    Examples
    --------
    >>> rows = sweep("own starts", "overlap", hidden_sizes=[2, 3], replicas=64, seed=0, steps=10)
    >>> rows[["noise", "hidden_size"]].values.tolist()
    [['own starts', 2], ['own starts', 3]]
    """
    options = OUR_CHOICES | asked | NOISES[noise]
    s, beside = {}, []
    for size in sorted(hidden_sizes):
        deeper = {"second_hidden_size": size} if noise == DEEPER else {}
        trained = ncnet.train(games.named(game), hidden_size=size, **options, **deeper)
        means = chsh.replica_means(trained)
        s[size] = chsh.s_value(means.correlator).values
        beside.append(network_columns(trained, means))
    return sweep_rows(s).assign(noise=noise, game=game).join(pd.DataFrame(beside))


def sweeps(noises: Iterable[str], *, parts: Parts | None = None, **asked: object) -> pd.DataFrame:
    """Return `sweep` of both games under several of `NOISES`, with `parts` for a run cut off."""
    return compute_grid(sweep, {"noise": noises, "game": GAMES}, parts=parts, **asked)


def verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Return what each noise and game says of each statement on capacity.

    Parameters
    ----------
    table
        As `sweeps` returns it.

    Returns
    -------
    pandas.DataFrame
        A row each ``noise`` and ``game``, in their order; a column for each of
        `ncnet.studies.multiverse.claims.CLAIMS`: True, False, or None where it is left open.
    """
    parts = table.groupby(["noise", "game"], sort=False)
    rows = [{"noise": noise, "game": game} | judge(part) for (noise, game), part in parts]
    return pd.DataFrame(rows)
