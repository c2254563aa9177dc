"""Checks that a call is refused in one line which has all that its reader needs."""

import re

import pytest


def refused(call, parts):
    """Check that a call is refused in one line with these parts of a message, in this order."""
    with pytest.raises(ValueError, match=".*".join(map(re.escape, parts))) as caught:
        call()
    assert "\n" not in str(caught.value)
