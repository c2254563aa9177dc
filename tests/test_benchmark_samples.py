"""What the benchmark of samples compares ends with the same losses; time is nobody's test."""

import numpy as np
import pytest

from benchmarks import samples

STEPS = 20


@pytest.mark.parametrize("engine", [samples.with_vmap, samples.with_modules])
@pytest.mark.parametrize("name", samples.POPULATIONS)
def test_every_engine_ends_alike(engine, name):
    drawn = samples.population(name, training=10)
    expected = samples.ours(drawn, 3, STEPS)
    assert expected.shape == (4, 3)
    assert np.isfinite(expected).all()
    assert samples.agree(engine(drawn, 3, STEPS), expected)
    assert not samples.agree(engine(drawn, 3, STEPS - 1), expected)
