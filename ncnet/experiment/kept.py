"""Finished contexts of an experiment in a folder, one file each.

A folder holds contexts of one experiment, which its `DESCRIPTION` tells. It is its owner's, and may
be deleted: contexts are then trained again.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np

from ncnet.chsh.outcomes import SPLITS
from ncnet.experiment.trained import LABELS, Trained
from ncnet.files import replace

DESCRIPTION = "experiment.json"
SINGLE = (*LABELS.values(), "alice_loss", "bob_loss")
"""Fields of `Trained` that are one array each."""
DAMAGE = (
    EOFError,
    KeyError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What numpy raises for a file of which bits are wrong or missing."""


def write(path: Path, trained: Trained) -> None:
    """Keep what a context gave, whole or not at all."""
    arrays = {name: getattr(trained, name) for name in SINGLE}
    for split, (a, b) in trained.splits().items():
        arrays |= {f"{split}_a": a, f"{split}_b": b}
    content = io.BytesIO()
    np.savez(content, **{name: array for name, array in arrays.items() if array is not None})
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, content.getvalue())


def read(path: Path) -> Trained:
    """Return what a context gave.

    Raises
    ------
    ValueError
        For a file that is damaged.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            arrays = dict(file)
        pairs = {
            split: (arrays.pop(f"{split}_a"), arrays.pop(f"{split}_b"))
            for split in SPLITS
            if f"{split}_a" in arrays
        }
        return Trained(**pairs, **arrays)
    except (*DAMAGE, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error}): delete it") from None
