"""Joins the tables of all jobs into one, and takes it over into the recorded results."""

import json
import math
import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ncnet import parameters, results, runs
from ncnet.checks import check
from ncnet.companion import notebooks
from ncnet.companion.batch.grid import Batch, BatchError, text
from ncnet.files import NOTHING, differences
from ncnet.results import ROOT
from ncnet.runs import JOBS, SHARED


def gather(batch: Batch, folder: Path) -> None:
    """Write each table of a finished batch, all jobs joined, and the table ``jobs``.

    What the jobs shared while they ran is removed.

    Parameters
    ----------
    batch
        The batch.
    folder
        Its folder, with ``jobs/NAME/TABLE.parquet``. The joined tables are written to it.

    Raises
    ------
    BatchError
        If a job is missing, damaged, or made with other parameters than the batch has now; or if
        jobs were made with different versions of packages or compiler.
    """
    for path in (*folder.glob("*.parquet"), *folder.glob("*.json")):
        path.unlink()  # a batch of this name may have had other tables before
    provenance = {}
    for name in batch.tables:
        parts = {job: _load(batch, folder, job, name) for job in batch.jobs}
        provenance = _provenance(batch, [part.provenance for part in parts.values()])
        _write(batch, folder, name, _joined(batch, parts), provenance)
    used = pd.DataFrame([resources_used(batch, folder, job) for job in batch.jobs])
    _write(batch, folder, JOBS, used, provenance)
    shutil.rmtree(folder / SHARED, ignore_errors=True)


def record(batch: Batch, folder: Path) -> list[Path]:
    """Take gathered tables over to where the batch file says, and return these paths."""
    check_recordable(batch)
    places = [ROOT / where for where in batch.record.values()]
    for name, place in zip(batch.record, places, strict=True):
        results.write(results.load(name, folder=folder), place.name, folder=place.parent)
    return places


def command(batch: Batch, *, recorded: bool = False) -> str:
    """Return the command that runs a batch and, if asked, records its tables."""
    target = "record " if recorded else ""
    return f"snakemake --cores 2 {target}--config {shlex.quote(f'batch={batch.path.as_posix()}')}"


def job_command(batch: Batch, job: str, folder: Path) -> str:
    """Return the command that runs one job, as its tables name it."""
    place = folder / JOBS / job
    return runs.command(batch.notebook, batch.jobs[job] | {"save_to": place.as_posix()})


def check_recordable(batch: Batch) -> None:
    """Refuse a batch that does not say what to record, or has less than the book quotes.

    Raises
    ------
    BatchError
        If it has no `record`. If the book quotes its tables, also if its jobs are no full grid, or
        if the notebook would refuse the parameters of all together, with ``record`` where it saves
        one of them.
    """
    if not batch.record:
        raise BatchError(f"{batch.path} has no `record`: it should say which tables go where")
    model = notebooks.of(batch.notebook)
    quoted = {
        name for name, place in batch.record.items() if (ROOT / place).parent == results.FOLDER
    }
    if not quoted or "record" not in model.model_fields:
        return
    jobs = list(batch.jobs.values())
    values = {name: {repr(job[name]) for job in jobs} for name in jobs[0]}
    record = not quoted.isdisjoint(model.RECORDED)
    try:
        varied = ", ".join(name for name, of in values.items() if len(of) > 1)
        full = math.prod(map(len, values.values())) == len(jobs)
        check(full, f"jobs are no full grid of {varied}", "one for each combination")
        parameters.validate(_together(jobs) | {"record": record, "save_to": ""}, model)
    except ValueError as error:
        raise BatchError(f"{batch.path} cannot be recorded: {error}") from None


def _load(batch: Batch, folder: Path, job: str, name: str) -> results.Result:
    place = folder / JOBS / job
    again = f"delete {place.as_posix()} and give the same command again"
    try:
        found = results.load(name, folder=place)
    except (OSError, ValueError, KeyError) as error:
        raise BatchError(f"job {job} is damaged: {error}; {again}") from None
    if found.provenance["command"] != job_command(batch, job, folder):
        raise BatchError(f"job {job} was made with other parameters; {again}")
    return found


def _joined(batch: Batch, parts: dict[str, results.Result]) -> pd.DataFrame:
    """Join the tables of all jobs, each with columns for the parameters that vary.

    If rows of different jobs look alike even so, a column has the job's name.
    """
    labelled = []
    for job, part in parts.items():
        missing = {
            name: value
            for name, value in batch.varied[job].items()
            if name not in part.table and not isinstance(value, list)  # whose values are
        }
        labelled.append(part.table.assign(**missing, job=job))
    table = pd.concat(labelled, ignore_index=True)
    # A list, such as `ranks`, has a column by the name of one of its values.
    given = {one for job in batch.varied.values() for name in job for one in (name, name[:-1])}
    arrays = [name for name in table if isinstance(table[name].iloc[0], np.ndarray)]
    measured = {*table.select_dtypes("float"), *arrays} - given
    of_jobs = table[[name for name in table if name not in measured]].drop_duplicates()
    alike = of_jobs.drop(columns="job").duplicated().any()
    return table if alike else table.drop(columns="job")


def _write(batch: Batch, folder: Path, name: str, table: pd.DataFrame, provenance: dict) -> None:
    made_by = {"command": command(batch, recorded=name in batch.record)}
    results.write(results.Result(table, made_by | provenance), name, folder=folder)


def _provenance(batch: Batch, of_jobs: list[dict]) -> dict:
    """Return the provenances of all jobs as one, without the command."""
    versions = of_jobs[0]["versions"]
    for job, provenance in zip(batch.jobs, of_jobs, strict=True):
        for name, *two in differences(versions, provenance["versions"]):
            others, its = (f"no {name}" if one is NOTHING else f"{name} {one}" for one in two)
            raise BatchError(
                f"job {job} was made with {its}, others with {others}; "
                f"run all again: {command(batch)} --forcerun job"
            )
    said = {name: [one[name] for one in of_jobs] for name in of_jobs[0]}
    commits, clean = said["commit"], said["clean"]
    return {
        "parameters": _together(said["parameters"]),
        "commit": None if None in commits else ", ".join(dict.fromkeys(commits)),
        "clean": None if None in clean else all(clean),
        "versions": versions,
        "machine": "; ".join(dict.fromkeys(said["machine"])),
        "date": max(said["date"]),
    }


def _together(jobs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the parameters of all jobs as one; a value that varies becomes the list of them all.

    Lists that vary are united.
    """
    together = {}
    for name, first in jobs[0].items():
        values = [job[name] for job in jobs]
        there = pd.Series([value for value in values if value != []], dtype=object)
        united = there.explode().drop_duplicates().tolist()
        together[name] = united if any(value != first for value in values) else first
    return together


def resources_used(batch: Batch, folder: Path, job: str) -> dict[str, Any]:
    """Return when a job ran, for how long, and how much of processor and memory it took."""
    place = folder / JOBS / job
    executed = json.loads((place / "notebook.ipynb").read_text(encoding="utf-8"))
    used = pd.read_csv(place / "benchmark.tsv", sep="\t", na_values=["-", "NA"]).iloc[-1]
    return {
        "job": job,
        **{name: text(value) for name, value in batch.varied[job].items()},
        "started": executed["metadata"]["papermill"]["start_time"],
        "seconds": float(used["s"]),
        "cpu_seconds": float(used["cpu_time"]),
        "peak_megabytes": float(used["max_rss"]),
    }
