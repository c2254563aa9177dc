"""The shared trunk: the encoder's upper layers with LoRA, fed with what lies frozen below them."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import numpy as np
import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor, nn
from torch.nn import functional

from ncnet.encoders.catalogue import Encoder

FULL = math.inf
"""The rank that stands for full fine-tuning: every weight of the adapted layers is trained."""


class Network(nn.Module):
    """A network of which some weights are trained."""

    def trainable(self) -> dict[str, nn.Parameter]:
        """Return the weights that are trained, by name."""
        return {name: w for name, w in self.named_parameters() if w.requires_grad}


class Trunk(Network):
    """The `layers` upper layers of an encoder, adapted; what they read comes from `encoded`.

    Parameters
    ----------
    encoder
        Its weights stay as they are: those of full fine-tuning are copies.
    rank
        The rank of the adapters on query and value of each of these layers. At 0 nothing is
        adapted. At `FULL` every weight of these layers is trained.
    alpha
        What an adapter adds is scaled by ``alpha / rank``.
    layers
        The number of adapted layers, from the top.
    seed
        It determines the adapters' initial weights: A is uniform as in peft and B is zero, so that
        training starts from the encoder as it is. With the same seed the weights of a rank are
        among those of a higher one.
    """

    def __init__(self, encoder: Encoder, *, rank: float, alpha: float, layers: int, seed: object):
        super().__init__()
        self.rank, self.alpha = rank, alpha
        self.lowest = frozen_layers(encoder, rank, layers)
        upper = encoder.model.encoder.layer[self.lowest :]
        shared = {} if rank == FULL else {id(weight): weight for weight in upper.parameters()}
        self.layers = copy.deepcopy(upper, shared)
        if rank == FULL:
            self.layers.requires_grad_(True)
        elif rank > 0:
            inject_adapter_in_model(lora_config(rank, alpha), self.layers)
            for place, (name, weight) in enumerate(sorted(self.trainable().items())):
                if "lora_A" in name:
                    drawn = np.random.default_rng([*seed, place]).random(tuple(weight.shape))
                    bound = 1 / math.sqrt(weight.shape[1])
                    weight.data.copy_(torch.from_numpy(bound * (2 * drawn - 1)))
        self.eval()

    def forward(self, states: Tensor, lengths: np.ndarray) -> Tensor:
        """Return the last state of each sequence's first token, [sequences, width].

        Parameters
        ----------
        states
            States of the sequences from an `EncodedTask`, one behind the other [tokens, ...].
        lengths
            The number of tokens of each sequence [sequences].
        """
        layout = Layout(lengths, states.device)
        if not len(self.layers):
            return states[layout.first]
        width = self.layers[0].attention.self.all_head_size
        hidden, *projected = states.split(width, dim=-1)
        for layer in self.layers[:-1]:
            hidden = layer_output(layer, hidden, layout, projected=projected)
            projected = []
        return layer_output(self.layers[-1], hidden, layout, first_only=True, projected=projected)


class Layout:
    """The places of the tokens of some sequences: packed, and padded for attention.

    Attention needs all sequences padded to the longest. All else is computed of the tokens that
    there are, packed one sequence behind the other.

    Parameters
    ----------
    lengths
        The number of tokens of each sequence [sequences].
    device
        The device to compute on.

    Attributes
    ----------
    first
        The place of each sequence's first token among the packed ones [sequences].
    mask
        True at tokens, false at padding [sequences, 1, 1, longest]; None where all sequences are
        equally long.

    Examples
    --------
    >>> layout = Layout(np.array([2, 3]), torch.device("cpu"))
    >>> layout.padded(torch.arange(1, 6)[:, None])[..., 0].tolist()
    [[1, 2, 0], [3, 4, 5]]
    """

    def __init__(self, lengths: np.ndarray, device: torch.device):
        there = np.arange(lengths.max()) < lengths[:, None]
        self.shape = there.shape
        self.first = torch.from_numpy(np.cumsum(lengths) - lengths).to(device)
        self.mask = None if there.all() else torch.from_numpy(there)[:, None, None].to(device)
        self._places = torch.from_numpy(np.flatnonzero(there)).to(device)

    def padded(self, rows: Tensor) -> Tensor:
        """Return packed rows [tokens, ...] as [sequences, longest, ...], zeros for padding."""
        if self.mask is not None:
            room = rows.new_zeros(math.prod(self.shape), *rows.shape[1:])
            rows = room.index_copy(0, self._places, rows)
        return rows.unflatten(0, self.shape)

    def packed(self, rows: Tensor) -> Tensor:
        """Return padded rows [sequences, longest, ...] as [tokens, ...]."""
        rows = rows.flatten(0, 1)
        return rows if self.mask is None else rows.index_select(0, self._places)


def lora_config(rank: float, alpha: float, **layers: object) -> LoraConfig:
    """Return the adapters of some layers, or of all: on query and value, without dropout."""
    projections = ["query", "value"]
    return LoraConfig(r=int(rank), lora_alpha=alpha, target_modules=projections, **layers)


def frozen_layers(encoder: Encoder, rank: float, layers: int) -> int:
    """Return the number of layers that stay frozen below the lowest adapted one."""
    return encoder.layers - (layers if rank > 0 else 0)


def layer_output(
    layer: nn.Module,
    hidden: Tensor,
    layout: Layout,
    *,
    first_only: bool = False,
    projected: Sequence[Tensor] = (),
) -> Tensor:
    """Return what a layer of BERT makes of packed tokens, [tokens, width].

    The sums of the layer itself. Where only first tokens are read, what the others ask is left out
    [sequences, width]; where keys and values without adapters are known (`projected`), only what
    the adapters add to them is computed.
    """
    attention = layer.attention.self
    asking = hidden.index_select(0, layout.first) if first_only else hidden
    query = attention.query(asking)
    query = query[:, None] if first_only else layout.padded(query)
    key, value = projected or (attention.key(hidden), attention.value(hidden))

    def heads(rows: Tensor) -> Tensor:
        return rows.unflatten(-1, (-1, attention.attention_head_size)).transpose(1, 2)

    query, key, value = map(heads, (query, *map(layout.padded, (key, value))))
    if projected:
        adapted = attention.value
        low = functional.linear(hidden, adapted.lora_A["default"].weight)
        up = adapted.lora_B["default"].weight * adapted.scaling["default"]
        weights = query @ key.mT * attention.scaling
        if layout.mask is not None:
            weights = weights.masked_fill(~layout.mask, -math.inf)
        weights = weights.softmax(-1)
        # What the adapter adds is mixed while it is still of low rank.
        added = weights @ layout.padded(low)[:, None]
        added = added @ up.unflatten(0, (-1, attention.attention_head_size)).mT
        mixed = weights @ value + added
    else:
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=layout.mask)
    mixed = mixed.transpose(1, 2).flatten(2)
    mixed = mixed[:, 0] if first_only else layout.packed(mixed)
    return layer.feed_forward_chunk(layer.attention.output(mixed, asking))
