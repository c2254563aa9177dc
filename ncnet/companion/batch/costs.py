"""What a batch costs on a cluster: how many cells a job should hold, and how long all of it takes.

`python -m benchmarks.batch` measures what these functions are given.
"""

import heapq
import math
from collections import deque
from dataclasses import dataclass

import numpy as np

FIRST_CHECK, LONGER, LONGEST = 40, 10, 180
"""Seconds between two looks at the queue, as the executor for Slurm takes them: the first number
after a look that found a finished job, so much more after each that found none, up to the last."""


@dataclass(frozen=True)
class Costs:
    """What jobs cost beside the work in them, in seconds.

    Attributes
    ----------
    job
        Of each job, however many cells it has.
    cell
        Of each cell in a job, beside its own run.
    submission
        Of submitting a job.
    """

    job: float
    cell: float
    submission: float

    def overhead(self, cell_seconds: float, cells_a_job: int) -> float:
        """Return the time that jobs take beside their cells, as a share of what cells take."""
        return (self.job / cells_a_job + self.cell) / cell_seconds

    def cells_a_job(self, cell_seconds: float, most: float = 0.1) -> int:
        """Return the fewest cells a job should hold so that its overhead is at most `most`.

        Raises
        ------
        ValueError
            If no number is enough, because cells are too short.

        Examples
        --------
        >>> costs = Costs(job=5, cell=1, submission=0.1)
        >>> costs.cells_a_job(60), costs.cells_a_job(20)
        (1, 5)
        >>> costs.cells_a_job(10)
        Traceback (most recent call last):
        ValueError: cells of 10 s are too short for an overhead of 10 %: expected more than 10 s
        """
        left = most * cell_seconds - self.cell
        if left <= 0:
            raise ValueError(
                f"cells of {cell_seconds:g} s are too short for an overhead of {100 * most:g} %: "
                f"expected more than {self.cell / most:g} s"
            )
        return max(1, math.ceil(self.job / left))


@dataclass(frozen=True)
class Simulated:
    """One simulated batch.

    Attributes
    ----------
    hours
        From the first submission until the last job is seen to have ended.
    jobs
        Jobs submitted.
    looks
        Looks at the queue.
    busy
        Share of the cores' time in which cells' own work was done.
    """

    hours: float
    jobs: int
    looks: int
    busy: float


def simulate(
    costs: Costs,
    *,
    cells: int,
    cell_seconds: float,
    cells_a_job: int,
    cores: int,
    submitted: int,
    spread: float = 0.1,
    seed: int = 0,
    first_check: float = FIRST_CHECK,
) -> Simulated:
    """Run through a batch, event by event, as Snakemake and Slurm would run it.

    Snakemake submits jobs one after the other while fewer than `submitted` are in the queue as
    far as it knows; a job starts as soon as a core is free and runs its cells in turn; that it has
    ended is seen only at the next look at the queue. What Snakemake does before, between and after
    that is left out.

    Parameters
    ----------
    costs
        What jobs cost.
    cells, cell_seconds, cells_a_job
        How many cells there are, how long one takes on average, how many share a job.
    cores
        Cores that are there, one for a job.
    submitted
        Jobs that may be in the queue at a time, running or waiting.
    spread
        Standard deviation of a cell's time, as a share of it (log-normal).
    seed
        Of the times.
    first_check
        Seconds until the first look at the queue, and after each that found an ended job.

    Examples
    --------
    >>> asked = dict(cells=100, cell_seconds=60, cells_a_job=2, cores=10)
    >>> run = simulate(Costs(5, 1, 0.1), **asked, submitted=20)
    >>> run.jobs, run.hours > 100 * 60 / 10 / 3600
    (50, True)
    >>> run.busy > simulate(Costs(5, 1, 0.1), **asked, submitted=10).busy
    True
    """
    sigma = math.sqrt(math.log1p(spread**2))
    generator = np.random.default_rng(seed)
    sizes = np.minimum(cells_a_job, cells - np.arange(0, cells, cells_a_job))
    drawn = [generator.lognormal(-(sigma**2) / 2, sigma, size).sum() for size in sizes]
    own = cell_seconds * np.array(drawn)
    jobs = deque(costs.job + sizes * costs.cell + own)
    free = [0.0] * cores  # when each core is free
    now, looks, pause, ends = 0.0, 0, first_check, []
    while jobs or ends:
        while jobs and len(ends) < submitted:
            now += costs.submission
            ends.append(max(now, free[0]) + jobs.popleft())
            heapq.heapreplace(free, ends[-1])
        now += pause
        looks += 1
        running = [end for end in ends if end > now]
        pause = first_check if len(running) < len(ends) else min(pause + LONGER, LONGEST)
        ends = running
    busy = sum(own) / (now * min(cores, len(sizes))) if len(sizes) else 0
    return Simulated(float(now / 3600), len(sizes), looks, float(busy))
