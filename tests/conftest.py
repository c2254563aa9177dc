"""What holds for all tests."""

import pytest
from hypothesis import settings

from tests.checkouts import Checkout

# No test asserts on time: machines are shared, and a first call imports what it needs.
settings.register_profile("untimed", deadline=None, max_examples=50)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """Return a checkout whose batch has been run, and what that printed."""
    checkout = Checkout(tmp_path_factory.mktemp("whole") / "checkout")
    status, output = checkout.snakemake()
    assert status == 0, output
    return checkout, output
