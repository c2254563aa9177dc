"""Networks whose items differ from replica to replica, in training on either backend.

Eagerly, matrix products are batched over replicas: on the few inputs of a game this layout takes
1.6 to 7 times as long as that of `network`, which needs the same inputs in all networks. Compiled,
`samples.cpp` trains from start to end, one replica after the other.

Shapes: R replicas, C pairs of tasks, H hidden units, F features, I items.
"""

import ctypes
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ncnet.keys import task_key
from ncnet.training import compiler, streams
from ncnet.training.initialisation import BLOCK, draw
from ncnet.training.network import ACTIVATIONS, LOSSES, Weights, outcomes
from ncnet.training.optimizers import OPTIMIZERS
from ncnet.training.plan import Method

SOURCE = Path(__file__).with_name("samples.cpp")
_POINTER, _INTEGER = ctypes.c_void_p, ctypes.c_int64
_STEPS_A_CALL = 2**16
_LINE, _QUAD = 16, 4
"""What numbers of inputs and of targets are filled up to."""


class _Sizes(ctypes.Structure):
    _names = ("replicas", "pairs", "hidden_size", "features", "shown", "training")
    _fields_ = [(name, _INTEGER) for name in _names]


class _Draws(ctypes.Structure):
    _fields_ = [
        ("orders", _POINTER),
        ("flips", _POINTER),
        ("steps_done", _INTEGER),
        ("threshold", ctypes.c_uint32),
    ]


@dataclass(eq=False)
class Eager:
    """Networks in training by operations of torch, in either precision.

    Attributes
    ----------
    inputs
        [R, I, F + 1], training items first, the last feature being the bias.
    targets
        [R, C, 2, I]: classes as +-1, and 0 where nothing is asked: the loss is constant there.
    training
        The number of items to train on.
    weights
        Initial weights, trunk [R, C * H, F + 1] and heads [R, C, 2, H + 1]; trained in place.
    method
        The method by which they are trained.
    orders
        Keys of the orders in which replicas show their items, uint32 [2, R], where steps take
        batches.
    flips
        Keys of the flips of each head's labels, uint32 [2, R, C, 2], where there are any.
    step
        The number of steps done: the next one draws by it.
    """

    inputs: Tensor
    targets: Tensor
    training: int
    weights: Weights
    method: Method
    orders: np.ndarray | None = None
    flips: np.ndarray | None = None
    step: int = 0

    def __post_init__(self) -> None:
        method = self.method
        self.activation, self.loss = ACTIVATIONS[method.activation], LOSSES[method.loss]
        options = {"weight_decay": method.weight_decay}
        if method.momentum:
            options["momentum"] = method.momentum
        optimizer = OPTIMIZERS[method.optimizer]
        self.optimizer = optimizer(self.weights, method.learning_rate, **options)
        self.batches = self.flipped = itertools.repeat(None)
        if self.orders is not None:
            self.batches = streams.batches(self.orders, self.training, self.shown, self.step)
        if self.flips is not None:
            keys = self.flips.reshape(2, -1)
            self.flipped = streams.flips(keys, self.shown, method.label_noise, self.step)

    @property
    def shown(self) -> int:
        """The number of items of a step."""
        return self.method.batch_size or self.training

    def advance(self, steps: int) -> None:
        """Do so many further steps."""
        for _ in range(steps):
            inputs, targets = self._shown(next(self.batches), next(self.flipped))
            self.optimizer.step(self._gradient(inputs, targets))
            self.step += 1

    def cosine(self) -> Tensor:
        """Return the cosine of both heads' gradients on the trunk [R, C], NaN where one is 0."""
        inputs, targets = (part.double() for part in self._shown())
        weights = _in_double(self.weights)
        hidden, logits = self._forward(inputs, weights)
        errors = self.loss.derivative(logits, targets)[:, :, :, None]
        signals = weights.heads[..., :-1, None] * errors
        signals.mul_(self.activation.derivative_(hidden)[:, :, None])
        alice, bob = (
            (signal.flatten(1, 2) @ inputs).unflatten(1, hidden.shape[1:3]).flatten(2)
            for signal in signals.unbind(2)
        )
        cosine = (alice * bob).sum(-1) / (alice.norm(dim=-1) * bob.norm(dim=-1))
        return cosine.to(self.inputs.dtype)

    def held_out_loss(self) -> Tensor:
        """Return the sum of both heads' mean losses on held-out items [R, C]."""
        held_out = slice(self.training, None)
        logits = self._logits(self.inputs[:, held_out], self.weights)
        losses = self.loss.value(logits, self.targets[..., held_out].double())
        return losses.mean(-1).sum(-1).to(self.inputs.dtype)

    def measure(self, weights: Weights) -> dict[str, np.ndarray]:
        """Return `correct` [R, C, 2, I], `loss` on training items [R, C, 2], `diverged` [R, C].

        They are those of networks with these weights, which may be of an earlier step.
        """
        logits, seen = self._logits(self.inputs, weights), slice(self.training)
        losses = self.loss.value(logits[..., seen], self.targets[..., seen].double()).mean(-1)
        finite = logits.to(self.inputs.dtype).isfinite()
        return {
            "correct": outcomes(logits, self.targets).numpy(),
            "loss": losses.to(self.inputs.dtype).numpy(),
            "diverged": ~finite.flatten(2).all(-1).numpy(),
        }

    def _shown(
        self, items: np.ndarray | None = None, flipped: np.ndarray | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the inputs and targets of training items: all, or [shown, R], labels flipped."""
        inputs, targets = self.inputs[:, : self.training], self.targets[..., : self.training]
        if items is not None:
            places = torch.from_numpy(np.ascontiguousarray(items.T))
            inputs = inputs[torch.arange(len(places))[:, None], places]
            targets = targets.take_along_dim(places[:, None, None], -1)
        if flipped is not None:
            # A head has a key of its own, and of its numbers the first.
            flipped = torch.from_numpy(flipped[0].T.reshape(targets.shape))
            targets = torch.where(flipped, -targets, targets)
        return inputs, targets

    def _logits(self, inputs: Tensor, weights: Weights) -> Tensor:
        """Return the logits [R, C, 2, I] in double precision.

        A product's rounding depends on how many networks there are: what is read of a network, in
        single precision again, does not.
        """
        return self._forward(inputs.double(), _in_double(weights))[1]

    def _forward(self, inputs: Tensor, weights: Weights) -> tuple[Tensor, Tensor]:
        """Return the hidden layer [R, C, H, I] and the logits [R, C, 2, I]."""
        trunk, heads = weights
        hidden = self.activation.apply_(trunk @ inputs.mT).unflatten(1, (heads.shape[1], -1))
        return hidden, (heads[..., :-1] @ hidden).add_(heads[..., -1:])

    def _gradient(self, inputs: Tensor, targets: Tensor) -> Weights:
        hidden, logits = self._forward(inputs, self.weights)
        errors = self.loss.derivative(logits, targets).div_(logits.shape[-1])
        heads = torch.cat([errors @ hidden.mT, errors.sum(-1, keepdim=True)], -1)
        signal = self.weights.heads[..., :-1].mT @ errors
        signal.mul_(self.activation.derivative_(hidden))
        return Weights(signal.flatten(1, 2) @ inputs, heads)


class Compiled(Eager):
    """Networks in training by `samples.cpp`: all tensors contiguous, on the CPU, float32.

    Other threads run while it computes.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        seen = slice(self.training)
        inputs, targets = self.inputs[:, seen, :-1], self.targets[..., seen].flatten(1, 2).mT
        # [R, I, F] and [R, I, C * 2], filled up with zeros.
        self.items = [
            nn.functional.pad(part, (0, -part.shape[-1] % to)).contiguous()
            for part, to in ((inputs, _LINE), (targets, _QUAD))
        ]

    def advance(self, steps: int) -> None:
        """Do so many further steps."""
        library = kernel(self.method)
        trunks, heads = (
            (_POINTER * len(self.optimizer.state))(*(part.data_ptr() for part in parts))
            for parts in zip(*self.optimizer.state, strict=True)
        )
        replicas, pairs, _, width = self.weights.heads.shape
        shape = replicas, pairs, width - 1, self.inputs.shape[-1] - 1
        sizes = _Sizes(*shape, self.shown, self.training)
        orders, flips = (
            None if keys is None else keys.ctypes.data for keys in (self.orders, self.flips)
        )
        threshold = streams.threshold(self.method.label_noise)
        for done in range(0, steps, _STEPS_A_CALL):
            count = min(_STEPS_A_CALL, steps - done)
            rates, scales = (part.astype(np.float32) for part in self.optimizer.next_rates(count))
            library.advance(
                trunks,
                heads,
                *(part.data_ptr() for part in self.items),
                rates.ctypes.data,
                scales.ctypes.data,
                count,
                self.method.momentum,
                self.method.weight_decay,
                sizes,
                _Draws(orders, flips, self.step, threshold),
            )
            self.step += count


BACKENDS = {"compiled": Compiled, "eager": Eager}


def _in_double(weights: Weights) -> Weights:
    return Weights(*(part.double() for part in weights))


def kernel(method: Method) -> ctypes.CDLL:
    """Return the library that trains by a method, compiled unless it was before.

    Raises
    ------
    ncnet.machine.CompilerError
        If it cannot be compiled here.
    """
    kinds = ("activation", "optimizer", "loss")
    chosen = [(f"{kind.upper()}_{getattr(method, kind)}", "1") for kind in kinds]
    numbers = ("momentum", "weight_decay")
    chosen += [(name.upper(), "1") for name in numbers if getattr(method, name)]
    library = compiler.library(SOURCE, tuple(chosen))
    library.advance.argtypes = (
        *[_POINTER] * 6,
        _INTEGER,
        *[ctypes.c_float] * 2,
        ctypes.POINTER(_Sizes),
        ctypes.POINTER(_Draws),
    )
    library.advance.restype = None
    return library


def initial_weights(
    replicas: Sequence[int],
    pairs: Sequence[Sequence[str]],
    *,
    own_starts: bool = False,
    **shape: int,
) -> Weights:
    """Return the weights with which networks on these pairs of tasks, given by name, start.

    The trunk follows from the replica alone and is that of `ncnet.train`; a head follows from the
    replica and its task. With `own_starts` both follow from the replica and the pair.

    Examples
    --------
    >>> shape = {"features": 3, "hidden_size": 2, "seed": 0}
    >>> weights = initial_weights(range(5), [("odd", "prime"), ("prime", "square")], **shape)
    >>> weights.trunk.shape, weights.heads.shape
    (torch.Size([5, 4, 4]), torch.Size([5, 2, 2, 3]))
    >>> torch.equal(weights.heads[:, 0, 1], weights.heads[:, 1, 0])
    True
    """

    @cache
    def drawn(name: str | None) -> tuple[np.ndarray, np.ndarray]:
        context = None if name is None else task_key(name)
        return draw("lecun_normal", replicas=replicas, context=context, **shape)

    if own_starts:
        trunks, heads = zip(*(drawn(pair_name(pair)) for pair in pairs), strict=True)
    else:
        trunks = [drawn(None)[0]] * len(pairs)
        heads = [[drawn(task)[1][0] for task in pair] for pair in pairs]
    # The replica comes last.
    parts = np.concatenate(trunks), np.array(heads)
    return Weights(
        *(torch.from_numpy(np.ascontiguousarray(np.moveaxis(w, -1, 0), np.float32)) for w in parts)
    )


def draw_keys(replicas: Sequence[int], name: str | None, **shape: int) -> np.ndarray:
    """Return the keys of replicas' streams, of all tasks or those with a name of their own.

    Returns
    -------
    numpy.ndarray
        uint32 [2, 2, replicas]: of orders and of flips, as `ncnet.training.streams` has them.

    Examples
    --------
    >>> draw_keys([5, 70], "odd", features=3, hidden_size=2, seed=0).shape
    (2, 2, 2)
    """
    context, indices = 0 if name is None else task_key(name), np.array(replicas)
    blocks, places = np.unique(indices // BLOCK, return_inverse=True)
    keys = [streams.keys_of_block(context, block, **shape) for block in blocks.tolist()]
    return np.concatenate(keys, axis=-1)[..., places * BLOCK + indices % BLOCK]


def pair_name(pair: Sequence[str]) -> str:
    """Return what a pair of tasks is called where it has random numbers of its own.

    >>> pair_name(("odd", "prime"))
    'odd beside prime'
    """
    return " beside ".join(pair)
