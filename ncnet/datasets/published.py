"""Reads the published tasks, from a local folder or from the Hugging Face hub.

A folder holds gzip JSON lines, one file a split:

=======================================  =====================================================
``sst2/{train,dev}.jsonl.gz``            ``{"text_a", "label"}``
``mrpc/{train,test}.jsonl.gz``           ``{"text_a", "text_b", "label"}``
``commonsense_qa/{train,dev}.jsonl.gz``  ``{"question", "choices", "label"}``
``mathqa/{train,test}.jsonl.gz``         the same
``paws_x/LANGUAGE/{dev,test}.jsonl.gz``  ``{"id", "text_a", "text_b", "label"}``, all languages
=======================================  =====================================================

A label is a class from 0, or the index of the right one of five choices; an id is a pair's, the
same in every language. PAWS-X has no training file here: its ``dev`` serves as one, so that
scores on ``test`` cannot be compared with published ones.

From the hub each is read at a pinned commit. What was fetched once lies in the hub's own cache, by
repository and commit, whoever fetched it: later runs need no connection, and read the same rows.
"""

import gzip
import hashlib
import io
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from pyarrow import ArrowException
from pyarrow.parquet import read_table
from pydantic import BaseModel, ValidationError

from ncnet.checks import check
from ncnet.datasets import hub
from ncnet.datasets.catalogue import PUBLISHED, Choice
from ncnet.datasets.items import CHOICES, Group, Item, ItemsByKey, Translations
from ncnet.files import expanded
from ncnet.printing import shown


def streams(
    group: Group, seed: int, folder: str | Path | None
) -> tuple[list[Iterator[Translations]], list[dict]]:
    """Return the items of a group, part by part, and where those of each task are from.

    Without a folder, the environment names one; without that, they come from the hub.

    Raises
    ------
    ncnet.datasets.hub.Unavailable
        If the folder lacks a file; or where the hub cannot be reached, for one that its cache
        lacks.
    ValueError
        For a file that is damaged, or not what is described above; the line names file and row.
    """
    folder = folder or os.environ.get("NCNET_DATA")
    pools, sources = _read_folder(group, expanded(folder)) if folder else _read_hub(group)
    seen: set = set()
    training = _shuffled(pools[0], seen, group.generator(seed, "training"))
    held_out = _shuffled(pools[1], seen, group.generator(seed, "held_out"))
    # Further ones come from the other end: whatever `items` is, the same.
    return [iter(training), reversed(training), iter(held_out)], sources


def _read_folder(group: Group, folder: Path) -> tuple[list[list[ItemsByKey]], list[dict]]:
    """Return the training items of all tasks and the held-out ones, and their sources."""
    published, digests = PUBLISHED[group], {}
    pools = {split: [] for split in published.local}
    for task, split in product(group.tasks, pools):
        name = f"{task}/{split}.jsonl.gz"
        try:
            content = (folder / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise hub.Unavailable(
                f"no {name} in {folder}, for task `{task}`: give a folder that has it "
                "(`folder`, or NCNET_DATA), or none, to use the Hugging Face hub"
            ) from None
        digests[name] = hashlib.sha256(content).hexdigest()
        rows, where = _json_rows(content), f"{name}, line"
        pools[split].append(items_by_key(published.row_model, split, rows, where=where, first=1))
    # Which pairs a language has depends on the files of all.
    return [*pools.values()], [{"folder": True, "files": digests}] * len(group.tasks)


def _json_rows(content: bytes) -> Iterator[dict]:
    """Yield the fields of each line."""
    try:
        with gzip.open(io.BytesIO(content)) as lines:
            for line in lines:
                row = json.loads(line)
                check(isinstance(row, dict), f"a row is {shown(row)}", "fields by name")
                yield row
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON ({error.msg})") from None
    except UnicodeDecodeError:
        raise ValueError("no UTF-8") from None
    except EOFError:
        raise ValueError("the file is cut short; copy it again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"not a whole gzip file ({error})") from None


def _read_hub(group: Group) -> tuple[list[list[ItemsByKey]], list[dict]]:
    """Return the training items of all tasks and the held-out ones, and their sources."""
    published, sources = PUBLISHED[group], []
    name, fields_of, configuration, file, branch = published.repository
    pools = {split: [] for split in published.splits}
    for task in group.tasks:
        part = configuration or task.rpartition("/")[2]
        files = {split: file.format(configuration=part, split=split) for split in pools}
        try:
            commit = hub.revision(name, kind="dataset", at=branch)
            folder = hub.download(name, commit, [*files.values()], kind="dataset", at=branch)
        except hub.Unavailable as error:
            line = "connect, or give a folder that has the task (`folder`, or NCNET_DATA)"
            raise hub.Unavailable(f"{error}; {line}") from error
        for split, path in files.items():
            rows, where = map(fields_of, _parquet_rows(folder / path)), f"`{task}`, {split} row"
            pools[split].append(
                items_by_key(published.row_model, split, rows, where=where, first=0)
            )
        sources.append({"repository": name, "revision": commit, "configuration": part})
    return [*pools.values()], sources


def _parquet_rows(path: Path) -> list[dict]:
    content = io.BytesIO(path.read_bytes())
    try:
        return read_table(content).to_pylist()
    except (ArrowException, OSError, ValueError):
        # Of a link into the hub's cache, what it points to: a new link would lead there again.
        raise ValueError(f"{path.resolve()} is damaged: delete it") from None


def items_by_key(
    model: type[BaseModel], split: str, rows: Iterable[dict | None], *, where: str, first: int
) -> ItemsByKey:
    """Return the items of a split by key.

    Parameters
    ----------
    model, split
        The model of a row, and what keys begin with.
    rows
        The fields of each by name; None where one is left out.
    where, first
        The words of a refusal before the number of a row, and the number of the first row.

    Raises
    ------
    ValueError
        For a row that is not what its model says, an id that is there twice, and rows that cannot
        be read; the line names the row.

    Examples
    --------
    >>> from ncnet.datasets.catalogue import Sentence
    >>> rows = [{"text_a": "A fine film.", "label": 1}, {"text_a": "A film.", "label": 2}]
    >>> items_by_key(Sentence, "train", rows[:1], where="line", first=1)["train:0"].label
    1
    >>> items_by_key(Sentence, "train", rows, where="line", first=1)
    Traceback (most recent call last):
    ValueError: line 2: `label` is 2: expected an integer of 0 to 1
    """
    found: ItemsByKey = {}
    number = first
    try:
        for row in rows:
            if row is not None:
                fields = model.model_validate(row).model_dump()
                key = f"{split}:{fields.pop('id', number - first)}"
                check(key not in found, f"`id` is {row.get('id')}, as before", "one a pair")
                found[key] = Item(key, **fields)
            number += 1
    except ValidationError as error:
        line = _problem_line(error.errors()[0], row, CHOICES if model is Choice else 2)
    except KeyError as error:
        line = f"no column {error}"
    except ValueError as error:
        line = str(error)
    else:
        return found
    raise ValueError(f"{where} {number}: {line}")


def _problem_line(problem: Mapping[str, Any], row: dict, classes: int) -> str:
    """Return in a line what pydantic finds wrong with a row."""
    name, *within = problem["loc"]
    if problem["type"] == "missing":
        return f"no field `{name}`: expected it beside {shown([*row])}"
    expected = {
        "id": "an integer",
        "label": f"an integer of 0 to {classes - 1}",
        "choices": f"{CHOICES} texts",
    }
    found = f"`{name}` {'holds' if within else 'is'} {shown(problem['input'])}"
    return f"{found}: expected {expected.get(name, 'a text')}"


def _shuffled(
    pools: Sequence[ItemsByKey], seen: set, generator: np.random.Generator
) -> list[Translations]:
    """Return items that are in all languages, with one label, and say what none has said before."""
    found = []
    for key in pools[0]:
        entry = tuple(pool[key] for pool in pools if key in pool)
        if len(entry) == len(pools) and len({item.label for item in entry}) == 1:
            contents = {(place, item.content) for place, item in enumerate(entry)}
            if contents.isdisjoint(seen):
                found.append(entry)
            seen |= contents
    return [found[k] for k in generator.permutation(len(found))]
