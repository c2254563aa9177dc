"""Trains on the compiled backend: from start to end inside `compiled.cpp`, on a CPU, in float32.

One kernel serves every hidden size and any number of networks; a game's numbers of inputs and
items, the activation, the optimizer, the loss, the aggregator, the size of batches, and whether
there is noise, momentum or weight decay are fixed when it is compiled,
which takes about half a second, once on a machine.
"""

import ctypes
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from ncnet.training import compiler, streams
from ncnet.training.aggregators import PLAIN, WEIGHTED
from ncnet.training.networks import Networks
from ncnet.training.plan import EQUAL_WEIGHTS, Method

SOURCE = Path(__file__).with_suffix(".cpp")

_POINTER, _INTEGER, _NUMBER = ctypes.c_void_p, ctypes.c_int64, ctypes.c_float
_ADVANCE = (*[_POINTER] * 5, *[_INTEGER] * 3, *[_NUMBER] * 4)
_ADVANCE = (*_ADVANCE, _POINTER, *[_INTEGER] * 2, ctypes.c_uint32)
_MEASURE = (*[_POINTER] * 3, *[_INTEGER] * 2, *[_POINTER] * 2)
_WIDEST_STATE = 3
_STEPS_A_CALL = 2**16


def kernel(features: int, items: int, method: Method) -> ctypes.CDLL:
    """Return the library that trains networks of this shape, compiled unless it was before.

    Raises
    ------
    ncnet.machine.CompilerError
        If it cannot be compiled here.
    """
    # The plain sum is a case of its own, as the fastest.
    weighted = method.aggregator == PLAIN and method.gradient_weights != EQUAL_WEIGHTS
    definitions = {"FEATURES": features, "ITEMS": items}
    for kind in ("activation", "optimizer", "loss"):
        definitions[f"{kind.upper()}_{getattr(method, kind)}"] = 1
    definitions[f"AGGREGATOR_{WEIGHTED if weighted else method.aggregator}"] = 1
    for name in ("momentum", "weight_decay", "label_noise"):
        if getattr(method, name):
            definitions[name.upper()] = 1
    if method.batch_size is not None:
        definitions["BATCH"] = method.batch_size
    library = compiler.library(SOURCE, tuple(definitions.items()))
    library.advance.argtypes, library.measure.argtypes = _ADVANCE, _MEASURE
    library.advance.restype = library.measure.restype = None
    return library


class Compiled(Networks):
    """Networks in training on the compiled backend.

    All arrays are contiguous, on the CPU and float32; N is a multiple of 16. The inputs are those
    of a game, all rows of a truth table: of them only their number is read. Other threads run
    while it computes.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        # All is changed in place.
        trunks, heads = zip(*self.optimizer.state, strict=True)
        self.data = _pointers(trunks), _pointers(heads), self.targets.data_ptr()
        items, features = self.inputs.shape
        self.kernel = kernel(features, items, self.method)

    def advance(self, steps: int) -> None:
        """Do so many further steps."""
        hidden_size, _, networks = self.weights.trunk.shape
        method, drawn = self.method, (None, 1)
        if self.keys is not None:
            drawn = self.keys.ctypes.data, networks // self.keys.shape[-1]
        for done in range(0, steps, _STEPS_A_CALL):
            count = min(_STEPS_A_CALL, steps - done)
            rates, scales = (part.astype(np.float32) for part in self.optimizer.next_rates(count))
            self.kernel.advance(
                *self.data,
                rates.ctypes.data,
                scales.ctypes.data,
                hidden_size,
                networks,
                count,
                *method.gradient_weights,
                method.momentum,
                method.weight_decay,
                *drawn,
                self.step,
                streams.threshold(method.label_noise),
            )
            self.step += count

    def measure(self, *, products: bool) -> tuple[Tensor, Tensor | None]:
        """Return each head's loss [2, N], and if asked for the products of the heads' gradients.

        The products are |g_A|^2, g_A . g_B and |g_B|^2 of each hidden unit, [3, H, N].
        """
        hidden_size, _, networks = self.weights.trunk.shape
        losses = self.inputs.new_empty(2, networks)
        inner_products = self.inputs.new_empty(3, hidden_size, networks) if products else None
        to = losses.data_ptr(), inner_products.data_ptr() if products else None
        self.kernel.measure(*self.data, hidden_size, networks, *to)
        return losses, inner_products


def _pointers(tensors: Sequence[Tensor]) -> ctypes.Array:
    return (_POINTER * _WIDEST_STATE)(*(tensor.data_ptr() for tensor in tensors))
