"""What Alice's loss tells of Bob's task in the networks of this book."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ncnet.checks import check_choice, check_integer
from ncnet.chsh.bootstrap import percentile_interval, resampled_means
from ncnet.chsh.intervals import check_resampling, with_ends
from ncnet.games import Game
from ncnet.studies.mechanism.decoding import READINGS, WHOLE, by_use, decode, energy, rising_share
from ncnet.studies.mechanism.interventions import SHARED, SMALL_STEPS, interventions

CONTROLS = {
    "whole, small steps": SMALL_STEPS,
    "whole, PCGrad, small steps": f"PCGrad, {SMALL_STEPS}",
    "whole, separate trunks": "separate, n each",
}
"""Rows of the whole trace, by the intervention under which it was made."""
# Options of `sensing_table` that are the decoder's; all others are of the training.
DECODING = ("uses", "permuted", "permutations", "folds", "level")
OSCILLATING = (SHARED, SMALL_STEPS, f"PCGrad, {SMALL_STEPS}")
"""Trainings whose oscillations are compared: usual ones, hardly any, and none at all."""
RESAMPLES = 10_000


def sensing_table(
    game: Game,
    *,
    hidden_size: int,
    seed: int,
    controls: Sequence[str] = tuple(CONTROLS),
    **options: object,
) -> pd.DataFrame:
    """Train, and decode Bob's setting from Alice's losses, with controls.

    Parameters
    ----------
    game, hidden_size, seed, options
        As `ncnet.train` takes them, and as `by_use` takes `uses`, `permuted`, `permutations`,
        `folds` and `level`. The seed is the decoder's as well.
    controls
        Of `CONTROLS`: "whole, small steps", where the optimizer makes hardly any fast oscillation;
        "whole, PCGrad, small steps", where besides no head's loss ever rises; "whole, separate
        trunks", where nothing can be sensed.

    Returns
    -------
    pandas.DataFrame
        The rows of `by_use`, and one for each control.

    Examples
    --------
    >>> import ncnet
    >>> table = sensing_table(
    ...     ncnet.games.overlap(), hidden_size=3, replicas=40, seed=0, steps=50, uses=["whole"]
    ... )
    >>> table.auc.iloc[-1].item()
    0.5
    """
    for control in controls:
        check_choice("control", control, CONTROLS)
    decoding = {name: options.pop(name) for name in DECODING if name in options}
    traces = {
        name: alice_traces(game, hidden_size, intervention, seed=seed, **options)
        for name, intervention in ({WHOLE: SHARED} | CONTROLS).items()
        if name in (WHOLE, *controls)
    }
    return by_use(traces.pop(WHOLE), others=traces, seed=seed, **decoding)


def alice_traces(
    game: Game,
    hidden_size: int,
    intervention: str = SHARED,
    *,
    steps: int = 2000,
    **training: object,
) -> np.ndarray:
    """Train and return Alice's losses [her 2 tasks, Bob's 2 settings, replicas, steps].

    At every step; with small steps at every so many, so that traces are equally long.

    Parameters
    ----------
    game, hidden_size, steps, training
        As `ncnet.train` takes them.
    intervention
        One of `ncnet.studies.mechanism.analysis.interventions`.

    Examples
    --------
    >>> import ncnet
    >>> alice_traces(ncnet.games.overlap(), 2, replicas=3, seed=0, steps=20).shape
    (2, 2, 3, 21)
    """
    steps = check_integer("steps", steps, at_least=1)
    found = interventions(hidden_size)
    check_choice("intervention", intervention, found)
    traced = found[intervention].train(game, steps=steps, trace_steps=range(steps + 1), **training)
    dims = ("alice_setting", "bob_setting", "replica", "step")
    return traced["alice_loss"].transpose(*dims).values


def oscillation_table(
    game: Game,
    *,
    hidden_size: int,
    seed: int,
    among: Sequence[str] = OSCILLATING,
    folds: int = 5,
    level: float = 0.95,
    **training: object,
) -> pd.DataFrame:
    """Train, with small steps too, and return how much Alice's loss oscillates.

    Parameters
    ----------
    game, hidden_size, seed, training
        As `ncnet.train` takes them. The seed is that of decoder and bootstrap as well.
    among
        Of `interventions`, those under which to train: none ("shared"), small steps, and PCGrad
        with small steps by default.
    folds
        See `decode`.
    level
        Of the bootstrap over replicas.

    Returns
    -------
    pandas.DataFrame
        A row for each intervention, which ``intervention`` names. In the context (A2, B2), means
        over replicas: ``rising_share``, the share of steps at which her loss rises; ``energy_fast``
        and ``energy_rises``, see `energy`, in squared decades. Over both her tasks: ``auc_fast``,
        how well Bob's setting is decoded from the fast oscillation alone. Each with the ends of its
        interval, ``_low`` and ``_high``.

    Examples
    --------
    >>> import ncnet
    >>> table = oscillation_table(
    ...     ncnet.games.overlap(), hidden_size=2, replicas=20, seed=0, steps=40, folds=2
    ... )
    >>> table["intervention"].tolist()
    ['shared', 'small steps', 'PCGrad, small steps']
    """
    level, _, seed = check_resampling(level, RESAMPLES, seed)
    rows = []
    for name in among:
        traces = alice_traces(game, hidden_size, name, seed=seed, **training)
        hardest = traces[1, 1]
        measured = {f"energy_{reading}": energy(hardest, reading) for reading in READINGS}
        measured = {"rising_share": rising_share(hardest)} | measured
        values, each_once = np.array([*measured.values()]), np.ones(len(hardest), dtype=int)
        drawn = resampled_means(values, each_once, resamples=RESAMPLES, seed=seed)
        ends = percentile_interval(drawn, level, len(hardest))
        row = {"intervention": name}
        for measure, mean, interval in zip(measured, values.mean(axis=1), ends, strict=True):
            row |= with_ends(measure, mean, interval)
        decoded = decode(traces, use="oscillation (fast)", folds=folds, level=level, seed=seed)
        rows.append(row | with_ends("auc_fast", decoded.auc, decoded.interval))
    return pd.DataFrame(rows)
