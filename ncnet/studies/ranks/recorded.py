"""Read the recorded runs on real models, and write what they come to.

A run is a batch, whose tables lie in a folder of the recorded results. A *group* are networks of a
named quartet that are compared with each other: along the rank, or along a dose at one rank.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from ncnet import chsh, results
from ncnet.checks import check
from ncnet.printing import shown
from ncnet.studies.ranks import all_quartets, contrasts, generalization, grouping, tables
from ncnet.studies.ranks.analysis import by_rank
from ncnet.studies.ranks.claims import BALANCE, DIFFICULTY, LANGUAGES, MIXED, NAMED_RANK
from ncnet.studies.ranks.families import family

RUNS, IN_DOSES, REPEATED, FULL, MINILM = "", "doses/", "replicas/", "full/", "minilm/"
"""Folders of the recorded runs."""
OF_RUN = {"encoder": "e5", "pooling": "first", "shuffled": 0.0, "ratio": 1.0}
"""Columns that tell runs of a family apart, with the values of most of them."""
ALONG_RANK = "rank"


@dataclass(frozen=True)
class Group:
    """Networks of a named quartet that are compared with each other.

    Attributes
    ----------
    family
        Whose named quartet it is.
    folders
        Where its networks are recorded.
    along
        The column that differs: "rank", or at the rank named beforehand "shuffled" or "ratio".
    run
        Values of `OF_RUN` that are others.
    """

    family: str
    folders: tuple[str, ...]
    along: str = ALONG_RANK
    run: Mapping[str, object] = field(default_factory=dict)

    def outcomes(self) -> xr.Dataset:
        """Return the outcomes of the quartet, with what differs as `capacity`."""
        if self.along == ALONG_RANK:
            return quartet_of(self.family, self.folders, **self.run)
        doses = sorted(set(_rows(self.folders).query("family == @self.family")[self.along]))
        by_dose = [
            quartet_of(self.family, self.folders, ranks=(NAMED_RANK,), **{self.along: dose})
            for dose in doses
        ]
        return xr.concat(
            [
                of_dose.assign_coords(capacity=[dose])
                for dose, of_dose in zip(doses, by_dose, strict=True)
            ],
            "capacity",
            combine_attrs="drop_conflicts",
        )


MANY = {MIXED: "many replicas"}
"""By family: the group of many replicas at the rank named beforehand."""
WITH_MINILM = "mixed, MiniLM"
"""The group of the mixed quartet with another encoder."""
GROUPS = {
    LANGUAGES: Group(LANGUAGES, (RUNS, FULL)),
    MIXED: Group(MIXED, (RUNS, FULL)),
    DIFFICULTY: Group(MIXED, (RUNS, IN_DOSES), "shuffled"),
    BALANCE: Group(MIXED, (RUNS, IN_DOSES), "ratio"),
    MANY[MIXED]: Group(MIXED, (REPEATED,)),
    WITH_MINILM: Group(MIXED, (MINILM,), run={"encoder": "minilm"}),
}
"""What is compared, by name."""
ALL_PAIRS = (0.0, 1.0, 4.0)
"""The ranks at which all pairs of tasks were trained."""
ROUNDED = "rounded less exact"
"""The contrast of an encoder rounded to four bits with itself."""
UNSEEN = range(48, 128)
"""Replicas on which the rounding of an encoder is judged: two first looks at it had the others."""


@cache
def _rows(folders: tuple[str, ...]) -> pd.DataFrame:
    """Return what became of all networks of some runs."""
    parts = [results.load(f"{folder}real_outcomes").table for folder in folders]
    return pd.concat(parts, ignore_index=True)


def pairs_of(
    name: str, folders: tuple[str, ...], *, ranks: tuple[float, ...] = (), **run: object
) -> xr.Dataset:
    """Return recorded outcomes of pairs of a family's tasks, of those that all ranks have.

    Parameters
    ----------
    name
        The family.
    folders
        Where the networks are recorded.
    ranks
        Those that are read, if not all.
    run
        Values of `OF_RUN` that are others.
    """
    rows = _rows(folders)
    asked = {"family": name} | OF_RUN | run
    rows = rows[(rows[list(asked)] == list(asked.values())).all(axis=1)]
    rows = rows[rows["rank"].isin(ranks)] if ranks else rows
    steps = rows["steps"].unique().tolist()
    check(len(steps) == 1, f"runs of `{name}` have {shown(steps)} steps", "runs of as many")
    return tables.from_outcome_rows(rows, paired=family(name).paired).assign_attrs(steps=steps[0])


def quartet_of(name: str, folders: tuple[str, ...], **asked: object) -> xr.Dataset:
    """Return recorded outcomes of a family's named quartet, as `pairs_of` finds them."""
    alice, bob = family(name).named
    return chsh.quartet(pairs_of(name, folders, **asked), alice=alice, bob=bob)


def named_rows(group: str) -> pd.DataFrame:
    """Return `ncnet.studies.ranks.analysis.by_rank` of a group.

    What differs in it is in a column of its own: ``rank``, ``shuffled`` or ``ratio``.
    """
    of = GROUPS[group]
    rows = by_rank(of.outcomes()).rename(columns={"rank": of.along})
    about = {"rank": NAMED_RANK, "family": of.family} | OF_RUN | dict(of.run)
    return rows.assign(**{name: value for name, value in about.items() if name not in rows})


def quartet_rows(name: str) -> pd.DataFrame:
    """Return S of all quartets of a family, at the ranks at which all pairs were trained."""
    rows = all_quartets.all_quartets(pairs_of(name, (RUNS,), ranks=ALL_PAIRS))
    return rows.rename(columns=tables.AS_RANK)


def disturbance_rows(name: str) -> pd.DataFrame:
    """Return who disturbs whom in a family, at the ranks at which all pairs were trained."""
    rows = all_quartets.disturbance(pairs_of(name, (RUNS,), ranks=ALL_PAIRS))
    return rows.rename(columns=tables.AS_RANK)


def judged_contrasts(name: str) -> pd.DataFrame:
    """Return the contrasts of a group's quartet that the rules read, and that of rounding.

    With another encoder they stand beside those, and no rule is asked about them. The sign tests of
    `ncnet.studies.ranks.contrasts.dose_rows` are empty where doses are not asked.
    """
    group = GROUPS[name]
    (a1, a2), (b1, b2) = family(group.family).named
    measured = contrasts.measure(group.outcomes(), (a1, a2, b1, b2))
    parts = [contrasts.contrast_rows({name: measured})]
    if name == MIXED:
        parts += [_dose_contrasts(dose) for dose in (DIFFICULTY, BALANCE)]
        parts.append(pd.DataFrame([_rounding()]))
    table = pd.concat(parts, ignore_index=True)
    return table.reindex(columns=list(dict.fromkeys([*table, *contrasts.SIGN_TESTS])))


def _dose_contrasts(name: str) -> pd.DataFrame:
    outcomes = GROUPS[name].outcomes()
    by_dose = {
        dose: outcomes.sel(capacity=[dose]).assign_coords(capacity=[NAMED_RANK])
        for dose in outcomes["capacity"].values.tolist()
    }
    return contrasts.dose_contrasts(by_dose, name, quartet=MIXED)


def _rounding() -> dict[str, object]:
    """Return how far rounding the encoder moves S of the same replicas."""
    rounded, exact = (
        _s(quartet_of(MIXED, (MINILM,), ranks=(NAMED_RANK,), encoder=encoder))
        for encoder in ("minilm_4bit", "minilm")
    )
    differences = (rounded - exact)[list(UNSEEN)]
    return contrasts.paired_row(ROUNDED, MIXED, NAMED_RANK, differences)


def _s(outcomes: xr.Dataset) -> np.ndarray:
    return chsh.s_per_replica(outcomes).sel(capacity=NAMED_RANK).values


def replica_rows(group: str) -> pd.DataFrame:
    """Return S and accuracies of each replica of a group, at each of its ranks."""
    return generalization.by_replica(GROUPS[group].outcomes())


def generalization_rows(name: str) -> pd.DataFrame:
    """Return the correlation of S of a named quartet with held-out accuracy, by reading."""
    return generalization.correlation_rows(replica_rows(name), replica_rows(MANY[name]))


class Table(NamedTuple):
    """A table of what the recorded outcomes come to, made in pieces.

    Attributes
    ----------
    column
        The column that divides it into pieces.
    make
        The function that makes the piece of a value of it.
    values
        The values that it is asked for.
    keys
        The columns that tell apart the rows of a piece.
    """

    column: str
    make: Callable[[str], pd.DataFrame]
    values: tuple[str, ...]
    keys: tuple[str, ...]


FAMILIES = (LANGUAGES, MIXED)
NAMED = (*FAMILIES, WITH_MINILM)
"""The groups of quartets named beforehand, along the rank."""
TABLES = {
    "real_named": Table("group", named_rows, tuple(GROUPS), ("rank", "shuffled", "ratio")),
    "real_quartets": Table("family", quartet_rows, FAMILIES, ("rank", *all_quartets.ROLES)),
    "real_disturbance": Table("family", disturbance_rows, FAMILIES, ("rank", "task", "partner")),
    "real_contrasts": Table("quartet", judged_contrasts, NAMED, ("contrast", "rank")),
    "real_replicas": Table("group", replica_rows, (MIXED, MANY[MIXED]), ("rank", "replica")),
    "real_generalization": Table("quartet", generalization_rows, (MIXED,), ("reading",)),
    "real_early": Table("family", grouping.early_rows, FAMILIES, ("measure", "look")),
    "real_grouping": Table("family", grouping.grouping_rows, FAMILIES, ("measure", "trunks")),
}
"""What the recorded outcomes come to."""


def piece(table: str, value: str) -> pd.DataFrame:
    """Return the rows of one of `TABLES` that have this value in the column that divides it."""
    made = TABLES[table]
    return made.make(value).assign(**{made.column: value})


def record() -> None:
    """Write anew what the recorded outcomes of real models come to: tables in ``results/``."""
    given = results.load("real_outcomes").provenance["parameters"]
    for table, made in TABLES.items():
        rows = pd.concat([piece(table, value) for value in made.values], ignore_index=True)
        results.save(table, rows, parameters=given, command="python -m ncnet.ranks")
