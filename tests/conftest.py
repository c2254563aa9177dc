"""What holds for all tests."""

from hypothesis import settings

# No test asserts on time: machines are shared, and a first call imports what it needs.
settings.register_profile("untimed", deadline=None, max_examples=50)
settings.load_profile("untimed")
