"""The recorded tables on the mechanism (RQ2), each by the function that makes rows of it.

They take the name of a game, the hidden units and what `ncnet.train` takes, and depend on nothing
else: the page and the replay of its tables call the same.
"""

from collections.abc import Sequence

import pandas as pd
import xarray as xr

from ncnet import games
from ncnet.claims import simultaneous_level
from ncnet.studies.mechanism.claims import OSCILLATIONS
from ncnet.studies.mechanism.conflict import conflict_and_s, conflict_table, log_steps
from ncnet.studies.mechanism.decoding import USES, WHOLE, by_use
from ncnet.studies.mechanism.interventions import compare, interventions
from ncnet.studies.mechanism.sensing import (
    CONTROLS,
    OSCILLATING,
    alice_traces,
    oscillation_table,
    sensing_table,
)
from ncnet.training import train

PERMUTED = (WHOLE, *(f"oscillation ({reading})" for reading in OSCILLATIONS))
"""What of a trace the rule on oscillations asks a permutation test of."""
SEEN = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


def traced(
    game: str, hidden_size: int, *, steps: int, log_interval: int, **training: object
) -> xr.Dataset:
    """Train and trace both heads' gradients, at every `log_interval`-th step in the end.

    >>> traced("overlap", 2, replicas=3, seed=0, steps=50, log_interval=10).sizes["step"]
    51
    """
    return train(
        games.named(game),
        hidden_size=hidden_size,
        steps=steps,
        trace_steps=log_steps(steps, log_interval),
        trace=["gradients"],
        **training,
    )


def opposed(game: str, hidden_size: int, **training: object) -> pd.DataFrame:
    """Return rows of ``conflict``: how opposed gradients are, by context and phase.

    >>> len(opposed("overlap", 2, replicas=30, seed=0, steps=50, log_interval=10))
    16
    """
    found = conflict_table(traced(game, hidden_size, **training))
    return found.assign(game=game, hidden_size=hidden_size)


def opposed_and_s(game: str, hidden_size: int, **training: object) -> pd.DataFrame:
    """Return rows of ``conflict_and_s``: whether replicas with more conflict have a larger S.

    >>> len(opposed_and_s("overlap", 2, replicas=30, seed=0, steps=50, log_interval=10))
    4
    """
    found = conflict_and_s(traced(game, hidden_size, **training))
    return found.assign(game=game, hidden_size=hidden_size)


def compared(
    game: str,
    hidden_size: int,
    *,
    lambdas: Sequence[float],
    small_steps: bool,
    among: Sequence[str] | None = None,
    **training: object,
) -> pd.DataFrame:
    """Return rows of ``interventions``, those of `among` or all; changes hold together over all.

    >>> asked = {"lambdas": [0.5], "small_steps": False, "log_interval": 10, "among": ["PCGrad"]}
    >>> compared("overlap", 2, replicas=30, seed=0, steps=50, **asked)["intervention"].tolist()
    ['shared', 'PCGrad']
    """
    asked = {"lambdas": lambdas, "small_steps": small_steps}
    together = len(interventions(hidden_size, **asked)) - 1
    found = compare(
        games.named(game),
        hidden_size=hidden_size,
        level=simultaneous_level(together),
        among=among,
        **asked,
        **training,
    )
    return found.assign(game=game)


def sensed(
    game: str,
    hidden_size: int,
    *,
    uses: Sequence[str] = USES,
    controls: Sequence[str] = tuple(CONTROLS),
    permuted: Sequence[str] = PERMUTED,
    **training: object,
) -> pd.DataFrame:
    """Return rows of ``sensing``: how well Bob's setting is told from parts of Alice's trace.

    >>> asked = {"uses": ["whole"], "controls": ["whole, separate trunks"], "folds": 2}
    >>> sensed("overlap", 2, replicas=20, seed=0, steps=40, **asked)["use"].tolist()
    ['whole', 'whole, separate trunks']
    """
    found = sensing_table(
        games.named(game),
        hidden_size=hidden_size,
        uses=uses,
        controls=controls,
        permuted=permuted,
        level=simultaneous_level(len(OSCILLATIONS)),
        **training,
    )
    return found.assign(game=game, hidden_size=hidden_size)


def seen_until(steps: int) -> list[int]:
    """Return after how many steps of a training so long the decoder is asked.

    >>> seen_until(200)
    [20, 50, 100, 200]
    """
    return [*(count for count in SEEN if count < steps), steps]


def sensed_early(
    game: str, hidden_size: int, *, seen: Sequence[int], seed: int, folds: int, **training: object
) -> pd.DataFrame:
    """Return rows of ``sensing_along_training``: what is told from the first steps of the trace.

    >>> asked = {"seen": [20, 40], "folds": 2}
    >>> sensed_early("overlap", 2, replicas=20, seed=0, steps=40, **asked)["seen"].tolist()
    [20, 40]
    """
    traces = alice_traces(games.named(game), hidden_size, seed=seed, **training)
    rows = [
        by_use(traces, uses=[WHOLE], seen=count + 1, folds=folds, seed=seed).assign(seen=count)
        for count in seen
    ]
    return pd.concat(rows, ignore_index=True).assign(game=game, hidden_size=hidden_size)


def oscillating(
    game: str, hidden_size: int, *, among: Sequence[str] = OSCILLATING, **training: object
) -> pd.DataFrame:
    """Return rows of ``oscillation``: how much Alice's loss oscillates, by intervention.

    >>> asked = {"among": ["shared"], "folds": 2}
    >>> len(oscillating("overlap", 2, replicas=20, seed=0, steps=40, **asked))
    1
    """
    found = oscillation_table(games.named(game), hidden_size=hidden_size, among=among, **training)
    return found.assign(game=game, hidden_size=hidden_size)
