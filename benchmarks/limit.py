"""How much arithmetic a step is, and how much the machine can do."""

import ctypes
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ncnet.training import compiler

ROUNDS = 20_000_000
REPEATS = 5
TANH, EXPONENTIAL = 21, 22


def operations(hidden_size: int, features: int, items: int) -> int:
    """Return the floating-point operations of a network's step, as a textbook has it.

    Every engine is measured by this count, whatever it does instead: `compiled.cpp` does fewer,
    since the sums over a truth table, and their powers, come from each other. Tanh and gradient
    descent; tanh is a rational function, of degree 13 over 6, and a sigmoid has an exponential
    with a polynomial of degree 7. A multiplication, an addition and a division are one each,
    comparisons and conversions none. `features` includes the constant one.

    >>> operations(3, 4, 8)
    1672
    """
    forward = 2 * features - 1 + TANH + 4
    backward = 4 + 3 + 2 + 1 + 2 * features
    errors = 1 + EXPONENTIAL + 3 + 1
    update = 2 * (hidden_size * features + 2 * (hidden_size + 1))
    return hidden_size * items * (forward + backward) + 2 * items * errors + update


def peak(threads: int) -> float:
    """Return the most floating-point operations a second that so many threads reach together."""
    library = compiler.library(Path(__file__).with_suffix(".cpp"))
    library.multiply_add.argtypes = [ctypes.c_int64, ctypes.POINTER(ctypes.c_float)]
    library.multiply_add.restype = ctypes.c_double

    def work(_: int) -> float:
        # Of the thread's own time: others may keep it waiting.
        start = time.thread_time()
        done = library.multiply_add(ROUNDS, ctypes.byref(ctypes.c_float()))
        return done / (time.thread_time() - start)

    with ThreadPoolExecutor(threads) as pool:
        rates = [sum(pool.map(work, range(threads))) for _ in range(REPEATS)]
    return max(rates)
