"""What the benchmark of the mechanism compares gives the same results; time is nobody's test."""

import numpy as np
import pytest

from benchmarks import mechanism
from benchmarks.problem import Problem
from tests.compilers import has_compiler

FEW = Problem(hidden_size=mechanism.HIDDEN_SIZE, replicas=2, steps=0)


@pytest.mark.parametrize("engine", [mechanism.with_vmap, mechanism.with_torchjd])
def test_every_engine_finds_the_same_products_of_gradients(engine):
    expected = mechanism.ours(FEW)
    assert expected.shape == (3, 8)
    found = engine(FEW)
    assert mechanism.agree(found, expected)
    found[1, 3] += 1e-3 * abs(expected).max()
    assert not mechanism.agree(found, expected)


@pytest.mark.skipif(not has_compiler(), reason="there is no C++ compiler")
def test_pcgrad_ends_alike():
    ours = mechanism.train_ours(FEW, 20)
    assert mechanism.agree(ours, mechanism.train_with_torchjd(FEW, 20))
    assert not mechanism.agree(ours, mechanism.train_with_torchjd(FEW, 19))
    assert np.isfinite(ours).all()
