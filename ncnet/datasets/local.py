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

from ncnet.datasets import validation
from ncnet.datasets.catalogue import Published
from ncnet.datasets.hub import Unavailable
from ncnet.datasets.items import ItemsByKey
from ncnet.printing import shown


def read(task: str, published: Published, folder: Path) -> tuple[ItemsByKey, ItemsByKey, dict]:
    """Return the training items and the held-out ones by key, and the digests of their files.

    Raises
    ------
    Unavailable
        If a file is not there.
    ValueError
        For a file that is not what this module describes; the line names file and line.
    """
    found, digests = [], {}
    for split in published.local:
        name = f"{task}/{split}.jsonl.gz"
        try:
            content = (folder / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise Unavailable(
                f"no {name} in {folder}, for task `{task}`: give a folder that has it "
                "(`folder`, or NCNET_DATA), or none, to use the Hugging Face hub"
            ) from None
        digests[name] = hashlib.sha256(content).hexdigest()
        rows, where = _rows(content), f"{name}, line"
        found.append(validation.items(published.row, split, rows, where=where, first=1))
    return *found, digests


def _rows(content: bytes) -> Iterator[dict]:
    """Yield the fields of each line."""
    try:
        with gzip.open(io.BytesIO(content)) as lines:
            for line in lines:
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise ValueError(f"a row is {shown(row)}: expected fields by name")
                yield row
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON ({error.msg})") from None
    except UnicodeDecodeError:
        raise ValueError("no UTF-8") from None
    except EOFError:
        raise ValueError("the file is cut short; copy it again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"not a whole gzip file ({error})") from None
