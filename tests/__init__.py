"""The tests. Each of their processes computes on one thread, and so do those that they start.

Two threads that share a processor with another test wait for each other at every small product:
a short training of the tiny encoder then takes twenty times as long as on one thread.
"""

import os

# Read once, when NumPy and torch are first imported; pytest imports this before any test.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
