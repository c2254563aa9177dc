"""Trains chunks of replicas side by side in threads, with the same bits whatever their number."""

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch
from tqdm import tqdm

from ncnet.training.initialisation import BLOCK
from ncnet.training.plan import CONTEXT_COUNT, Plan

FREED = 2**24
"""Bytes, once freed, after which glibc keeps what is freed: to be given the memory of each step's
arrays anew takes the eager backend as long as its arithmetic."""


def train_chunks(train: Callable, chunks: Sequence, *, threads: int) -> list:
    """Return what `train` gives for each chunk, in their order."""
    torch.empty(FREED, dtype=torch.int8, device="cpu")
    with one_thread(), ThreadPoolExecutor(threads) as pool:
        finished = pool.map(train, chunks)
        try:
            # tqdm's None: no bar where the output is not a terminal.
            return list(tqdm(finished, "training", len(chunks), leave=False, disable=None))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def split_blocks(plan: Plan, backend: str, *, threads: int, chunk_size: int | None) -> list[range]:
    """Return the blocks of `BLOCK` replicas of a training as chunks.

    By default a chunk has as many replicas as its arrays, or its threads, ask for.
    """
    if chunk_size is None:
        # In values of a hidden-layer array. Eagerly, at most 2 MiB stays near the cache of a CPU,
        # while a GPU takes what fits; threads take turns at calling operations, so that chunks
        # of less than 256 KiB are slower side by side than one after the other. Compiled, a chunk
        # of any size computes alike: small ones show progress and keep threads equally busy.
        most, least = (2**19, 2**16) if plan.device.type == "cpu" else (2**27, 2**27)
        if backend == "compiled":
            most, least = 2**17, 1
        units = plan.hidden_size + plan.second_hidden_size
        per_replica = CONTEXT_COUNT * units * max(plan.items, plan.shown)
        share = max(math.ceil(plan.replicas / threads), least // per_replica)
        chunk_size = max(min(share, most // per_replica), 1)
    blocks, size = range(math.ceil(plan.replicas / BLOCK)), math.ceil(chunk_size / BLOCK)
    return [blocks[start : start + size] for start in blocks[::size]]


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep torch from splitting one operation over threads.

    A split may fall inside a vector, whose remainder is computed by other instructions: results
    would depend on the number of threads in the last bit. In a small network, threads would also
    wait for each other.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
