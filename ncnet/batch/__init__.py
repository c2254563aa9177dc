"""Batches: one notebook over a grid of parameters, each cell of the grid one run of its own.

`read` takes a batch file and refuses what no run would accept, before any run. The Snakefile at
the root of the checkout runs the cells; `gather` joins their tables, `record` takes them over
into ``results/``, `Progress` says what has been done.
"""

from ncnet.batch.costs import Costs, Simulated, simulate
from ncnet.batch.gathering import check_recordable, gather, record
from ncnet.batch.grid import Batch, BatchError, read
from ncnet.batch.progress import Progress
from ncnet.batch.sources import checksum, files_of, modules_of

__all__ = [
    "Batch",
    "BatchError",
    "Costs",
    "Progress",
    "Simulated",
    "check_recordable",
    "checksum",
    "files_of",
    "gather",
    "modules_of",
    "read",
    "record",
    "simulate",
]
