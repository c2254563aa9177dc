"""The compiled path: whole trainings inside `compiled.cpp`, on a CPU, in float32.

One kernel serves every hidden size and any number of networks; a game's numbers of inputs and
items, the activation, the optimizer and the loss are fixed when it is compiled, which takes about
half a second, once on a machine.
"""

import ctypes
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from ncnet.ensemble import compiler
from ncnet.ensemble.network import Weights
from ncnet.ensemble.optimizers import OPTIMIZERS

SOURCE = Path(__file__).with_suffix(".cpp")

_POINTER, _INTEGER = ctypes.c_void_p, ctypes.c_int64
_ARGUMENTS = (*[_POINTER] * 6, *[_INTEGER] * 3)
_WIDEST_STATE = 3
_STEPS_A_CALL = 2**16


def kernel(*, features: int, items: int, activation: str, optimizer: str, loss: str) -> ctypes.CDLL:
    """Return the library that trains networks of this shape, compiled unless it was before.

    Raises
    ------
    ncnet.ensemble.compiler.CompilerError
        If it cannot be compiled here.
    """
    definitions = {
        "FEATURES": str(features),
        "ITEMS": str(items),
        f"ACTIVATION_{activation}": "1",
        f"OPTIMIZER_{optimizer}": "1",
        f"LOSS_{loss}": "1",
    }
    library = compiler.library(SOURCE, tuple(definitions.items()))
    library.advance.argtypes = _ARGUMENTS
    library.advance.restype = None
    return library


class Compiled:
    """Networks in training; takes what `ncnet.ensemble.eager.Eager` takes.

    All tensors are contiguous, on the CPU and float32; N is a multiple of 16. Other threads run
    while it computes.
    """

    def __init__(
        self,
        inputs: Tensor,
        signs: Tensor,
        weights: Weights,
        *,
        activation: str,
        optimizer: str,
        learning_rate: float,
        loss: str,
    ) -> None:
        self.inputs = inputs
        self.signs = signs
        self.weights = weights
        self.optimizer = OPTIMIZERS[optimizer](weights, learning_rate)
        items, features = inputs.shape
        self.kernel = kernel(
            features=features,
            items=items,
            activation=activation,
            optimizer=optimizer,
            loss=loss,
        )

    def advance(self, steps: int) -> None:
        """Do so many further steps."""
        for done in range(0, steps, _STEPS_A_CALL):
            self._advance(min(_STEPS_A_CALL, steps - done))

    def _advance(self, steps: int) -> None:
        rates, scales = (part.astype(np.float32) for part in self.optimizer.next_rates(steps))
        hidden_size, _, networks = self.weights.trunk.shape
        self.kernel.advance(
            _pointers([part.trunk for part in self.optimizer.state]),
            _pointers([part.heads for part in self.optimizer.state]),
            self.inputs.data_ptr(),
            self.signs.data_ptr(),
            rates.ctypes.data,
            scales.ctypes.data,
            hidden_size,
            networks,
            steps,
        )


def _pointers(tensors: Sequence[Tensor]) -> ctypes.Array:
    return (_POINTER * _WIDEST_STATE)(*(tensor.data_ptr() for tensor in tensors))
