"""Reads the published tasks from the Hugging Face hub, each at a pinned commit.

What was fetched once is kept in the user's cache folder by repository and commit, so that later
runs need no connection, and read the same rows. It may be deleted, and is then fetched again. What
another program has fetched is read from the hub's cache where there is no connection. Where a data
set is known to be dirty, rows are left out:

- pairs of PAWS-X that have a label other than 0 and 1, an empty sentence, or ``NS``, which stands
  for a missing translation; its training pairs are English ones and their machine translations;
- questions of MathQA whose choices, one string, do not come apart into five.
"""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path
from pyarrow.parquet import read_table

from ncnet.datasets import hub
from ncnet.datasets.catalogue import Published
from ncnet.datasets.items import Item
from ncnet.datasets.rows import item
from ncnet.files import replace

LETTERS = ["a", "b", "c", "d", "e"]


def read(task: Published) -> tuple[dict[str, Item], dict[str, Item], dict[str, str]]:
    """Return the training items and the held-out ones by key, and where they are from.

    Raises
    ------
    ncnet.datasets.hub.Unavailable
        If what is needed was not fetched before and the hub cannot be reached.
    ValueError
        If a row is not what the data set's description promises.
    """
    try:
        commit = hub.revision(task.repository, kind="dataset", at=task.at)
        paths = _paths(task, commit)
        if not all(path.exists() for path in paths):
            _fetch(task, commit, paths)
    except hub.Unavailable as error:
        raise hub.Unavailable(
            f"{error}; connect, or give a folder that has the task (`folder`, or NCNET_DATA)"
        ) from error
    training, held_out = (
        _items(task, split, read_table(path).to_pylist())
        for split, path in zip(task.splits, paths, strict=True)
    )
    source = {"repository": task.repository, "revision": commit}
    return training, held_out, source | {"configuration": task.configuration}


def _paths(task: Published, commit: str) -> list[Path]:
    folder = user_cache_path("ncnet") / "datasets" / task.repository / commit
    return [folder / task.configuration / f"{split}.parquet" for split in task.splits]


def _fetch(task: Published, commit: str, paths: list[Path]) -> None:
    try:
        parts = _parts(task, commit)
    except hub.Unavailable as error:
        parts = _cached_parts(task, commit, error)
    with _quietly():
        for part, path in zip(parts, paths, strict=True):
            content = io.BytesIO()
            part.to_parquet(content)
            path.parent.mkdir(parents=True, exist_ok=True)
            replace(path, content.getvalue())


def _parts(task: Published, commit: str) -> list:
    with hub.reaching(f"the data set `{task.repository}` at commit {commit}"), _quietly():
        import datasets
        from huggingface_hub import HfApi

        # `load_dataset` would try for half a minute, and then take any commit it has in its cache.
        HfApi().dataset_info(task.repository, revision=commit, timeout=hub.SECONDS)
        parts = datasets.load_dataset(
            task.repository, task.configuration, revision=commit, split=list(task.splits)
        )
        if not all(commit in file["filename"] for part in parts for file in part.cache_files):
            raise ConnectionError(f"the connection broke before commit {commit} was read")
    return parts


def _cached_parts(task: Published, commit: str, error: hub.Unavailable) -> list:
    """Return the parts from what another program has fetched of this commit."""
    folder = hub.snapshot(task.repository, commit, kind="dataset")
    if folder is None:
        instead = hub.instead(task.repository, "dataset", task.at)
        raise hub.Unavailable(f"{error}{instead}") from error
    import datasets

    try:
        with _quietly():
            return datasets.load_dataset(str(folder), task.configuration, split=list(task.splits))
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as fault:
        line = str(fault).strip().partition("\n")[0]
        raise hub.Unavailable(f"{error}; of this commit, {folder} has a part ({line})") from fault


@contextmanager
def _quietly() -> Iterator[None]:
    import datasets
    from huggingface_hub import utils

    shown = [each for each in (datasets, utils) if not each.are_progress_bars_disabled()]
    for package in shown:
        package.disable_progress_bars()
    try:
        yield
    finally:
        for package in shown:
            package.enable_progress_bars()


def _items(task: Published, split: str, rows: list[dict]) -> dict[str, Item]:
    items = {}
    for number, published in enumerate(rows):
        try:
            row = READERS[task.repository](published)
            if row is not None:
                key = f"{split}:{row.get('id', number)}"
                items[key] = item(task.kind, task.classes, key, row)
        except (KeyError, ValueError) as error:
            reason = f"no column {error}" if isinstance(error, KeyError) else error
            raise ValueError(f"`{task.name}`, {split} row {number}: {reason}") from None
    return items


def _glue(row: dict) -> dict:
    # SST-2 has one `sentence`, MRPC two.
    sentences = [row[name] for name in ("sentence", "sentence1", "sentence2") if name in row]
    fields = dict(zip(("text_a", "text_b"), sentences, strict=False))
    return fields | {"label": row["label"]}


def _commonsense_qa(row: dict) -> dict:
    letters, right = row["choices"]["label"], row["answerKey"]
    if right not in letters:
        raise ValueError(f"`answerKey` is {right!r}: expected one of {letters}")
    choices = row["choices"]["text"]
    return {"question": row["question"], "choices": choices, "label": letters.index(right)}


def _math_qa(row: dict) -> dict | None:
    choices, right = options(row["options"]), row["correct"].strip()
    if choices is None or right not in LETTERS:
        return None
    return {"question": row["Problem"], "choices": choices, "label": LETTERS.index(right)}


def options(text: str) -> list[str] | None:
    """Return the five choices of a question of MathQA, or None where there are not five.

    They are published as one string, of two kinds; in some the letter stands twice.

    >>> options("a ) 38 , b ) 27.675 , c ) 3 , 000 , d ) d ) no data , e ) none of these")
    ['38', '27.675', '3 , 000', 'no data', 'none of these']
    >>> options("['a ) 1', 'b ) 2', 'c ) 3', 'd ) 4', 'e ) 5']")
    ['1', '2', '3', '4', '5']
    """
    parts = re.split(r"(?:^|,)[\s\['\"]*([a-e])\s*\)", text)
    choices = [choice.strip(" ,'[]\"") for choice in parts[2::2]]
    choices = [re.sub(r"^[a-e]\s*\)\s*", "", choice) for choice in choices]
    return choices if parts[1::2] == LETTERS and all(choices) else None


def _paws_x(row: dict) -> dict | None:
    sentences = (row["sentence1"] or "").strip(), (row["sentence2"] or "").strip()
    if row["label"] not in (0, 1) or {"", "ns"} & {sentence.lower() for sentence in sentences}:
        return None
    return {
        "id": row["id"],
        "text_a": row["sentence1"],
        "text_b": row["sentence2"],
        "label": row["label"],
    }


READERS: dict[str, Callable[[dict], dict | None]] = {
    "nyu-mll/glue": _glue,
    "tau/commonsense_qa": _commonsense_qa,
    "allenai/math_qa": _math_qa,
    "google-research-datasets/paws-x": _paws_x,
}
"""From a row of each repository to the fields of a local folder, or None for a dirty one."""
