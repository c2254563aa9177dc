"""Estimates what a batch costs on a cluster: how many jobs a submission, how many hours.

`python -m benchmarks.batch` measures what these functions are given.
"""

import heapq
import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from ncnet.checks import check

# Those of the executor for Slurm. A look that finds an ended submission is followed by the first.
FIRST_CHECK, LONGER, LONGEST = 40, 10, 180
"""Seconds between looks at the queue: at first, so much longer after each in vain, at the most."""


@dataclass(frozen=True)
class Costs:
    """The seconds that submissions to Slurm cost beside the work in them.

    Attributes
    ----------
    submission
        What each submission costs, however many jobs share it.
    job
        What each job in a submission costs, beside its own run.
    submitting
        What it costs to hand a submission to Slurm.
    """

    submission: float
    job: float
    submitting: float

    def overhead(self, job_seconds: float, jobs_a_submission: int) -> float:
        """Return the time that submissions take beside their jobs, as a share of what jobs take."""
        return (self.submission / jobs_a_submission + self.job) / job_seconds

    def jobs_a_submission(self, job_seconds: float, most: float = 0.1) -> int:
        """Return the fewest jobs to a submission with which its overhead is at most `most`.

        Raises
        ------
        ValueError
            If no number is enough, because jobs are too short.

        Examples
        --------
        >>> costs = Costs(submission=5, job=1, submitting=0.1)
        >>> costs.jobs_a_submission(60), costs.jobs_a_submission(20)
        (1, 5)
        >>> costs.jobs_a_submission(10)
        Traceback (most recent call last):
        ValueError: jobs of 10 s are too short for an overhead of 10 %: expected more than 10 s
        """
        left = most * job_seconds - self.job
        found = f"jobs of {job_seconds:g} s are too short for an overhead of {100 * most:g} %"
        check(left > 0, found, f"more than {self.job / most:g} s")
        return max(1, math.ceil(self.submission / left))


@dataclass(frozen=True)
class Simulated:
    """What came of a simulated batch.

    Attributes
    ----------
    hours
        The time from the first submission until the last one is seen to have ended.
    submissions
        The number of submissions.
    looks
        The number of looks at the queue.
    busy
        The share of the cores' time in which jobs' own work was done.
    """

    hours: float
    submissions: int
    looks: int
    busy: float


def simulate(
    costs: Costs,
    *,
    jobs: int,
    job_seconds: float,
    jobs_a_submission: int,
    cores: int,
    submitted: int,
    spread: float = 0.1,
    seed: int = 0,
    first_check: float = FIRST_CHECK,
) -> Simulated:
    """Run through a batch, event by event, as Snakemake and Slurm would run it.

    Snakemake hands submissions to Slurm one after the other while fewer than `submitted` are in the
    queue as far as it knows; a submission starts as soon as a core is free and runs its jobs in
    turn; that it has ended is seen only at the next look at the queue. What Snakemake does before,
    between and after that is left out.

    Parameters
    ----------
    costs
        The costs of submissions.
    jobs, job_seconds, jobs_a_submission
        How many jobs there are, how long one takes on average, how many share a submission.
    cores
        The number of cores; a submission takes one.
    submitted
        How many submissions may be in the queue at a time, running or waiting.
    spread
        The standard deviation of a job's time, as a share of it (log-normal).
    seed
        Draws the times.
    first_check
        Seconds until the first look at the queue, and after each that found one ended.

    Examples
    --------
    >>> asked = dict(jobs=100, job_seconds=60, jobs_a_submission=2, cores=10)
    >>> found = simulate(Costs(5, 1, 0.1), **asked, submitted=20)
    >>> found.submissions, found.hours > 100 * 60 / 10 / 3600
    (50, True)
    >>> found.busy > simulate(Costs(5, 1, 0.1), **asked, submitted=10).busy
    True
    """
    sigma = math.sqrt(math.log1p(spread**2))
    generator = np.random.default_rng(seed)
    sizes = np.minimum(jobs_a_submission, jobs - np.arange(0, jobs, jobs_a_submission))
    drawn = [generator.lognormal(-(sigma**2) / 2, sigma, size).sum() for size in sizes]
    own = job_seconds * np.array(drawn)
    waiting = deque(costs.submission + sizes * costs.job + own)
    free = [0.0] * cores  # when each core is free
    now, looks, pause, ends = 0.0, 0, first_check, []
    while waiting or ends:
        while waiting and len(ends) < submitted:
            now += costs.submitting
            ends.append(max(now, free[0]) + waiting.popleft())
            heapq.heapreplace(free, ends[-1])
        now += pause
        looks += 1
        running = [end for end in ends if end > now]
        pause = first_check if len(running) < len(ends) else min(pause + LONGER, LONGEST)
        ends = running
    busy = sum(own) / (now * min(cores, len(sizes))) if len(sizes) else 0
    return Simulated(float(now / 3600), len(sizes), looks, float(busy))
