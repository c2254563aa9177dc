"""The state of a training in a safetensors file, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ncnet.files import replace

MOMENTS = ("exp_avg", "exp_avg_sq")


def write(path: Path, tensors: Mapping[str, Tensor], **described: str) -> None:
    """Write named tensors, and a few words about them."""
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, save(whole, described))


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return what `write` wrote.

    Raises
    ------
    ValueError
        For a file that is damaged.
    """
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return tensors, file.metadata() or {}
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged ({error}): delete it") from None


def check(weights: Mapping[str, Tensor], found: Mapping[str, Tensor], path: Path) -> None:
    """Raise ``ValueError`` unless a file has a tensor of the right shape for each weight."""
    for name, weight in weights.items():
        shape = tuple(found[name].shape) if name in found else None
        if shape != tuple(weight.shape):
            there = f"`{name}` of shape {shape}" if shape else f"no `{name}`"
            raise ValueError(
                f"{path} has {there}: expected shape {tuple(weight.shape)}; it is of another "
                "encoder, rank or task"
            )


def fill(weights: Mapping[str, Tensor], found: Mapping[str, Tensor], path: Path) -> None:
    """Copy tensors that were found in a file into the weights of the same names, if they fit."""
    check(weights, found, path)
    for name, weight in weights.items():
        weight.detach().copy_(found[name])


def write_training(
    path: Path, trained: Mapping[str, Tensor], optimizer: torch.optim.Optimizer, step: int
) -> None:
    """Write weights and Adam's moments after `step` steps, at least one."""
    moments = {
        f"{moment} {name}": optimizer.state[weight][moment]
        for name, weight in trained.items()
        for moment in MOMENTS
    }
    write(path, {**trained, **moments}, step=str(step))


def restore_training(
    path: Path, trained: Mapping[str, Tensor], optimizer: torch.optim.Optimizer
) -> int:
    """Put a written state back and return its step, or 0 where nothing was written."""
    if not path.exists():
        return 0
    found, described = read(path)
    fill(trained, found, path)
    step = int(described["step"])
    for name, weight in trained.items():
        moments = {m: torch.empty_like(weight) for m in MOMENTS}
        fill({f"{m} {name}": moment for m, moment in moments.items()}, found, path)
        optimizer.state[weight] = {"step": torch.tensor(float(step)), **moments}
    return step
