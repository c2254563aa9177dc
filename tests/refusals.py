"""Checks that a call is refused in one line which has all that its reader needs."""

import re

import pytest


def refused(call, parts):
    """Check that a call is refused in one line with these parts of a message."""
    with pytest.raises(ValueError, match=re.escape(parts[0])) as caught:
        call()
    assert all(part in str(caught.value) for part in parts), caught.value
    assert "\n" not in str(caught.value)
