"""Reads the published tasks from the Hugging Face hub, each at a pinned commit.

What was fetched once lies in the hub's own cache, by repository and commit, whoever fetched it:
later runs need no connection, and read the same rows. Where a data set is known to be dirty, rows
are left out:

- pairs of PAWS-X that have a label other than 0 and 1, an empty sentence, or ``NS``, which stands
  for a missing translation; its training pairs are English ones and their machine translations;
- questions of MathQA whose choices, one string, do not come apart into five.
"""

import io
import re
from collections.abc import Callable
from pathlib import Path

from pyarrow import ArrowException
from pyarrow.parquet import read_table

from ncnet.checks import check, check_type
from ncnet.datasets import catalogue, hub, validation
from ncnet.datasets.catalogue import Published, Repository
from ncnet.datasets.items import Item

LETTERS = ["a", "b", "c", "d", "e"]


def read(task: Published) -> tuple[dict[str, Item], dict[str, Item], dict[str, str]]:
    """Return the training items and the held-out ones by key, and where they are from.

    Raises
    ------
    ncnet.datasets.hub.Unavailable
        If what is needed was not fetched before and the hub cannot be reached.
    ValueError
        If a file is damaged, or a row is not what the data set's description promises.
    """
    repository, branch = task.repository.name, task.repository.branch
    try:
        commit = hub.revision(repository, kind="dataset", at=branch)
        folder = hub.download(repository, commit, task.files, kind="dataset", at=branch)
    except hub.Unavailable as error:
        line = "connect, or give a folder that has the task (`folder`, or NCNET_DATA)"
        raise hub.Unavailable(f"{error}; {line}") from error
    found = []
    for split, file in zip(task.splits, task.files, strict=True):
        rows = map(READERS[task.repository], _published(folder / file))
        where = f"`{task.name}`, {split} row"
        found.append(validation.items(task, split, rows, where=where, first=0))
    source = {"repository": repository, "revision": commit, "configuration": task.configuration}
    return *found, source


def _published(path: Path) -> list[dict]:
    content = io.BytesIO(path.read_bytes())
    try:
        return read_table(content).to_pylist()
    except (ArrowException, OSError, ValueError):
        # Of a link into the hub's cache, what it points to: a new link would lead there again.
        raise ValueError(f"{path.resolve()} is damaged: delete it") from None


def _glue(row: dict) -> dict:
    # SST-2 has one `sentence`, MRPC two.
    first = row["sentence1"] if "sentence1" in row else row["sentence"]
    return {"text_a": first, "text_b": row.get("sentence2"), "label": row["label"]}


def _commonsense_qa(row: dict) -> dict:
    check_type("choices", row["choices"], dict, "letters and texts")
    letters, right = row["choices"]["label"], row["answerKey"]
    check_type("choices.label", letters, list, "letters")
    check(right in letters, f"`answerKey` is {right!r}", f"one of {letters}")
    choices = row["choices"]["text"]
    return {"question": row["question"], "choices": choices, "label": letters.index(right)}


def _math_qa(row: dict) -> dict | None:
    choices, right = options(row["options"] or ""), (row["correct"] or "").strip()
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
    sentences = [row["sentence1"] or "", row["sentence2"] or ""]
    missing = {"", "ns"} & {sentence.strip().lower() for sentence in sentences}
    if row["label"] not in (0, 1) or missing:
        return None
    return {"id": row["id"], "label": row["label"], "text_a": sentences[0], "text_b": sentences[1]}


READERS: dict[Repository, Callable[[dict], dict | None]] = {
    catalogue.GLUE: _glue,
    catalogue.COMMONSENSE_QA: _commonsense_qa,
    catalogue.MATH_QA: _math_qa,
    catalogue.PAWS_X: _paws_x,
}
"""What makes the fields of a local folder of a row of each repository, or None of a dirty one."""
