"""Finished contexts in a folder: what a sweep that was cut off need not train again."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from ncnet.encoders import adapters, checkpoints
from ncnet.encoders.model import TwoHeads
from ncnet.encoders.training import Outcome
from ncnet.files import replace

DESCRIPTION, OUTCOME = "sweep.json", "outcome.safetensors"


def claim(folder: Path, described: dict) -> None:
    """Write what a folder's contexts have in common, or check that it is the same.

    Raises
    ------
    ValueError
        If it is something else; the line names the first difference.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / DESCRIPTION
    described = json.loads(json.dumps(described))
    if not path.exists():
        replace(path, json.dumps(described, indent=2).encode())
    try:
        there = dict(json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error}): choose another folder") from None
    for name, value in described.items():
        if there.get(name) != value:
            raise ValueError(
                f"{folder} holds contexts with `{name}` {there.get(name)!r}, here it is {value!r}: "
                "choose another folder"
            )


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
