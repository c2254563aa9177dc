"""The trained weights of a network, in files that peft reads too."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from ncnet.encoders import checkpoints
from ncnet.encoders.model import TwoHeads
from ncnet.encoders.trunk import FULL, lora
from ncnet.files import expanded

ADAPTER, HEADS = "adapter_model.safetensors", "heads.safetensors"


def save(model: TwoHeads, folder: Path, *, rank: float, alpha: float) -> None:
    """Write adapters, as ``peft.PeftModel.from_pretrained`` reads them, and heads.

    Of full fine-tuning, at rank `FULL`, only heads: all weights of a layer are no adapter.
    """
    folder = expanded(folder)
    for name, weights in _weights(model).items():
        checkpoints.write(folder / name, weights, format="pt")
    if 0 < rank < FULL:
        config = lora(rank, alpha)
        lowest = model.trunk.lowest
        config.layers_to_transform = list(range(lowest, lowest + len(model.trunk.layers)))
        config.layers_pattern = "layer"
        config.save_pretrained(folder)


def load(model: TwoHeads, folder: Path) -> None:
    """Fill a network with what `save` wrote of one of the same encoder, rank and tasks.

    Raises
    ------
    ValueError
        For a file that is damaged, or of a network of another shape: nothing is changed then.
    FileNotFoundError
        For a file that is missing.
    """
    folder = expanded(folder)
    weights = _weights(model)
    if ADAPTER not in weights and (folder / ADAPTER).exists():
        raise ValueError(f"{folder / ADAPTER} is of a network with adapters: this one has none")
    found = {name: checkpoints.read(folder / name)[0] for name in weights}
    for name in weights:
        checkpoints.check(weights[name], found[name], folder / name)
        surplus = sorted(found[name].keys() - weights[name].keys())
        if surplus:
            raise ValueError(f"{folder / name} has `{surplus[0]}`, which this network lacks")
    for name in weights:
        checkpoints.fill(weights[name], found[name], folder / name)


def _weights(model: TwoHeads) -> dict[str, dict[str, Tensor]]:
    weights = {HEADS: model.heads.state_dict()}
    adapters = {name: w for name, w in model.trunk.trained().items() if ".lora_" in name}
    if adapters:
        weights[ADAPTER] = {_name(name, model.trunk.lowest): w for name, w in adapters.items()}
    return weights


def _name(name: str, lowest: int) -> str:
    """Return the name that peft gives to an adapter's weight in a `BertModel`."""
    _, place, *rest = name.replace(".default.", ".").split(".")
    return ".".join(["base_model.model.encoder.layer", str(lowest + int(place)), *rest])
