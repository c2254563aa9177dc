"""The kernels' arithmetic is as accurate as its comments say, over all of its range."""

import ctypes
import platform
from functools import cache

import numpy as np
import pytest

from ncnet import machine
from ncnet.training import compiler
from tests.compilers import has_compiler

pytestmark = pytest.mark.skipif(not has_compiler(), reason="there is no C++ compiler")

ITEMS = 8
EDGES = [-np.inf, -1e30, -1e5, -88.0, 0.0, 88.0, 1e5, 1e30, np.inf]
SMALL = np.logspace(-30, 1, 2**12)
REAL = np.concatenate([np.linspace(-60, 60, 2**17), SMALL, -SMALL])
POSITIVE = np.logspace(-36, 37, 2**16)
UNBOUNDED = np.concatenate([REAL, EDGES])
FUSED = 4e-6 if platform.machine() in ("x86_64", "AMD64") else 2.5e-7
"""Without fused multiply-adds, as on the oldest x86, a product in an exponent is rounded."""


def sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))


def slope_error(x):
    return 3e-7 + 8e-8 * np.abs(x)


# What each expression of x is exactly, at which x, and its largest absolute and relative error.
OF_ALL = {
    "rounded(x)": (np.rint, REAL * 1e4, 0, 0),
    "clamp(x, 3.0f)": (lambda x: np.clip(x, -3, 3), UNBOUNDED, 0, 0),
    "power_of_two(exponent(x))": (np.exp2, REAL * 2, 0, 2.5e-7),
    "power_of_two(exponent(x, 5.5f))": (lambda x: np.exp2(5.5 * x), REAL * 0.35, 0, FUSED),
    "power_less_one(exponent(x))": (lambda x: np.expm1(np.log(2) * x), REAL * 2, 0, 6e-7),
    "exponential(x)": (np.exp, REAL, 0, 4e-7),
    "square_root(x)": (np.sqrt, POSITIVE, 0, 1.2e-7),
    "slope_of_loss(x, ONE)": (lambda x: -sigmoid(-x) / ITEMS, REAL, 0, slope_error),
    "slope_of_loss(x, MINUS_ONE)": (lambda x: sigmoid(x) / ITEMS, REAL, 0, slope_error),
    "loss_of(x, ONE)": (lambda x: np.logaddexp(0, -x), REAL, 0, 6e-7),
}
ACTIVATIONS = {
    "tanh": (np.tanh, UNBOUNDED, 0, 8e-7),
    "sigmoid": (sigmoid, UNBOUNDED, 1.2e-7, 0),
    "relu": (lambda x: np.maximum(x, 0), UNBOUNDED, 0, 0),
}
CASES = [("tanh", expression, *case) for expression, case in OF_ALL.items()]
CASES += [(name, "activation(x)", *case) for name, case in ACTIVATIONS.items()]
EXPRESSIONS = [*OF_ALL, "activation(x)"]
PROCESSORS = [machine.PROCESSOR]
if platform.machine() in ("x86_64", "AMD64"):
    PROCESSORS.append("-march=x86-64")  # the portable forms, in vectors of four


@pytest.fixture(scope="module")
def apply(tmp_path_factory):
    """Return a function that applies an expression, as compiled for a processor."""
    folder = tmp_path_factory.mktemp("vectors")
    cases = "".join(
        f"case {k}: value = {expression}; break;\n" for k, expression in enumerate(EXPRESSIONS)
    )

    @cache
    def library(processor, activation):
        source = folder / f"{activation}{processor}.cpp"
        source.write_text(
            f"""#include "vectors.h"
            extern "C" void apply(int which, const float *from, float *to, int64_t count) {{
                const Target ONE = target(all(1), {ITEMS}), MINUS_ONE = target(all(-1), {ITEMS});
                for (int64_t at = 0; at < count; at += LANES) {{
                    const Vector x = load(from + at);
                    Vector value = x;
                    switch (which) {{ {cases} }}
                    store(to + at, value);
                }}
            }}""",
            encoding="utf-8",
        )
        chosen = {f"ACTIVATION_{activation}": 1, "OPTIMIZER_adam": 1, "LOSS_cross_entropy": 1}
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(compiler, "cache_folder", lambda: folder)
            flags = [processor if flag == machine.PROCESSOR else flag for flag in compiler.FLAGS]
            patched.setattr(compiler, "FLAGS", flags)
            return compiler.library(source, tuple(chosen.items()))

    def applied(processor, activation, expression, values):
        whole = -(-len(values) // 16) * 16
        given, found = np.resize(values, whole), np.empty(whole, np.float32)
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in (given, found)]
        count = ctypes.c_int64(whole)
        library(processor, activation).apply(EXPRESSIONS.index(expression), *pointers, count)
        return found[: len(values)].astype(float)

    return applied


@pytest.mark.parametrize("processor", PROCESSORS)
@pytest.mark.parametrize(
    ("activation", "expression", "exact", "values", "absolute", "relative"), CASES
)
def test_it_is_within_its_bound_of_float64(
    apply, processor, activation, expression, exact, values, absolute, relative
):
    values = values.astype(np.float32)
    found = apply(processor, activation, expression, values)
    bound = relative(values) if callable(relative) else relative
    assert np.isclose(found, exact(values.astype(float)), atol=absolute, rtol=bound).all()


@pytest.mark.parametrize("processor", PROCESSORS)
@pytest.mark.parametrize(("activation", "expression"), [case[:2] for case in CASES])
def test_what_is_no_number_stays_none(apply, processor, activation, expression):
    assert np.isnan(apply(processor, activation, expression, np.array([np.nan], np.float32))).all()


@pytest.mark.parametrize("processor", PROCESSORS)
def test_a_slope_ends_at_0_and_at_its_largest(apply, processor):
    """Far beyond where it was measured above, infinity included."""
    values = np.array(EDGES, np.float32)
    found = apply(processor, "tanh", "slope_of_loss(x, ONE)", values)
    expected = -sigmoid(-values.astype(float)) / ITEMS
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-30)
