"""The shared trunk: the encoder's upper layers with LoRA, fed with what lies frozen below them."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn
from torch.nn import functional

from ncnet.encoders.catalogue import Encoder
from ncnet.encoders.sequences import Sequences

FULL = math.inf
"""The rank that stands for full fine-tuning: every weight of the adapted layers is trained."""
PADDING_WORTH = 512
"""Tokens of padding that cost as much as another pass through the layers."""
TOKENS_AT_ONCE = 16_384


class Trunk(nn.Module):
    """The `layers` upper layers of an encoder, adapted; what they read comes from `frozen_states`.

    Parameters
    ----------
    encoder
        Its weights stay as they are: those of full fine-tuning are copies.
    rank
        Of the adapters on query and value of each of these layers. 0: nothing is adapted. `FULL`:
        every weight of these layers is trained.
    alpha
        Scale of what an adapter adds: times ``alpha / rank``.
    layers
        Number of adapted layers, from the top.
    seed
        Of the adapters' initial weights: A uniform as in peft, B zero, so that training starts
        from the encoder as it is. With the same seed the weights of a rank are among those of a
        higher one.
    """

    def __init__(self, encoder: Encoder, *, rank: float, alpha: float, layers: int, seed: object):
        super().__init__()
        self.lowest = lowest_adapted(encoder, rank, layers)
        upper = encoder.model.encoder.layer[self.lowest :]
        shared = {} if rank == FULL else {id(weight): weight for weight in upper.parameters()}
        self.layers = copy.deepcopy(upper, shared)
        if rank == FULL:
            self.layers.requires_grad_(True)
        elif rank > 0:
            inject_adapter_in_model(lora(rank, alpha), self.layers)
            self._draw_adapters(seed)
        self.eval()

    def _draw_adapters(self, seed: object) -> None:
        for place, (name, weight) in enumerate(sorted(self.trained().items())):
            if "lora_A" in name:
                drawn = np.random.default_rng([*seed, place]).random(tuple(weight.shape))
                bound = 1 / math.sqrt(weight.shape[1])
                weight.data.copy_(torch.from_numpy(bound * (2 * drawn - 1)))

    def trained(self) -> dict[str, nn.Parameter]:
        """Return the weights that are trained, by name."""
        return {name: w for name, w in self.named_parameters() if w.requires_grad}

    def forward(self, states: Tensor, starts: np.ndarray, lengths: np.ndarray) -> Tensor:
        """Return the last state of each sequence's first token, [sequences, width].

        Parameters
        ----------
        states
            What `frozen_states` returned, [tokens, width].
        starts, lengths
            Where in it each sequence starts, and its tokens.
        """
        if not len(self.layers):
            return states[starts]
        groups = by_length(lengths)
        found = [self._group(states, starts[group], lengths[group]) for group in groups]
        return torch.cat(found)[np.argsort(np.concatenate(groups))]

    def _group(self, states: Tensor, starts: np.ndarray, lengths: np.ndarray) -> Tensor:
        rows, mask = padded(states, starts, lengths)
        width = self.layers[0].attention.self.all_head_size
        hidden, *projected = rows.split(width, dim=-1)
        for layer in self.layers[:-1]:
            hidden = _through(layer, hidden, hidden, mask, projected)
            projected = []
        return _through(self.layers[-1], hidden, hidden[:, :1], mask, projected)[:, 0]


def lora(rank: float, alpha: float) -> LoraConfig:
    """Return the adapters of each layer: on query and value, without dropout."""
    return LoraConfig(
        r=int(rank), lora_alpha=alpha, lora_dropout=0.0, target_modules=["query", "value"]
    )


def lowest_adapted(encoder: Encoder, rank: float, layers: int) -> int:
    """Return the number of layers that stay frozen below the lowest adapted one."""
    return encoder.layers - (layers if rank > 0 else 0)


@torch.no_grad()
def frozen_states(encoder: Encoder, tasks: Sequence[Sequences], rank: float, layers: int) -> Tensor:
    """Return what the frozen part makes of the sequences of tasks: computed once, it never changes.

    Returns
    -------
    torch.Tensor
        [tokens of all tasks, ...], by rank. `FULL`: the states that the lowest adapted layer reads.
        Any other above 0: these, and behind them that layer's own keys and values, to which
        adapters add. 0: the last states, of which heads read each sequence's first.
    """
    model = encoder.model
    lowest = lowest_adapted(encoder, rank, layers)
    tokens = np.concatenate([np.stack([task.ids, task.segments], axis=1) for task in tasks])
    tokens = torch.from_numpy(tokens).to(model.device)
    lengths = np.concatenate([task.lengths for task in tasks])
    starts = np.cumsum(lengths) - lengths
    projections = []
    if 0 < rank < FULL:
        attention = model.encoder.layer[lowest].attention.self
        projections = [attention.key, attention.value]
    width = encoder.width * (1 + len(projections))
    states = torch.empty(len(tokens), width, device=model.device)
    for group in _chunks(lengths):
        numbers, mask = padded(tokens, starts[group], lengths[group])
        hidden = model.embeddings(input_ids=numbers[..., 0], token_type_ids=numbers[..., 1])
        for layer in model.encoder.layer[:lowest]:
            hidden = _through(layer, hidden, hidden, mask)
        hidden = torch.cat([hidden, *(projection(hidden) for projection in projections)], dim=-1)
        for row, start, length in zip(hidden, starts[group], lengths[group], strict=True):
            states[start : start + length] = row[:length]
    return states


def padded(values: Tensor, starts: np.ndarray, lengths: np.ndarray) -> tuple[Tensor, Tensor | None]:
    """Return sequences side by side, [sequences, longest, ...], and the mask of what is none.

    Padding repeats a sequence's first token. The mask [sequences, 1, 1, longest] is true at
    tokens; None where all sequences are equally long.
    """
    steps = np.arange(lengths.max())
    there = steps < lengths[:, None]
    index = torch.from_numpy(starts[:, None] + steps * there).to(values.device)
    rows = values[index]
    if there.all():
        return rows, None
    return rows, torch.from_numpy(there)[:, None, None].to(values.device)


def by_length(lengths: np.ndarray) -> list[np.ndarray]:
    """Return sequences grouped by length, where that saves more padding than a pass costs.

    >>> [group.tolist() for group in by_length(np.array([90, 10, 90, 12] * 20))][0][:3]
    [1, 5, 9]
    """
    order = np.argsort(lengths, kind="stable")
    longest = lengths[order]
    groups = []
    while len(order):
        # The shorter ones apart: padding them to the longest costs that much more.
        below = np.arange(len(order))
        saved = below * (longest[-1] - np.concatenate([[0], longest[:-1]]))
        cut = int(saved.argmax())
        if saved[cut] <= PADDING_WORTH:
            cut = 0
        groups.append(order[cut:])
        order, longest = order[:cut], longest[:cut]
    return groups[::-1]


def _chunks(lengths: np.ndarray) -> Iterable[np.ndarray]:
    """Yield sequences of like length, as many as fit into `TOKENS_AT_ONCE`."""
    order = np.argsort(lengths, kind="stable")
    while len(order):
        count = max(1, TOKENS_AT_ONCE // int(lengths[order[-1]]))
        yield order[-count:]
        order = order[:-count]


def _through(
    layer: nn.Module,
    hidden: Tensor,
    asking: Tensor,
    mask: Tensor | None,
    projected: Sequence[Tensor] = (),
) -> Tensor:
    """Return what a layer of BERT makes of the tokens that ask, [sequences, asking, width].

    The sums of the layer itself. Where only the first token asks, those of the others' queries,
    which nobody reads, are left out; where its keys and values without adapters are known
    (`projected`), only what the adapters add to them is computed.
    """
    attention = layer.attention.self

    def heads(rows: Tensor) -> Tensor:
        return rows.unflatten(-1, (-1, attention.attention_head_size)).transpose(1, 2)

    if projected:
        key, value = projected
        low, up = _low(attention.value, hidden)
        weights = heads(attention.query(asking)) @ heads(key).mT * attention.scaling
        if mask is not None:
            weights = weights.masked_fill(~mask, -math.inf)
        weights = weights.softmax(-1)
        # What the adapter adds is mixed while it is still of low rank.
        added = (weights @ low[:, None]) @ up.unflatten(0, (-1, attention.attention_head_size)).mT
        mixed = weights @ heads(value) + added
    else:
        query, key, value = attention.query(asking), attention.key(hidden), attention.value(hidden)
        mixed = functional.scaled_dot_product_attention(
            heads(query), heads(key), heads(value), attn_mask=mask
        )
    attended = layer.attention.output(mixed.transpose(1, 2).flatten(2), asking)
    return layer.feed_forward_chunk(attended)


def _low(adapted: LoraLayer, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """Return what an adapter makes of states at its low rank, and what leads up from there."""
    down, up = adapted.lora_A["default"].weight, adapted.lora_B["default"].weight
    return functional.linear(hidden, down), up * adapted.scaling["default"]
