"""The shared trunks of several networks at once: an encoder's upper layers with LoRA.

All networks of a replica are trained side by side. Those that are trained on a task see the same
items at every step, and what lies frozen below is the same for all: so their queries are put to one
set of keys and values, and the frozen matrices multiply the rows of all of them together. Only
adapters, and what follows from them, are each network's own.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ncnet.encoders.catalogue import Encoder

FULL = math.inf
"""The rank that stands for full fine-tuning: every weight of the adapted layers is trained."""
POOLINGS = ("first", "mean")
"""Which state heads read: that of the first token, or the mean over all tokens."""


class Trunks(nn.Module):
    """The `layers` upper layers of an encoder, adapted, in several networks.

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
    pooling
        One of `POOLINGS`.
    networks
        The number of networks.
    seed
        It determines the adapters' initial weights, the same in all networks: A is uniform as in
        peft and B is zero, so that training starts from the encoder as it is. With the same seed
        the weights of a rank are among those of a higher one.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        rank: float,
        alpha: float,
        layers: int,
        pooling: str,
        networks: int,
        seed: tuple[int, ...],
    ):
        super().__init__()
        self.pooling = pooling
        upper = encoder.model.encoder.layer[frozen_layers(encoder, layers) :]
        self.layers = nn.ModuleList(
            _Layer(of, rank, alpha, networks, (*seed, 4 * place)) for place, of in enumerate(upper)
        )

    def forward(self, states: Tensor, layout: Layout, chosen: Tensor) -> Tensor:
        """Return the states that heads read, [networks, sequences, width].

        Parameters
        ----------
        states
            Padded states from an `EncodedTask` [sequences, longest, 3 width].
        layout
            Their layout.
        chosen
            The places of the networks that are trained on these sequences' task [networks].
        """
        hidden, last = None, len(self.layers) - 1
        for place, layer in enumerate(self.layers):
            # Only of the top layer is the first token's row enough.
            only = place == last and self.pooling == "first"
            hidden = layer(states, hidden, layout, chosen, first_only=only)
        if self.pooling == "first":
            return hidden
        return layout.padded(hidden).sum(dim=-2) / layout.lengths[:, None]


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
    lengths
        The same, there.
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
        self.lengths = torch.from_numpy(lengths).to(device)
        self.first = torch.from_numpy(np.cumsum(lengths) - lengths).to(device)
        self.mask = None if there.all() else torch.from_numpy(there)[:, None, None].to(device)
        self._places = torch.from_numpy(np.flatnonzero(there)).to(device)

    def padded(self, rows: Tensor) -> Tensor:
        """Return packed rows [..., tokens, width] as [..., sequences, longest, width]."""
        if self.mask is not None:
            room = rows.new_zeros(*rows.shape[:-2], math.prod(self.shape), rows.shape[-1])
            rows = room.index_copy(-2, self._places, rows)
        return rows.unflatten(-2, self.shape)

    def packed(self, rows: Tensor) -> Tensor:
        """Return padded rows [..., sequences, longest, width] as [..., tokens, width]."""
        rows = rows.flatten(-3, -2)
        return rows if self.mask is None else rows.index_select(-2, self._places)


def frozen_layers(encoder: Encoder, layers: int) -> int:
    """Return the number of layers that stay frozen below the lowest adapted one."""
    return encoder.layers - layers


class _Linear(nn.Module):
    """A linear map in several networks: frozen and shared, perhaps with adapters; or each its own.

    It maps rows [networks, rows, in], or [1, rows, in] where the networks still agree.
    """

    def __init__(self, of: nn.Linear, networks: int, *, own: bool = False):
        super().__init__()
        self.own, self.down, self.up = own, None, None
        self.weight, self.bias = (
            _copies(weight, networks) if own else weight for weight in (of.weight, of.bias)
        )

    def adapt(self, rank: int, alpha: float, networks: int, seed: tuple[int, ...]) -> None:
        """Give each network an adapter, B A in the paper: ``down`` is A and ``up`` is B."""
        out, width = self.weight.shape
        bound = 1 / math.sqrt(width)
        drawn = torch.from_numpy(np.random.default_rng(seed).random((rank, width)))
        self.down = _copies((bound * (2 * drawn - 1)).to(self.weight), networks)
        self.up = _copies(self.weight.new_zeros(out, rank), networks)
        self.scaling = alpha / rank

    def forward(self, rows: Tensor, chosen: Tensor) -> Tensor:
        if self.own:
            weight, bias = self.weight[chosen], self.bias[chosen]
            return rows @ weight.mT + bias[:, None]
        mapped = functional.linear(rows, self.weight, self.bias)
        if self.down is None:
            return mapped
        return mapped + self.lowered(rows, chosen) @ self.raising(chosen)

    def lowered(self, rows: Tensor, chosen: Tensor) -> Tensor:
        """Return what adapters make of rows on their lower side, [networks, rows, rank]."""
        down = self.down[chosen]
        if len(rows) > 1:
            return rows @ down.mT
        together = functional.linear(rows[0], down.flatten(0, 1))
        return together.unflatten(-1, down.shape[:2]).transpose(0, 1)

    def raising(self, chosen: Tensor) -> Tensor:
        """Return the matrices that raise it again, [networks, rank, out]."""
        return self.scaling * self.up[chosen].mT


class _Norm(nn.Module):
    """A layer normalisation in several networks: frozen and shared, or each its own."""

    def __init__(self, of: nn.LayerNorm, networks: int, *, own: bool):
        super().__init__()
        self.own, self.eps, self.shape = own, of.eps, of.normalized_shape
        self.weight, self.bias = (
            _copies(weight, networks) if own else weight for weight in (of.weight, of.bias)
        )

    def forward(self, rows: Tensor, chosen: Tensor) -> Tensor:
        if not self.own:
            return functional.layer_norm(rows, self.shape, self.weight, self.bias, self.eps)
        even = functional.layer_norm(rows, self.shape, eps=self.eps)
        return even * self.weight[chosen][:, None] + self.bias[chosen][:, None]


class _Layer(nn.Module):
    """A layer of BERT in several networks: the sums of the layer itself."""

    def __init__(
        self, of: nn.Module, rank: float, alpha: float, networks: int, seed: tuple[int, ...]
    ):
        super().__init__()
        own = self.own = rank == FULL
        attention, after = of.attention.self, of.attention.output
        self.query, self.key, self.value, self.gathered, self.wider, self.narrower = (
            _Linear(linear, networks, own=own)
            for linear in (
                attention.query,
                attention.key,
                attention.value,
                after.dense,
                of.intermediate.dense,
                of.output.dense,
            )
        )
        self.norm, self.last_norm = (
            _Norm(norm, networks, own=own) for norm in (after.LayerNorm, of.output.LayerNorm)
        )
        self.activation = of.intermediate.intermediate_act_fn
        self.head_size, self.scaling = attention.attention_head_size, attention.scaling
        if 0 < rank < FULL:
            *of_layer, place = seed
            # Places of the weights of both adapters in order: A and B of the query, of the value.
            self.query.adapt(int(rank), alpha, networks, (*of_layer, place))
            self.value.adapt(int(rank), alpha, networks, (*of_layer, place + 2))

    def forward(
        self,
        states: Tensor,
        hidden: Tensor | None,
        layout: Layout,
        chosen: Tensor,
        *,
        first_only: bool,
    ) -> Tensor:
        """Return what the layer makes of packed rows, [networks, tokens or sequences, width].

        Of the lowest layer, `hidden` is None: it reads `states`, in which its keys and values
        without adapters stand. Where only first tokens are read, what the others ask is left out.
        """
        shared = hidden is None and not self.own
        if hidden is None:
            hidden = layout.packed(states[..., : self.norm.shape[0]])[None]
        asking = hidden.index_select(-2, layout.first) if first_only else hidden
        query = self.query(asking, chosen)
        query = query[:, :, None] if first_only else layout.padded(query)
        if shared:
            mixed = self._shared(query, states, layout, chosen)
        else:
            mixed = self._each(query, hidden, layout, chosen)
        mixed = mixed[:, :, 0] if first_only else layout.packed(mixed)
        state = self.norm(self.gathered(mixed, chosen) + asking, chosen)
        wide = self.activation(self.wider(state, chosen))
        return self.last_norm(self.narrower(wide, chosen) + state, chosen)

    def _shared(self, query: Tensor, states: Tensor, layout: Layout, chosen: Tensor) -> Tensor:
        """Attend where all networks have the same keys and values, but for adapters' part.

        The query is [networks, sequences, asking, width], and so is what is returned.
        """
        hidden, key, value = states.split(query.shape[-1], dim=-1)
        asking = query.shape[-2]
        # The queries of all networks stand one behind the other.
        rows = self._heads(query).permute(1, 2, 0, 3, 4).flatten(2, 3)
        weights = rows @ self._heads(key).mT * self.scaling
        if layout.mask is not None:
            weights = weights.masked_fill(~layout.mask, -math.inf)
        weights = weights.softmax(-1)
        mixed = (weights @ self._heads(value)).unflatten(2, (-1, asking)).permute(2, 0, 3, 1, 4)
        mixed = mixed.flatten(-2)
        if self.value.down is None:
            return mixed
        # What the adapter adds is mixed while it is still of low rank.
        low = self.value.lowered(hidden.flatten(0, 1)[None], chosen)
        low = low.unflatten(1, layout.shape).transpose(0, 1)
        weights = weights.unflatten(2, (-1, asking)).transpose(1, 2)
        low = (weights.flatten(2, 3) @ low).unflatten(2, (-1, asking))
        raising = self.value.raising(chosen).unflatten(-1, (-1, self.head_size)).transpose(1, 2)
        return mixed + (low @ raising).permute(1, 0, 3, 2, 4).flatten(-2)

    def _each(self, query: Tensor, hidden: Tensor, layout: Layout, chosen: Tensor) -> Tensor:
        """Attend where every network has keys and values of its own."""
        key, value = (layout.padded(of(hidden, chosen)) for of in (self.key, self.value))
        query, key, value = (self._heads(rows).flatten(0, 1) for rows in (query, key, value))
        mask = None if layout.mask is None else layout.mask.repeat(len(chosen), 1, 1, 1)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return mixed.unflatten(0, (len(chosen), -1)).transpose(2, 3).flatten(-2)

    def _heads(self, rows: Tensor) -> Tensor:
        """Return rows [..., tokens, width] by attention heads, [..., heads, tokens, size]."""
        return rows.unflatten(-1, (-1, self.head_size)).transpose(-3, -2)


def _copies(weight: Tensor, networks: int) -> nn.Parameter:
    return nn.Parameter(weight.detach().repeat(networks, *[1] * weight.ndim))
