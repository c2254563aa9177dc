"""What holds for all tests."""

import os

import joblib
import pytest
from hypothesis import settings

from tests.checkouts import JOINED, Checkout

SHARED = {"whole", "drawn"}
"""Fixtures of all modules that take long to make."""

# No test asserts on time: machines are shared, and a first call imports what it needs.
settings.register_profile("untimed", deadline=None, max_examples=50)
settings.register_profile("many", deadline=None, max_examples=500)  # once a week
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "untimed"))


def pytest_xdist_auto_num_workers(config):
    """Return how many processes ``-n auto`` means: one for each processor that there is for us."""
    return joblib.cpu_count()


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    """Begin with the slow tests, and leave those of one module to one process.

    What they share (a built book, a browser, a batch that was run) is made once for a module.
    """
    items.sort(key=lambda item: not item.get_closest_marker("slow"))
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("xdist_group"):
            shared = SHARED & set(getattr(item, "fixturenames", ()))
            item.add_marker(pytest.mark.xdist_group(min(shared, default=item.module.__name__)))


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """Return a checkout whose batch has been run, and what that printed."""
    checkout = Checkout(tmp_path_factory.mktemp("whole") / "checkout")
    status, output = checkout.snakemake()
    assert status == 0, output
    return checkout, output


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """Return a checkout whose batch has been run up to the joined tables, of drawn outcomes."""
    checkout = Checkout(tmp_path_factory.mktemp("drawn") / "checkout", draws=True)
    status, output = checkout.snakemake(JOINED)
    assert status == 0, output
    return checkout
