"""What the benchmark of samples compares ends with the same losses; time is nobody's test."""

import numpy as np
import pytest

from benchmarks import samples
from tests.compilers import has_compiler

pytestmark = pytest.mark.skipif(not has_compiler(), reason="there is no C++ compiler")
STEPS = 10


@pytest.mark.parametrize("engine", [samples.eagerly, samples.with_vmap, samples.with_modules])
@pytest.mark.parametrize("name", sorted({case.population for case in samples.CASES}))
def test_every_engine_ends_alike(engine, name):
    case = samples.Case(name, 10, 4, replicas=3, steps=STEPS)
    drawn = samples.population(name, training=10)
    expected = samples.ours(case, drawn, 3, STEPS)
    assert expected.shape == (4, 3)
    assert np.isfinite(expected).all()
    assert samples.agree(engine(case, drawn, 3, STEPS), expected)
    assert not samples.agree(engine(case, drawn, 3, STEPS - 1), expected)
