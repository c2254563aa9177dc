"""Networks and trainings in safetensors files, whole or not at all; peft reads the adapters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor
from torch.optim import Optimizer

from ncnet.checks import check
from ncnet.encoders.model import TwoHeads
from ncnet.encoders.trunk import FULL, lora_config
from ncnet.files import expanded, replace

ADAPTER, HEADS = "adapter_model.safetensors", "heads.safetensors"
MOMENTS = ("exp_avg", "exp_avg_sq")


def save_adapters(model: TwoHeads, folder: Path) -> None:
    """Write adapters, as ``peft.PeftModel.from_pretrained`` reads them, and heads.

    Of full fine-tuning, at rank `FULL`, it writes heads only: all weights of a layer are no
    adapter.
    """
    folder, trunk = expanded(folder), model.trunk
    for name, weights in _weights(model).items():
        write(folder / name, weights)
    if 0 < trunk.rank < FULL:
        adapted = range(trunk.lowest, trunk.lowest + len(trunk.layers))
        layers = {"layers_to_transform": list(adapted), "layers_pattern": "layer"}
        lora_config(trunk.rank, trunk.alpha, **layers).save_pretrained(folder)


def load_adapters(model: TwoHeads, folder: Path) -> None:
    """Fill a network with the kept weights of one of the same encoder, rank and tasks.

    Raises
    ------
    ValueError
        For a file that is damaged, or of a network of another shape: nothing is changed then.
    FileNotFoundError
        For a file that is missing.
    """
    folder = expanded(folder)
    weights = _weights(model)
    fits = ADAPTER in weights or not (folder / ADAPTER).exists()
    check(fits, f"{folder / ADAPTER} is of a network with adapters", "one without, as this one is")
    _fill({folder / name: (own, read(folder / name)) for name, own in weights.items()})


def _weights(model: TwoHeads) -> dict[str, dict[str, Tensor]]:
    weights = {HEADS: model.heads.state_dict()}
    adapters = {name: w for name, w in model.trunk.trainable().items() if ".lora_" in name}
    if adapters:
        weights[ADAPTER] = {_name(name, model.trunk.lowest): w for name, w in adapters.items()}
    return weights


def _name(name: str, lowest: int) -> str:
    """Return the name that peft gives to an adapter's weight in a `BertModel`."""
    _, place, *rest = name.replace(".default.", ".").split(".")
    return ".".join(["base_model.model.encoder.layer", str(lowest + int(place)), *rest])


def save_training(path: Path, model: TwoHeads, optimizer: Optimizer, step: int) -> None:
    """Write weights and Adam's moments after `step` steps, at least one."""
    write(path, _state(model, optimizer, torch.tensor(step)))


def load_training(path: Path, model: TwoHeads, optimizer: Optimizer) -> int:
    """Put a written state back and return its step, or 0 where nothing was written."""
    step, trained = torch.tensor(0), model.trainable().values()
    if path.exists():
        for weight in trained:
            optimizer.state[weight] = {moment: torch.empty_like(weight) for moment in MOMENTS}
        _fill({path: (_state(model, optimizer, step), read(path))})
        for weight in trained:
            optimizer.state[weight]["step"] = step.float()
    return int(step)


def _state(model: TwoHeads, optimizer: Optimizer, step: Tensor) -> dict[str, Tensor]:
    state = model.trainable() | {"step": step}
    for name, weight in model.trainable().items():
        state |= {f"{moment} {name}": optimizer.state[weight][moment] for moment in MOMENTS}
    return state


def write(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write named tensors."""
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, save(whole, {"format": "pt"}))


def read(path: Path) -> dict[str, Tensor]:
    """Return what `write` wrote.

    Raises
    ------
    ValueError
        For a file that is damaged.
    """
    try:
        return load(path.read_bytes())
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged ({error}): delete it") from None


def _fill(files: Mapping[Path, tuple[Mapping[str, Tensor], Mapping[str, Tensor]]]) -> None:
    """Copy into weights what was found of them in files, if all of it is of their shapes."""
    for path, (weights, found) in files.items():
        for name in {**weights, **found}:
            here, there = (
                f"`{name}` of shape {tuple(of[name].shape)}" if name in of else f"no `{name}`"
                for of in (weights, found)
            )
            check(there == here, f"{path} has {there}, of another encoder, rank or task", here)
    for weights, found in files.values():
        for name, weight in weights.items():
            weight.detach().copy_(found[name])
