"""Judges the statements of the paper anew, under a reader's answers to what it leaves open.

Each game of a reading is trained as its rules need it, and the same rules judge the tables. What is
about real models or about noise in training is not trained again: a reading says nothing of
them. Nor is anything about digits: held-out accuracy is asked of the reading's own games, with
noise on their inputs.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial

import numpy as np
import pandas as pd
import xarray as xr
from tqdm import tqdm

import ncnet
from ncnet import chsh
from ncnet.claims import (
    CRITICAL_SIZE,
    Claim,
    Tables,
    findings,
    simultaneous_level,
    verdict_on,
)
from ncnet.companion.claims import CLAIMS, recorded_tables
from ncnet.companion.reading import Reading
from ncnet.estimates import WORDS, columns_of
from ncnet.games import Game
from ncnet.parts import Parts
from ncnet.studies.atlas import claims as atlas
from ncnet.studies.capacity import claims as capacity
from ncnet.studies.capacity.analysis import scatter_row
from ncnet.studies.generalization import claims as generalization
from ncnet.studies.generalization import measurements
from ncnet.studies.generalization.correlation import correlations_by_reading
from ncnet.studies.generalization.selection import regret_at_first_2
from ncnet.studies.mechanism import claims as mechanism
from ncnet.studies.mechanism.interventions import (
    SHARED,
    available_interventions,
    left_less_gone,
)
from ncnet.studies.mechanism.sensing import sensing
from ncnet.studies.multiverse import claims as multiverse
from ncnet.studies.multiverse.analysis import HIDDEN_SIZES, sweep_rows
from ncnet.training import samples

FEWEST = 80
"""Replicas with which every table can be made, though next to nothing is decided."""
MORE = 8
"""So many times as many replicas show how runs scatter: with fewer it would be left open."""
WITH_HELD_OUT = (1, 2, 3, 4, 6, 8, 12, 24)
"""Hidden sizes at which held-out accuracy is measured."""
SAMPLES = {"training": 64, "held_out": 400, "noise": 0.5}
"""The samples of a game whose held-out accuracy is measured."""
FOLDS = 2
"""Folds of the decoder: few of them hold out many replicas, which show most."""
SENSED = tuple(f"without oscillation ({reading})" for reading in mechanism.OSCILLATIONS)

Made = dict[str, pd.DataFrame]
"""Rows of a game, by the name of the table."""


def claims_under(reading: Reading) -> dict[str, Claim]:
    """Return the claims that a reading may have others verdicts of, by name, about its games."""
    fluctuating = [
        replace(capacity.fluctuates(n, reading.readout, reading.run), name=f"fluctuates-at-{n}")
        for n in capacity.SIZES
    ]
    of_games = [*multiverse.CLAIMS, *fluctuating, *atlas.CLAIMS, *mechanism.CLAIMS]
    found = [replace(claim, among=tuple(reading.played)) for claim in of_games]
    if reading.readout != "prediction":
        conditions = tuple(map(_condition, reading.played))
        found += [replace(claim, among=conditions) for claim in generalization.CLAIMS]
    return {claim.name: claim for claim in found}


def tables_under(
    reading: Reading, *, seed: int, replicas: int, parts: Parts | None = None
) -> Tables:
    """Train what the rules need under a reading, and return the tables that they read.

    Parameters
    ----------
    reading
        The answers to what the paper leaves open.
    seed, replicas
        Seed of the initial weights, and replicas of each training.
    parts
        Keeps each table of each game, for a run that may be cut off.
    """
    makers = [_of_capacity, _of_scatter, _of_interventions, _of_sensing]
    makers += [] if reading.readout == "prediction" else [_of_samples]
    rows: dict[str, list] = {}
    for name, make in tqdm([*itertools.product(reading.played, makers)], "tables", disable=None):
        # Tables of the same networks are made together.
        made = cache(partial(make, reading, reading.played[name], replicas=replicas, seed=seed))
        for table in TABLES[make]:
            compute, described = partial(_one, made, table), {"game": name, "table": table}
            found = parts.part(described, compute) if parts else compute()
            rows.setdefault(table, []).append(found)
    return {table: pd.concat(made, ignore_index=True) for table, made in rows.items()}


def verdicts(claims: Mapping[str, Claim], tables: Tables) -> pd.DataFrame:
    """Return the verdict on each claim, and what its rule finds in each game, as a table of text.

    Returns
    -------
    pandas.DataFrame
        By claim: ``verdict``, and ``found``, the answer and the estimate of each game.
    """
    rows = {}
    for name, claim in claims.items():
        found = findings(claim, tables)
        said = (f"{game}: {WORDS[one.holds]}, {one.estimate}" for game, one in found.items())
        rows[name] = {
            "verdict": verdict_on(one.holds for one in found.values()),
            "found": "; ".join(said),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("claim")


def recorded() -> pd.Series:
    """Return the verdicts of the recorded runs, ours, by claim."""
    return verdicts(CLAIMS, recorded_tables())["verdict"].rename("ours")


def compared(reading: Reading, tables: Tables, ours: pd.Series) -> pd.DataFrame:
    """Return the verdicts under a reading beside ours.

    Statements that the reading says nothing of have recorded verdicts alone.
    """
    yours = verdicts(claims_under(reading), tables).rename(columns={"verdict": "yours"})
    order = list(dict.fromkeys([*ours.index, *yours.index]))
    return pd.concat([ours, yours], axis=1).reindex(order).fillna("")


def text(table: pd.DataFrame) -> str:
    """Return what `compared` returns as lines for a terminal.

    >>> table = pd.DataFrame({"ours": ["reproduced"], "yours": ["not"]}, ["exceeds-2"])
    >>> print(text(table.assign(found="overlap: does not hold, -0.10 [-0.20, 0.00]")))
    exceeds-2: not (ours: reproduced)
      overlap: does not hold, -0.10 [-0.20, 0.00]
    """
    lines = []
    for name, row in table.iterrows():
        said = row["yours"] or "not asked"
        lines.append(f"{name}: {said}" + (f" (ours: {row['ours']})" if row["ours"] else ""))
        lines += [f"  {one}" for one in row["found"].split("; ") if one]
    return "\n".join(lines)


def _one(make: Callable[[], Made], table: str) -> pd.DataFrame:
    return make()[table]


def _of_capacity(reading: Reading, game: Game, **asked: int) -> Made:
    s, reports = {}, []
    for n in HIDDEN_SIZES:
        read, readout = reading.read(_trained(reading, game, n, **asked))
        s[n] = chsh.s_per_replica(read, readout=readout).values
        reports.append({"hidden_size": n} | chsh.report(read, readout=readout).row())
    return {
        "multiverse": sweep_rows(s).assign(game=game.name),
        "capacity": pd.DataFrame(reports).assign(game=game.name),
    }


def _of_scatter(reading: Reading, game: Game, *, replicas: int, seed: int) -> Made:
    rows = []
    for n in capacity.SIZES:
        outcomes = _trained(reading, game, n, replicas=MORE * replicas, seed=seed)
        rows.append({"hidden_size": n} | scatter_row(_s(reading, outcomes), reading.run))
    return {"scatter": pd.DataFrame(rows).assign(game=game.name, readout=reading.readout)}


def _of_interventions(reading: Reading, game: Game, **asked: int) -> Made:
    available = available_interventions(CRITICAL_SIZE)
    options = reading.training | asked | {"trace_steps": [reading.steps]}
    s = {
        name: _s(reading, available[name].train(game, **options))
        for name in (SHARED, mechanism.WITHOUT_CONFLICT)
    }
    rows = [
        {"intervention": name} | columns_of("left_less_gone", left_less_gone(of, s[SHARED]))
        for name, of in s.items()
    ]
    table = pd.DataFrame(rows).assign(game=game.name, hidden_size=CRITICAL_SIZE)
    return {"interventions": table}


def _of_sensing(reading: Reading, game: Game, **asked: int) -> Made:
    options = reading.training | asked | {"among": SENSED, "folds": FOLDS}
    return {"sensing": sensing(game, CRITICAL_SIZE, **options)}


def _of_samples(reading: Reading, game: Game, *, replicas: int, seed: int) -> Made:
    population = samples.noisy_game(game, seed=seed, **SAMPLES)
    options = reading.training | {"replicas": range(replicas), "seed": seed}
    del options["initialisation"]  # samples have that of this book
    rows = []
    for n in WITH_HELD_OUT:
        outcomes = samples.train(population, hidden_size=n, **options)
        rows.append(measurements.by_replica(outcomes).assign(s=_s(reading, outcomes)))
    both = measurements.split_replicas(pd.concat(rows, ignore_index=True))
    about = {"condition": _condition(game.name)}
    options = {"level": simultaneous_level(len(reading.games))}
    return {
        "generalization_rules": correlations_by_reading(*both, **options).assign(**about),
        "first_at_2": regret_at_first_2(*both, **options).assign(**about),
    }


def _trained(reading: Reading, game: Game, size: int, **asked: int) -> xr.Dataset:
    options = reading.training | asked | {"trace_steps": [reading.steps]}
    return ncnet.train(game, hidden_size=size, **options)


def _s(reading: Reading, outcomes: xr.Dataset) -> np.ndarray:
    read, readout = reading.read(outcomes)
    return chsh.s_per_replica(read, readout=readout).values


def _condition(game: str) -> str:
    return samples.label(game, training=SAMPLES["training"])


TABLES: dict[Callable[..., Made], tuple[str, ...]] = {
    _of_capacity: ("multiverse", "capacity"),
    _of_scatter: ("scatter",),
    _of_interventions: ("interventions",),
    _of_sensing: ("sensing",),
    _of_samples: ("generalization_rules", "first_at_2"),
}
"""The tables of which each function makes the rows of a game."""
