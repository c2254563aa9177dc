"""The recorded tables on the mechanism (RQ2), each by the function that makes rows of it.

They take the name of a game, the hidden units and what `ncnet.train` takes, and depend on nothing
else: the page and the replay of its tables call the same.
"""

from collections.abc import Sequence

import pandas as pd
import xarray as xr

from ncnet import games
from ncnet.claims import simultaneous_level
from ncnet.studies.mechanism import analysis as mechanism
from ncnet.studies.mechanism.claims import OSCILLATIONS
from ncnet.studies.mechanism.decoding import WHOLE
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
    training |= {"trace_steps": mechanism.log_steps(steps, log_interval), "trace": ["gradients"]}
    return train(games.named(game), hidden_size=hidden_size, steps=steps, **training)


def opposed(game: str, hidden_size: int, **training: object) -> pd.DataFrame:
    """Return rows of ``conflict``: how opposed gradients are, by context and phase.

    >>> len(opposed("overlap", 2, replicas=30, seed=0, steps=50, log_interval=10))
    16
    """
    found = mechanism.conflict_table(traced(game, hidden_size, **training))
    return found.assign(game=game, hidden_size=hidden_size)


def opposed_and_s(game: str, hidden_size: int, **training: object) -> pd.DataFrame:
    """Return rows of ``conflict_and_s``: whether replicas with more conflict have a larger S.

    >>> len(opposed_and_s("overlap", 2, replicas=30, seed=0, steps=50, log_interval=10))
    4
    """
    found = mechanism.conflict_and_s(traced(game, hidden_size, **training))
    return found.assign(game=game, hidden_size=hidden_size)


def compared(
    game: str, hidden_size: int, *, lambdas: Sequence[float], small_steps: bool, **options: object
) -> pd.DataFrame:
    """Return rows of ``interventions``, those `among` all; changes hold together over all.

    >>> asked = {"lambdas": [0.5], "small_steps": False, "log_interval": 10, "among": ["PCGrad"]}
    >>> compared("overlap", 2, replicas=30, seed=0, steps=50, **asked)["intervention"].tolist()
    ['shared', 'PCGrad']
    """
    asked = {"lambdas": lambdas, "small_steps": small_steps}
    together = len(mechanism.interventions(hidden_size, **asked)) - 1
    options |= asked | {"level": simultaneous_level(together)}
    found = mechanism.compare(games.named(game), hidden_size=hidden_size, **options)
    return found.assign(game=game)


def sensed(game: str, hidden_size: int, **options: object) -> pd.DataFrame:
    """Return rows of ``sensing``: how well Bob's setting is told from parts of Alice's trace.

    >>> asked = {"uses": ["whole"], "controls": ["whole, separate trunks"], "folds": 2}
    >>> sensed("overlap", 2, replicas=20, seed=0, steps=40, **asked)["use"].tolist()
    ['whole', 'whole, separate trunks']
    """
    options = {"permuted": PERMUTED, "level": simultaneous_level(len(OSCILLATIONS))} | options
    found = mechanism.sensing_table(games.named(game), hidden_size=hidden_size, **options)
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
    traces = mechanism.alice_traces(games.named(game), hidden_size, seed=seed, **training)
    asked = {"uses": [WHOLE], "folds": folds, "seed": seed}
    rows = [mechanism.by_use(traces[..., : n + 1], **asked).assign(seen=n) for n in seen]
    return pd.concat(rows, ignore_index=True).assign(game=game, hidden_size=hidden_size)


def oscillating(game: str, hidden_size: int, **options: object) -> pd.DataFrame:
    """Return rows of ``oscillation``: how much Alice's loss oscillates, by intervention.

    >>> asked = {"among": ["shared"], "folds": 2}
    >>> len(oscillating("overlap", 2, replicas=20, seed=0, steps=40, **asked))
    1
    """
    found = mechanism.oscillation_table(games.named(game), hidden_size=hidden_size, **options)
    return found.assign(game=game, hidden_size=hidden_size)
