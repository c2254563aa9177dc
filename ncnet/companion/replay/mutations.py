"""Judges again the mutants that tests and replay had to find (`benchmarks.mutations`)."""

import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from ncnet import results
from ncnet.replay.comparison import same, unchecked
from ncnet.replay.pieces import NotReplayableError, Replay, Selection, require

CHANGED_SINCE = "a mutant survived tests that are others since, or unknown here: measure again"


def _mutant(recorded: results.Result, selection: Selection) -> pd.DataFrame:
    """Return a mutant's row with today's verdict of the tests that were asked for it."""
    require(find_spec("benchmarks"), "mutants are judged from the root of a checkout only")
    from benchmarks import mutations

    require(results.checkout()[1], "mutants are judged in a clone, and the checkout has changes")
    by_name = recorded.table.set_index(list(selection))
    row = by_name.loc[tuple(selection.values())].to_dict() | selection
    mutant = mutations.Mutant(**{name: row[name] for name in mutations.Mutant.__match_args__})
    files = row["run_by"].split()
    for name in (mutant.module, *files):
        require((mutations.ROOT / name).exists(), f"{name} is no longer there: measure again")
    code = (mutations.ROOT / mutant.module).read_text(encoding="utf-8")
    try:
        mutated = mutations.changed(code, mutant)
    except ValueError as error:
        raise NotReplayableError(f"a mutated line is another now: {error}") from error
    if mutant.left_out:
        return pd.DataFrame([row | {"left_out": mutations.why_left_out(code, mutated)}])
    if row["tests"] == mutations.SURVIVED:
        require(not _changed(mutations.ROOT, recorded.provenance["commit"], files), CHANGED_SINCE)
    # One that took too long may do so again.
    limit = row["tests_seconds"]
    if row["tests"] != mutations.TIMEOUT:
        limit = mutations.PATIENCE * limit + mutations.START
    asked = {"seed": recorded.provenance["parameters"]["seed"], "limit": limit}
    with tempfile.TemporaryDirectory() as folder:
        clone = mutations.Clone(mutations.ROOT, Path(folder) / "clone")
        verdict = mutations.judged(clone, mutant, "tests", files, **asked)
    again = {"tests": verdict.verdict, "test": verdict.found_by, "tests_seconds": verdict.seconds}
    return pd.DataFrame([row | again])


def _changed(root: Path, commit: str | None, paths: list[str]) -> bool:
    """Return whether files changed since a commit, or git does not know it."""
    command = ["git", "diff", "--quiet", commit or "", "HEAD", "--", *paths]
    return subprocess.run(command, cwd=root, capture_output=True).returncode != 0


COLUMNS = {
    **dict.fromkeys(("module", "line", "operator", "before", "after", "left_out"), same()),
    "tests": same("the same tests run, with the same examples"),
    "test": unchecked("several tests may find a mutant, and the first ends the judgement"),
    **dict.fromkeys(("run_by", "tests_seconds"), unchecked("it is measured")),
    **dict.fromkeys(
        ("replay", "table", "tables", "replay_seconds"),
        unchecked("a replay that replayed itself would show nothing"),
    ),
}
REPLAYS = (Replay("benchmark_mutations", ("room", "number"), (), _mutant, COLUMNS),)
