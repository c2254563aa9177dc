"""Reads the tasks from a local folder: gzip JSON lines, one file a split.

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
"""

import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

from ncnet.datasets.catalogue import Published
from ncnet.datasets.hub import Unavailable
from ncnet.datasets.items import Item
from ncnet.datasets.rows import item


def read(folder: Path, task: Published) -> tuple[dict[str, Item], dict[str, Item], dict[str, str]]:
    """Return the training items and the held-out ones by key, and the digests of their files.

    Raises
    ------
    Unavailable
        If a file is not there.
    ValueError
        For a file that is not what this module describes; the line names file and line.
    """
    digests: dict[str, str] = {}
    training, held_out = (_file(folder, name, task, digests) for name in task.local)
    return training, held_out, digests


def _file(folder: Path, name: str, task: Published, digests: dict[str, str]) -> dict[str, Item]:
    relative = f"{name}.jsonl.gz"
    try:
        content = (folder / relative).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise Unavailable(
            f"no {relative} in {folder}, for task `{task.name}`: give a folder that has it "
            "(`folder`, or NCNET_DATA), or none, to use the Hugging Face hub"
        ) from None
    digests[relative] = hashlib.sha256(content).hexdigest()
    items: dict[str, Item] = {}
    for number, line in _lines(content, relative):
        try:
            row = json.loads(line)
            key = _key(name, number, row, task)
            if key in items:
                raise ValueError(f"`id` is {row['id']}, as in an earlier line: expected one a pair")
            items[key] = item(task.kind, task.classes, key, row)
        except json.JSONDecodeError as error:
            raise ValueError(f"{relative}, line {number}: no JSON ({error.msg})") from None
        except UnicodeDecodeError:
            raise ValueError(f"{relative}, line {number}: no UTF-8") from None
        except ValueError as error:
            raise ValueError(f"{relative}, line {number}: {error}") from None
    return items


def _lines(content: bytes, relative: str) -> Iterator[tuple[int, bytes]]:
    number = 0
    try:
        with gzip.open(io.BytesIO(content)) as lines:
            for number, line in enumerate(lines, start=1):
                yield number, line
    except EOFError:
        raise ValueError(
            f"{relative}, line {number + 1}: the file is cut short; copy it again"
        ) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(
            f"{relative}, line {number + 1}: not a whole gzip file ({error})"
        ) from None


def _key(name: str, number: int, row: object, task: Published) -> str:
    split = name.rpartition("/")[2]
    if task.group == task.name:
        return f"{split}:{number - 1}"
    if not isinstance(row, dict) or not isinstance(row.get("id"), int):
        raise ValueError("no whole number `id`: expected the published id of the pair")
    return f"{split}:{row['id']}"
