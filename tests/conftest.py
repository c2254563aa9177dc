"""What holds for all tests, those of `tests/statistics.txt` included, which have fewer packages."""

import os
import re

import pytest
from hypothesis import settings

LONGEST = ("test_batch_runs", "test_notebooks", "test_book_in_browser", "test_book_execution")
"""Modules to begin with, so that no process is left with one of them at the end."""

# No test asserts on time: machines are shared, and a first call imports what it needs.
settings.register_profile("untimed", deadline=None, max_examples=50)
settings.register_profile("many", deadline=None, max_examples=500)  # once a week
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "untimed"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """Return how many processes ``-n auto`` means: one for each processor that there is for us."""
    import joblib

    return joblib.cpu_count()


def pytest_collection_modifyitems(items):
    """Begin with the slow tests, those of the longest modules first."""

    def place(item):
        slow = bool(item.get_closest_marker("slow"))
        name = item.path.stem
        return not slow, LONGEST.index(name) if name in LONGEST else len(LONGEST)

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Leave the tests of a file to one process: what they share is then made once.

    Only the pages that are looked at in a browser are shared out, half of them to a process.
    """
    from xdist.scheduler import LoadScopeScheduling

    config.option.loadscopereorder = False

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            half = re.search(r"\[(odd|even) pages\]$", nodeid)
            return nodeid.partition("::")[0] + (half[1] if half else "")

    return ByFile(config, log)


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    """Return a browser that the tests of a module share."""
    from tests import browser

    with browser.chrome(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """Return a checkout whose batch has been run, and what that printed."""
    from tests.checkouts import Checkout

    checkout = Checkout(tmp_path_factory.mktemp("whole") / "checkout")
    status, output = checkout.snakemake()
    assert status == 0, output
    return checkout, output


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """Return a checkout whose batch has been run up to the joined tables, of drawn outcomes."""
    from tests.checkouts import JOINED, Checkout

    checkout = Checkout(tmp_path_factory.mktemp("drawn") / "checkout", draws=True)
    status, output = checkout.snakemake(JOINED)
    assert status == 0, output
    return checkout
