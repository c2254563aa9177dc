"""Decodes Bob's task from Alice's loss in the networks of this book, and measures its oscillation.

The functions `sensing`, `sensing_along_training` and `oscillation` make the recorded tables of
these names; `sensing_by_layer` looks into a trunk of two layers.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from ncnet import gradients
from ncnet.checks import check_choice, check_integer, check_list
from ncnet.chsh.bootstrap import percentile_interval, resampled_means
from ncnet.chsh.intervals import with_ends
from ncnet.claims import LEVEL, simultaneous_level
from ncnet.games import Game
from ncnet.studies.mechanism import decoding
from ncnet.studies.mechanism.claims import OSCILLATIONS
from ncnet.studies.mechanism.interventions import SHARED, SMALL_STEPS, available_interventions
from ncnet.training import train

CONTROLS = {
    "whole, small steps": SMALL_STEPS,
    "whole, PCGrad, small steps": f"PCGrad, {SMALL_STEPS}",
    "whole, separate trunks": "separate, n each",
}
"""The intervention under which the whole trace of a row was made, by the name of the row."""
ROWS = (*decoding.USES, *CONTROLS)
OSCILLATION_COMPARED = (SHARED, SMALL_STEPS, f"PCGrad, {SMALL_STEPS}")
"""The trainings whose oscillations are compared: usual ones, hardly any, and none at all."""
PERMUTED = (decoding.WHOLE, *(f"oscillation ({reading})" for reading in OSCILLATIONS))
"""The parts of a trace of which the rule on oscillations asks a permutation test."""
SEEN = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
RESAMPLES = 10_000


def sensing(
    game: Game,
    hidden_size: int,
    *,
    seed: int,
    among: Sequence[str] = ROWS,
    permutations: int = 0,
    folds: int = 5,
    **training: object,
) -> pd.DataFrame:
    """Train, and decode Bob's setting from parts of Alice's loss traces, with controls.

    Parameters
    ----------
    game, hidden_size, seed, training
        As `ncnet.train` takes them. The seed is the decoder's as well.
    among
        Which rows to make, of `ncnet.studies.mechanism.decoding.USES` and `CONTROLS`; the whole
        trace has one in any case, the first. The controls are "whole, small steps", where the
        optimizer makes hardly any fast oscillation; "whole, PCGrad, small steps", where besides no
        head's loss ever rises; "whole, separate trunks", where nothing can be sensed.
    permutations
        The number of permutations that test what is `PERMUTED`, where it is asked for.
    folds
        See `decode`.

    Returns
    -------
    pandas.DataFrame
        The rows of `decode_by_use`, and one for each control; ``game`` and ``hidden_size``. The
        intervals of the two readings of an oscillation hold together at 95 %.

    Raises
    ------
    ValueError
        For an unknown row, or what `decode_by_use` and `ncnet.train` refuse.

    Examples
    --------
    >>> import ncnet
    >>> options = {"replicas": 40, "seed": 0, "steps": 50, "among": ["whole, separate trunks"]}
    >>> sensing(ncnet.games.overlap(), 3, **options).auc.tolist()[-1]
    0.5
    """
    for use in check_list("among", among, "a list of rows"):
        check_choice("use", use, ROWS)
    under = {decoding.WHOLE: SHARED} | {use: CONTROLS[use] for use in among if use in CONTROLS}
    training |= {"seed": seed}
    traces = {use: alice_traces(game, hidden_size, how, **training) for use, how in under.items()}
    uses = [decoding.WHOLE, *(use for use in among if use not in under)]
    permuted = [use for use in among if use in PERMUTED]
    asked = {"uses": uses, "permuted": permuted, "permutations": permutations, "folds": folds}
    asked |= {"level": simultaneous_level(len(OSCILLATIONS)), "seed": seed}
    found = decoding.decode_by_use(traces.pop(decoding.WHOLE), others=traces, **asked)
    return found.assign(game=game.name, hidden_size=hidden_size)


def sensing_along_training(
    game: Game, hidden_size: int, *, seen: Sequence[int], seed: int, folds: int, **training: object
) -> pd.DataFrame:
    """Return how well Bob's setting is decoded from the first steps of Alice's traces.

    Parameters
    ----------
    game, hidden_size, seed, folds, training
        As `sensing` takes them.
    seen
        Numbers of steps that the decoder is given, such as `seen_until` gives.

    Returns
    -------
    pandas.DataFrame
        A row of `decode_by_use` for each number of steps, ``seen``; ``game`` and ``hidden_size``.

    Examples
    --------
    >>> import ncnet
    >>> options = {"replicas": 20, "seed": 0, "steps": 40, "seen": [20, 40], "folds": 2}
    >>> sensing_along_training(ncnet.games.overlap(), 2, **options)["seen"].tolist()
    [20, 40]
    """
    traces = alice_traces(game, hidden_size, seed=seed, **training)
    asked = {"uses": [decoding.WHOLE], "folds": folds, "seed": seed}
    rows = [decoding.decode_by_use(traces[..., : n + 1], **asked).assign(seen=n) for n in seen]
    return pd.concat(rows, ignore_index=True).assign(game=game.name, hidden_size=hidden_size)


def sensing_by_layer(
    game: Game, hidden_size: int, *, steps: int, seed: int, folds: int = 5, **training: object
) -> pd.DataFrame:
    """Return how well Bob's setting is decoded from Alice's loss, and from her pull on each layer.

    Parameters
    ----------
    game, hidden_size, steps, seed, folds, training
        As `sensing` takes them; with a `second_hidden_size` there are two layers.

    Returns
    -------
    pandas.DataFrame
        A row of `decode_by_use` for the whole trace of the loss, and one for each ``layer``: from
        the length of her loss's gradient on it, at every step.

    Examples
    --------
    >>> import ncnet
    >>> options = {"second_hidden_size": 2, "replicas": 20, "seed": 0, "steps": 40, "folds": 2}
    >>> sensing_by_layer(ncnet.games.overlap(), 2, **options)["use"].tolist()
    ['whole', 'gradient on layer 1', 'gradient on layer 2']
    """
    steps = check_integer("steps", steps, at_least=1)
    training |= {"trace_steps": range(steps + 1), "trace": ["loss", "gradients"], "seed": seed}
    traced = train(game, hidden_size=hidden_size, steps=steps, **training)
    pulls = {
        f"gradient on layer {layer}": _over_steps(
            gradients.of_layer(traced, layer)["alice_gradient"].sum("unit")
        )
        for layer in gradients.layers_of(traced)
    }
    asked = {"uses": [decoding.WHOLE], "others": pulls, "folds": folds, "seed": seed}
    found = decoding.decode_by_use(_over_steps(traced["alice_loss"]), **asked)
    return found.assign(game=game.name, hidden_size=hidden_size)


def seen_until(steps: int) -> list[int]:
    """Return after how many steps of a training of this length the decoder is asked.

    >>> seen_until(200)
    [20, 50, 100, 200]
    """
    return [*(count for count in SEEN if count < steps), steps]


def oscillation(
    game: Game, hidden_size: int, *, among: Sequence[str], seed: int, folds: int, **training: object
) -> pd.DataFrame:
    """Train with some interventions and return how much Alice's loss oscillates under each.

    Parameters
    ----------
    game, hidden_size, seed, training
        As `ncnet.train` takes them. The seed is that of decoder and bootstrap as well.
    among
        Names of `available_interventions` under which to train, such as `OSCILLATION_COMPARED`.
    folds
        See `decode`.

    Returns
    -------
    pandas.DataFrame
        A row for each intervention, which ``intervention`` names. In the context (A2, B2), means
        over replicas: ``rising_share``, the share of steps at which her loss rises; ``energy_fast``
        and ``energy_rises``, see `oscillation_energy`, in squared decades. Over both her tasks:
        ``auc_fast``, how well Bob's setting is decoded from the fast oscillation alone. Each with
        the ends of its 95 % interval, ``_low`` and ``_high``; ``game`` and ``hidden_size``.

    Raises
    ------
    ValueError
        For an unknown intervention, or what `decode` and `ncnet.train` refuse.

    Examples
    --------
    >>> import ncnet
    >>> options = {"replicas": 20, "seed": 0, "steps": 40, "folds": 2, "among": ["shared"]}
    >>> len(oscillation(ncnet.games.overlap(), 2, **options))
    1
    """
    hidden_size = check_integer("hidden_size", hidden_size, at_least=1)
    seed, rows = check_integer("seed", seed, at_least=0), []
    for name in among:
        traces = alice_traces(game, hidden_size, name, seed=seed, **training)
        hardest = traces[1, 1]
        measured = {"rising_share": decoding.rising_share(hardest)}
        for reading in OSCILLATIONS:
            measured[f"energy_{reading}"] = decoding.oscillation_energy(hardest, reading)
        values, each_once = np.array([*measured.values()]), np.ones(len(hardest), dtype=int)
        drawn = resampled_means(values, each_once, resamples=RESAMPLES, seed=seed)
        ends = percentile_interval(drawn, LEVEL, len(hardest))
        row = {"intervention": name}
        for measure, mean, interval in zip(measured, values.mean(axis=1), ends, strict=True):
            row |= with_ends(measure, mean, interval)
        found = decoding.decode(traces, use="oscillation (fast)", folds=folds, seed=seed)
        rows.append(row | with_ends("auc_fast", found.auc, found.interval))
    return pd.DataFrame(rows).assign(game=game.name, hidden_size=hidden_size)


def alice_traces(
    game: Game, hidden_size: int, intervention: str = SHARED, *, steps: int, **training: object
) -> np.ndarray:
    """Train and return Alice's losses [her 2 tasks, Bob's 2 settings, replicas, steps + 1].

    A loss is taken at every step; with small steps at every tenth, so that traces are equally long.

    Parameters
    ----------
    game, hidden_size, steps, training
        As `ncnet.train` takes them.
    intervention
        One of `available_interventions`.

    Raises
    ------
    ValueError
        For an unknown intervention, or what `ncnet.train` refuses.

    Examples
    --------
    >>> import ncnet
    >>> alice_traces(ncnet.games.overlap(), 2, replicas=3, seed=0, steps=20).shape
    (2, 2, 3, 21)
    """
    steps = check_integer("steps", steps, at_least=1)
    found = available_interventions(hidden_size)
    check_choice("intervention", intervention, found)
    traced = found[intervention].train(game, steps=steps, trace_steps=range(steps + 1), **training)
    return _over_steps(traced["alice_loss"])


def _over_steps(trace: xr.DataArray) -> np.ndarray:
    return trace.transpose("alice_setting", "bob_setting", "replica", "step").values
