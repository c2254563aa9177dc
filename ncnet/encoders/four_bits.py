"""Weights of four bits: blocks of 32 that share a scale, as llama.cpp's Q4_0 has them.

A block is 18 bytes: a scale d in half precision, then 32 whole numbers of four bits. A weight is
(number - 8) d. Byte k of a block's sixteen has weight k in its lower half, and k + 16 in its upper.
"""

import numpy as np

BLOCK, BYTES = 32, 18


def unpacked(blocks: np.ndarray) -> np.ndarray:
    """Return the weights that blocks hold, as float32.

    Parameters
    ----------
    blocks
        Bytes, uint8 [18 blocks].

    Examples
    --------
    >>> scale = np.frombuffer(np.float16(0.5).tobytes(), np.uint8)
    >>> unpacked(np.concatenate([scale, np.full(16, 0x9F, np.uint8)]))[[0, 16]]
    array([3.5, 0.5], dtype=float32)
    """
    rows = blocks.reshape(-1, BYTES)
    scales = np.ascontiguousarray(rows[:, :2]).view("<f2").astype(np.float32)
    halves = [rows[:, 2:] & 15, rows[:, 2:] >> 4]
    numbers = np.concatenate(halves, axis=1).astype(np.float32) - 8
    return (numbers * scales).ravel()


def rounded(weights: np.ndarray) -> np.ndarray:
    """Return the nearest weights that blocks can hold, as float32 of the same shape.

    The weight farthest from 0 in a block becomes number 0, which stands for -8 d: so the scale is
    chosen in llama.cpp (`quantize_row_q4_0`), which these files come from.

    Parameters
    ----------
    weights
        The blocks lie along the last axis, whose length is a multiple of 32.

    Examples
    --------
    >>> rounded(np.linspace(-1, 1, 32))[[0, 16, 31]]
    array([-1.   ,  0.   ,  0.875], dtype=float32)
    """
    blocks = np.asarray(weights, np.float32).reshape(-1, BLOCK)
    farthest = np.take_along_axis(blocks, abs(blocks).argmax(axis=1)[:, None], axis=1)
    scales = farthest / -8
    # A scale that is too small for half precision becomes 0, whatever the numbers are.
    there = abs(scales) >= np.finfo(np.float32).tiny
    inverse = np.divide(1, scales, out=np.zeros_like(scales), where=there)
    numbers = np.clip(np.floor(blocks * inverse + 8.5), 0, 15)
    kept = scales.astype(np.float16).astype(np.float32)
    return ((numbers - 8) * kept).reshape(np.shape(weights))
