"""The shared trunk: the encoder's upper layers with LoRA, fed with what lies frozen below them."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor, nn
from torch.nn import functional

from ncnet.encoders.catalogue import Encoder

if TYPE_CHECKING:
    from ncnet.encoders.tasks import Sequences

FULL = math.inf
"""The rank that stands for full fine-tuning: every weight of the adapted layers is trained."""
TOKENS_AT_ONCE = 4096


class Network(nn.Module):
    """A network of which some weights are trained."""

    def trained(self) -> dict[str, nn.Parameter]:
        """Return the weights that are trained, by name."""
        return {name: w for name, w in self.named_parameters() if w.requires_grad}


class Trunk(Network):
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
        self.rank, self.alpha = rank, alpha
        self.lowest = lowest_adapted(encoder, rank, layers)
        upper = encoder.model.encoder.layer[self.lowest :]
        shared = {} if rank == FULL else {id(weight): weight for weight in upper.parameters()}
        self.layers = copy.deepcopy(upper, shared)
        if rank == FULL:
            self.layers.requires_grad_(True)
        elif rank > 0:
            inject_adapter_in_model(lora(rank, alpha), self.layers)
            for place, (name, weight) in enumerate(sorted(self.trained().items())):
                if "lora_A" in name:
                    drawn = np.random.default_rng([*seed, place]).random(tuple(weight.shape))
                    bound = 1 / math.sqrt(weight.shape[1])
                    weight.data.copy_(torch.from_numpy(bound * (2 * drawn - 1)))
        self.eval()

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
        layout = Layout(starts, lengths, states.device)
        width = self.layers[0].attention.self.all_head_size
        hidden, *projected = states.index_select(0, layout.tokens).split(width, dim=-1)
        for layer in self.layers[:-1]:
            hidden = _through(layer, hidden, layout, projected=projected)
            projected = []
        return _through(self.layers[-1], hidden, layout, first_only=True, projected=projected)


class Layout:
    """Where the tokens of some sequences lie: packed, and side by side for attention.

    Only attention needs sequences side by side, padded to the longest; all else is computed of the
    tokens there are.

    Parameters
    ----------
    starts, lengths
        Where each sequence starts among all tokens, and its tokens [sequences].
    device
        Where to compute.

    Attributes
    ----------
    tokens
        Places, among all tokens, of those of these sequences, one sequence behind the other.
    first
        Place of each sequence's first token among these.
    mask
        True at tokens, false at padding [sequences, 1, 1, longest]; None where all sequences are
        equally long.

    Examples
    --------
    >>> layout = Layout(np.array([0, 7]), np.array([2, 3]), torch.device("cpu"))
    >>> layout.tokens.tolist()
    [0, 1, 7, 8, 9]
    >>> layout.side_by_side(torch.arange(1, 6)[:, None])[..., 0].tolist()
    [[1, 2, 0], [3, 4, 5]]
    """

    def __init__(self, starts: np.ndarray, lengths: np.ndarray, device: torch.device):
        steps = np.arange(lengths.max())
        there = steps < lengths[:, None]
        whole = there.all()
        self.shape = there.shape
        self.tokens = torch.from_numpy((starts[:, None] + steps)[there]).to(device)
        self.first = torch.from_numpy(np.cumsum(lengths) - lengths).to(device)
        self._places = torch.from_numpy(np.flatnonzero(there)).to(device)
        self.mask = None if whole else torch.from_numpy(there)[:, None, None].to(device)

    def side_by_side(self, rows: Tensor) -> Tensor:
        """Return packed rows [tokens, ...] as [sequences, longest, ...], zeros for padding."""
        if self.mask is not None:
            room = rows.new_zeros(math.prod(self.shape), *rows.shape[1:])
            rows = room.index_copy(0, self._places, rows)
        return rows.unflatten(0, self.shape)

    def packed(self, rows: Tensor) -> Tensor:
        """Return rows side by side [sequences, longest, ...] as [tokens, ...]."""
        rows = rows.flatten(0, 1)
        return rows if self.mask is None else rows.index_select(0, self._places)


def lora(rank: float, alpha: float) -> LoraConfig:
    """Return the adapters of each layer: on query and value, without dropout."""
    return LoraConfig(
        r=int(rank), lora_alpha=alpha, lora_dropout=0.0, target_modules=["query", "value"]
    )


def lowest_adapted(encoder: Encoder, rank: float, layers: int) -> int:
    """Return the number of layers that stay frozen below the lowest adapted one."""
    return encoder.layers - (layers if rank > 0 else 0)


@torch.no_grad()
def frozen_states(
    encoder: Encoder, tasks: Sequence[Sequences], rank: float, layers: int
) -> tuple[Tensor, np.ndarray]:
    """Return what the frozen part makes of the sequences of tasks: computed once, it never changes.

    Returns
    -------
    torch.Tensor
        [tokens of all tasks, ...], by rank. `FULL`: the states that the lowest adapted layer reads.
        Any other above 0: these, and behind them that layer's own keys and values, to which
        adapters add. 0: the last states, of which heads read each sequence's first.
    numpy.ndarray
        Where each sequence starts among them.
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
    for group in _chunks([task.lengths for task in tasks]):
        layout = Layout(starts[group], lengths[group], model.device)
        numbers = layout.side_by_side(tokens[layout.tokens])
        hidden = model.embeddings(input_ids=numbers[..., 0], token_type_ids=numbers[..., 1])
        hidden = layout.packed(hidden)
        for layer in model.encoder.layer[:lowest]:
            hidden = _through(layer, hidden, layout)
        kept = [hidden, *(projection(hidden) for projection in projections)]
        states[layout.tokens] = torch.cat(kept, dim=-1)
    return states, starts


def _chunks(lengths: Sequence[np.ndarray]) -> Iterable[np.ndarray]:
    """Yield sequences of one task and of like length, as many as fit into `TOKENS_AT_ONCE`.

    How a state is rounded depends on what is computed along with it: never on another task.
    """
    before = 0
    for of_task in lengths:
        order = before + np.argsort(of_task, kind="stable")
        before += len(of_task)
        while len(order):
            count = max(1, TOKENS_AT_ONCE // int(of_task[order[-1] - before]))
            yield order[-count:]
            order = order[:-count]


def _through(
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
    query = query[:, None] if first_only else layout.side_by_side(query)
    key, value = projected or (attention.key(hidden), attention.value(hidden))

    def heads(rows: Tensor) -> Tensor:
        return rows.unflatten(-1, (-1, attention.attention_head_size)).transpose(1, 2)

    query, key, value = map(heads, (query, *map(layout.side_by_side, (key, value))))
    if projected:
        adapted = attention.value
        low = functional.linear(hidden, adapted.lora_A["default"].weight)
        up = adapted.lora_B["default"].weight * adapted.scaling["default"]
        weights = query @ key.mT * attention.scaling
        if layout.mask is not None:
            weights = weights.masked_fill(~layout.mask, -math.inf)
        weights = weights.softmax(-1)
        # What the adapter adds is mixed while it is still of low rank.
        added = weights @ layout.side_by_side(low)[:, None]
        added = added @ up.unflatten(0, (-1, attention.attention_head_size)).mT
        mixed = weights @ value + added
    else:
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=layout.mask)
    mixed = mixed.transpose(1, 2).flatten(2)
    mixed = mixed[:, 0] if first_only else layout.packed(mixed)
    return layer.feed_forward_chunk(layer.attention.output(mixed, asking))
