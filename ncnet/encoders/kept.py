"""Finished contexts in a folder: what a sweep that was cut off need not train again.

A folder holds contexts of one kind, which its `DESCRIPTION` tells: encoder, items and settings. It
is its owner's, and may be deleted: contexts are then trained again.
"""

from __future__ import annotations

from pathlib import Path

import torch

from ncnet.encoders import adapters, checkpoints
from ncnet.encoders.model import TwoHeads
from ncnet.encoders.training import Outcome

DESCRIPTION, OUTCOME = "sweep.json", "outcome.safetensors"


def place(folder: Path, rank: float, replica: int, context: tuple[int, int]) -> Path:
    """Return where a context is kept; settings count from 0."""
    i, j = context
    return folder / f"rank_{rank}" / f"replica_{replica:03}" / f"context_{i + 1}{j + 1}"


def read(folder: Path) -> Outcome | None:
    """Return the outcome that is kept there, if one is."""
    path = folder / OUTCOME
    if not path.exists():
        return None
    tensors, _ = checkpoints.read(path)
    return Outcome(
        tensors["correct"].numpy(), tensors["loss"].numpy(), bool(tensors["diverged"].item())
    )


def write(folder: Path, outcome: Outcome, model: TwoHeads, *, rank: float, alpha: float) -> None:
    """Keep an outcome, adapters and heads; not the many weights of full fine-tuning."""
    adapters.save(model, folder, rank=rank, alpha=alpha)
    # Last: where it is, the context is whole.
    tensors = {
        "correct": torch.from_numpy(outcome.correct),
        "loss": torch.from_numpy(outcome.loss),
        "diverged": torch.tensor(outcome.diverged),
    }
    checkpoints.write(folder / OUTCOME, tensors)
