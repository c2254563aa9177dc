"""Runs batches: one notebook over a grid of parameters, each combination a job.

`read` takes a batch file and refuses what no run would accept, before any run. The Snakefile at
the root of the checkout runs the jobs; `gather` joins their tables, `record` takes them over
into ``results/``, `Progress` says what has been done.
"""

from ncnet.companion.batch.costs import Costs, Simulated, simulate
from ncnet.companion.batch.gathering import check_recordable, gather, record
from ncnet.companion.batch.grid import Batch, BatchError, read
from ncnet.companion.batch.progress import Progress
from ncnet.companion.batch.sources import checksum, files_of
