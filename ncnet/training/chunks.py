"""Chunks of replicas, trained side by side in threads, with the same bits whatever their number."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch
from tqdm import tqdm


def train_chunks(train: Callable, chunks: Sequence, *, threads: int) -> list:
    """Return what `train` gives for each chunk, in their order."""
    with _single_threaded_operators(), ThreadPoolExecutor(threads) as pool:
        finished = pool.map(train, chunks)
        try:
            # tqdm's None: no bar where the output is not a terminal.
            return list(tqdm(finished, "training", len(chunks), leave=False, disable=None))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


@contextmanager
def _single_threaded_operators() -> Iterator[None]:
    """Keep torch from splitting one operation over threads.

    A split may fall inside a vector, whose remainder is computed by other instructions: results
    would depend on the number of threads in the last bit.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
