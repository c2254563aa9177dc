"""Networks whose items differ from replica to replica, in training on either backend.

Eagerly, matrix products are batched over replicas: on the few inputs of a game this layout takes
1.6 to 7 times as long as that of `network`, which needs the same inputs in all networks. Compiled,
`samples.cpp` trains from start to end, one replica after the other.

Shapes: R replicas, C pairs of tasks, H hidden units, F features, I items.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ncnet.keys import task_key
from ncnet.training import compiler
from ncnet.training.initialisation import draw
from ncnet.training.network import ACTIVATIONS, LOSSES, Weights, outcomes
from ncnet.training.optimizers import OPTIMIZERS
from ncnet.training.plan import Method

SOURCE = Path(__file__).with_name("samples.cpp")
_POINTER, _INTEGER = ctypes.c_void_p, ctypes.c_int64
_STEPS_A_CALL = 2**16


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
    """

    inputs: Tensor
    targets: Tensor
    training: int
    weights: Weights
    method: Method

    def __post_init__(self) -> None:
        self.activation, self.loss = ACTIVATIONS[self.method.activation], LOSSES[self.method.loss]
        optimizer = OPTIMIZERS[self.method.optimizer]
        self.optimizer = optimizer(self.weights, self.method.learning_rate)

    def advance(self, steps: int) -> None:
        """Do so many further steps."""
        for _ in range(steps):
            self.optimizer.step(self._gradient())

    def cosine(self) -> Tensor:
        """Return the cosine of both heads' gradients on the trunk [R, C], NaN where one is 0."""
        inputs, targets = self._shown()
        hidden, logits = self._forward(inputs)
        errors = self.loss.derivative(logits, targets)[:, :, :, None]
        signals = self.weights.heads[..., :-1, None] * errors
        signals.mul_(self.activation.derivative_(hidden)[:, :, None])
        alice, bob = (
            (signal.flatten(1, 2) @ inputs).unflatten(1, hidden.shape[1:3]).flatten(2).double()
            for signal in signals.unbind(2)
        )
        return (alice * bob).sum(-1) / (alice.norm(dim=-1) * bob.norm(dim=-1))

    def measure(self) -> dict[str, np.ndarray]:
        """Return `correct` [R, C, 2, I], `loss` on training items [R, C, 2], `diverged` [R, C]."""
        _, logits = self._forward(self.inputs)
        seen = slice(self.training)
        losses = self.loss.value(logits[..., seen], self.targets[..., seen]).mean(-1)
        return {
            "correct": outcomes(logits, self.targets).numpy(),
            "loss": losses.numpy(),
            "diverged": ~logits.isfinite().flatten(2).all(-1).numpy(),
        }

    def _shown(self) -> tuple[Tensor, Tensor]:
        """Return the inputs and targets of the training items."""
        return self.inputs[:, : self.training], self.targets[..., : self.training]

    def _forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return the hidden layer [R, C, H, I] and the logits [R, C, 2, I]."""
        trunk, heads = self.weights
        hidden = self.activation.apply_(trunk @ inputs.mT).unflatten(1, (heads.shape[1], -1))
        return hidden, (heads[..., :-1] @ hidden).add_(heads[..., -1:])

    def _gradient(self) -> Weights:
        inputs, targets = self._shown()
        hidden, logits = self._forward(inputs)
        errors = self.loss.derivative(logits, targets).div_(logits.shape[-1])
        heads = torch.cat([errors @ hidden.mT, errors.sum(-1, keepdim=True)], -1)
        signal = self.weights.heads[..., :-1].mT @ errors
        signal.mul_(self.activation.derivative_(hidden))
        return Weights(signal.flatten(1, 2) @ inputs, heads)


class Compiled(Eager):
    """Networks in training by `samples.cpp`: all tensors contiguous, on the CPU, float32.

    Other threads run while it computes.
    """

    def advance(self, steps: int) -> None:
        """Do so many further steps."""
        library = kernel(self.method)
        trunks, heads = (
            (_POINTER * len(self.optimizer.state))(*(part.data_ptr() for part in parts))
            for parts in zip(*self.optimizer.state, strict=True)
        )
        replicas, pairs, _, hidden_size = self.weights.heads.shape
        shape = replicas, pairs, hidden_size - 1, self.inputs.shape[-1] - 1
        for done in range(0, steps, _STEPS_A_CALL):
            count = min(_STEPS_A_CALL, steps - done)
            rates, scales = (part.astype(np.float32) for part in self.optimizer.next_rates(count))
            library.advance(
                trunks,
                heads,
                self.inputs.data_ptr(),
                self.targets.data_ptr(),
                rates.ctypes.data,
                scales.ctypes.data,
                *shape,
                self.training,
                self.inputs.shape[1],
                count,
            )


BACKENDS = {"compiled": Compiled, "eager": Eager}


def kernel(method: Method) -> ctypes.CDLL:
    """Return the library that trains by a method, compiled unless it was before.

    Raises
    ------
    ncnet.machine.CompilerError
        If it cannot be compiled here.
    """
    kinds = ("activation", "optimizer", "loss")
    chosen = [(f"{kind.upper()}_{getattr(method, kind)}", "1") for kind in kinds]
    library = compiler.library(SOURCE, (*chosen, ("ITEMS", "1")))
    library.advance.argtypes = (*[_POINTER] * 6, *[_INTEGER] * 7)
    library.advance.restype = None
    return library


def initial_weights(
    replicas: Sequence[int], pairs: Sequence[Sequence[str]], **drawn: int
) -> Weights:
    """Return the weights with which networks on these pairs of tasks, given by name, start.

    The trunk follows from the replica alone and is that of `ncnet.train`; a head follows from the
    replica and its task.

    Examples
    --------
    >>> drawn = {"features": 3, "hidden_size": 2, "seed": 0}
    >>> weights = initial_weights(range(5), [("odd", "prime"), ("prime", "square")], **drawn)
    >>> weights.trunk.shape, weights.heads.shape
    (torch.Size([5, 4, 4]), torch.Size([5, 2, 2, 3]))
    >>> torch.equal(weights.heads[:, 0, 1], weights.heads[:, 1, 0])
    True
    """
    drawn |= {"initialisation": "lecun_normal", "replicas": replicas}
    trunk, _ = draw(**drawn)
    heads = {}
    for task in {task for pair in pairs for task in pair}:
        _, (heads[task], _) = draw(**drawn, context=task_key(task))
    trunk = np.tile(np.moveaxis(trunk, -1, 0), (1, len(pairs), 1))
    both = np.moveaxis(np.array([[heads[task] for task in pair] for pair in pairs]), -1, 0)
    return Weights(*(torch.from_numpy(np.ascontiguousarray(w, np.float32)) for w in (trunk, both)))
