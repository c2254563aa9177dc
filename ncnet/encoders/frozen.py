"""The states of items behind an encoder's frozen layers: computed once, for all who need them.

They are the same for all ranks, replicas and pairs, for shuffled labels and for other sweeps on the
same items. Where they lie in a folder, processes map them into memory, and of several that need the
same ones at once, one computes them. A file is found by all that its states follow from: tokens,
weights and sizes of the encoder, layers, versions, and a checksum of the code that was imported. It
may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from ncnet.datasets import TaskData
from ncnet.encoders.catalogue import Encoder
from ncnet.encoders.tasks import EncodedTask, Sequences, chunks, parts_of, tokenized
from ncnet.encoders.trunk import Layout, frozen_layers
from ncnet.files import checksum, code_of

PACKAGE = Path(__file__).resolve().parent
CODE = checksum(code_of(PACKAGE), PACKAGE)
"""The checksum of this package's code as it was imported: an edit later is not what runs."""


def encoded(
    encoder: Encoder, data: TaskData, *, layers: int, folder: Path | None = None
) -> EncodedTask:
    """Return a task for networks of so many adapted layers.

    Its states lie in a folder, if one is given, or else in memory.
    """
    tokens = tuple(tokenized(encoder, part) for part in parts_of(data))
    states = tuple(frozen_states(encoder, part, layers, folder) for part in tokens)
    return EncodedTask(encoder, data, tokens, states)


def frozen_states(
    encoder: Encoder, tokens: Sequences, layers: int, folder: Path | None
) -> np.ndarray:
    """Return what the lowest adapted layer reads of tokens, and its own keys and values.

    Returns
    -------
    numpy.ndarray
        float32 [tokens, 3 width]: states, keys and values without adapters, packed, one sequence
        behind the other.

    Raises
    ------
    OSError
        For a folder that cannot be written, or is full: nothing is left half written.
    """
    shape = len(tokens.ids), 3 * encoder.width
    if not shape[0]:
        return np.empty(shape, np.float32)
    if folder is None:
        return _filled(encoder, tokens, layers, np.empty(shape, np.float32))
    path = folder / f"{_digest(encoder, tokens, layers)}.npy"
    states = _mapped(path, shape)
    if states is None:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            states = _mapped(path, shape)
            if states is None:
                _write(encoder, tokens, layers, path, shape)
                states = _mapped(path, shape)
    return states


def _mapped(path: Path, shape: tuple[int, int]) -> np.ndarray | None:
    """Return the states of a whole file, or None where there is none, or it was cut off."""
    try:
        states = np.load(path, mmap_mode="r", allow_pickle=False)
    except (FileNotFoundError, ValueError, EOFError):
        return None
    return states if (states.shape, states.dtype) == (shape, np.float32) else None


def _write(
    encoder: Encoder, tokens: Sequences, layers: int, path: Path, shape: tuple[int, int]
) -> None:
    """Write states beside their place, and rename the file when it is whole."""
    written = path.with_suffix(".part")
    try:
        with written.open("wb") as file:  # a full disk says so here, and not as it is mapped
            np.lib.format.write_array_header_1_0(
                file, {"descr": "<f4", "fortran_order": False, "shape": shape}
            )
            start, size = file.tell(), 4 * shape[0] * shape[1]
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), start, size)
            else:  # macOS
                file.truncate(start + size)
        states = np.load(written, mmap_mode="r+", allow_pickle=False)
        _filled(encoder, tokens, layers, states).flush()
        written.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        written.unlink(missing_ok=True)


@torch.no_grad()
def _filled(encoder: Encoder, tokens: Sequences, layers: int, states: np.ndarray) -> np.ndarray:
    model, lengths = encoder.model, tokens.lengths
    lowest = frozen_layers(encoder, layers)
    attention = model.encoder.layer[lowest].attention.self
    numbers = torch.from_numpy(np.stack([tokens.ids, tokens.segments], axis=1))
    for chunk in _shown(lengths):
        places = _token_places(lengths, chunk)
        layout = Layout(lengths[chunk], model.device)
        ids, segments = layout.padded(numbers[places].to(model.device)).unbind(-1)
        hidden = layout.packed(model.embeddings(input_ids=ids, token_type_ids=segments))
        for layer in model.encoder.layer[:lowest]:
            hidden = _layer(layer, hidden, layout)
        kept = [hidden, attention.key(hidden), attention.value(hidden)]
        states[places] = torch.cat(kept, dim=-1).cpu().numpy()
    return states


def _layer(layer: nn.Module, hidden: torch.Tensor, layout: Layout) -> torch.Tensor:
    """Return what a frozen layer makes of packed tokens: the sums of the layer itself."""
    attention = layer.attention.self
    query, key, value = (
        layout.padded(of(hidden)).unflatten(-1, (-1, attention.attention_head_size)).transpose(1, 2)
        for of in (attention.query, attention.key, attention.value)
    )
    mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=layout.mask)
    mixed = layout.packed(mixed.transpose(1, 2).flatten(2))
    return layer.feed_forward_chunk(layer.attention.output(mixed, hidden))


def _shown(lengths: np.ndarray) -> Iterator[np.ndarray]:
    """Yield chunks of sequences, and show how far one is."""
    with tqdm(
        total=int(lengths.sum()), desc="frozen states", unit=" tokens", leave=False, disable=None
    ) as bar:
        for chunk in chunks(lengths):
            yield chunk
            bar.update(int(lengths[chunk].sum()))


def _token_places(lengths: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return where the tokens of chosen sequences lie, among those of all sequences [tokens].

    >>> _token_places(np.array([2, 5, 3]), np.array([2, 0])).tolist()
    [7, 8, 9, 0, 1]
    """
    ends = np.cumsum(lengths)
    return np.concatenate([np.arange(ends[k] - lengths[k], ends[k]) for k in chosen])


def _digest(encoder: Encoder, tokens: Sequences, layers: int) -> str:
    """Return a checksum of all that states follow from."""
    sizes = encoder.model.config.to_json_string()  # with the version of transformers
    about = [layers, sizes, encoder.model.device.type, CODE, torch.__version__]
    digest = hashlib.sha256(json.dumps(about).encode())
    for array in (tokens.ids, tokens.segments, tokens.lengths):
        digest.update(np.asarray(array, np.int64).tobytes())
    for name, weight in encoder.model.state_dict().items():
        digest.update(name.encode())
        digest.update(weight.cpu().numpy())
    return digest.hexdigest()[:32]
