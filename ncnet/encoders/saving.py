"""Networks and outcomes in safetensors files, whole or not at all; peft reads the adapters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from peft import LoraConfig
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from ncnet.encoders.model import Networks
from ncnet.encoders.trunk import FULL
from ncnet.files import expanded, replace

ADAPTER, HEADS = "adapter_model.safetensors", "heads.safetensors"
PROJECTIONS = ("query", "value")


def save_network(networks: Networks, place: int, folder: Path) -> None:
    """Write one network: adapters, as ``peft.PeftModel.from_pretrained`` reads them, and heads.

    Of full fine-tuning it writes heads only: all weights of a layer are no adapter.
    """
    folder, heads = expanded(folder), {}
    for (name, of_task), head in zip(networks.networks.items(), networks.heads, strict=True):
        for at in (of_task == place).nonzero().ravel().tolist():
            heads |= {f"{name}.weight": head.weight[at], f"{name}.bias": head.bias[at, 0]}
    write(folder / HEADS, heads)
    if 0 < networks.rank < FULL:
        lowest, layers = networks.lowest, networks.trunks.layers
        config = LoraConfig(
            r=int(networks.rank),
            lora_alpha=networks.hyperparameters.alpha,
            target_modules=list(PROJECTIONS),
            layers_to_transform=list(range(lowest, lowest + len(layers))),
            layers_pattern="layer",
        )
        adapters = {}
        for at, layer in enumerate(layers, lowest):
            for projection in PROJECTIONS:
                linear = getattr(layer, projection)
                name = f"base_model.model.encoder.layer.{at}.attention.self.{projection}"
                adapters[f"{name}.lora_A.weight"] = linear.down[place]
                adapters[f"{name}.lora_B.weight"] = linear.up[place]
        write(folder / ADAPTER, adapters)
        config.save_pretrained(folder)


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
