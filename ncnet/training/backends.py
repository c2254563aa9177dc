"""Chooses the backend of a training, compiled or eager."""

import inspect
import warnings
from collections.abc import Callable
from functools import lru_cache

from ncnet.checks import check_choice
from ncnet.machine import CompilerError
from ncnet.training import compiled
from ncnet.training.compiled import Compiled
from ncnet.training.eager import Eager
from ncnet.training.plan import CONTEXT_COUNT, Plan

BACKENDS = {"compiled": Compiled, "eager": Eager}
COMPILING_PAYS = 2**24
"""Networks x items of a step x steps from which on a training is compiled: eagerly it would take
longer than the compiler does. Neither the hidden size plays a part nor whether the kernel is
compiled already, so that the same call takes the same backend, and a sweep over hidden sizes one
backend."""
MOST_OUTPUTS = 2**16
"""Hidden units x items of one network up to which a vector of networks stays near the cache."""


def choose(plan: Plan, backend: str | None) -> str:
    """Return the backend on which to train a plan, as `choose_for` does."""

    def compile_kernels() -> None:
        for method in plan.phases:
            compiled.kernel(plan.game.bits + 1, plan.items, method)

    work = CONTEXT_COUNT * plan.replicas * plan.shown * (plan.head_start + plan.steps[-1])
    return choose_for(backend, work, compile_kernels, unsuited=_unsuited(plan))


def choose_for(
    backend: str | None,
    work: int,
    compile_kernels: Callable[[], object],
    *,
    unsuited: str | None = None,
) -> str:
    """Return the backend to take: the one that was named, or for None the faster one.

    Parameters
    ----------
    backend
        The backend that was asked for.
    work
        Networks x items of a step x steps.
    compile_kernels
        A function that compiles what the training needs.
    unsuited
        The reason why the compiled backend cannot do it, if there is one.

    Raises
    ------
    ValueError
        If the backend is unknown, or compiled and cannot be taken here.
    """
    if backend is not None:
        check_choice("backend", backend, BACKENDS)
    if backend == "eager" or (backend is None and work < COMPILING_PAYS):
        return "eager"
    reason = unsuited or _uncompiled(compile_kernels)
    if reason is None:
        return "compiled"
    if backend == "compiled":
        raise ValueError(f"`backend` is 'compiled': {reason}")
    if not unsuited:
        _warn_that_training_is_eager(reason)
    return "eager"


def _unsuited(plan: Plan) -> str | None:
    if plan.device.type != "cpu":
        return f"it runs on a CPU only, `device` is {plan.device.type!r}"
    if plan.dtype != "float32":
        return f"it computes in float32 only, `dtype` is {plan.dtype!r}"
    if plan.second_hidden_size:
        return f"it has one hidden layer, `second_hidden_size` is {plan.second_hidden_size}"
    items = max(plan.items, plan.shown)
    if plan.hidden_size * items > MOST_OUTPUTS:
        outputs = f"`hidden_size` x items of a step is {plan.hidden_size * items:,}"
        return f"{outputs}: expected at most {MOST_OUTPUTS:,}"
    return None


def _uncompiled(compile_kernels: Callable[[], object]) -> str | None:
    try:
        compile_kernels()
    except CompilerError as error:
        return str(error)
    return None


@lru_cache
def _warn_that_training_is_eager(reason: str) -> None:
    line = f"training eagerly, several times slower than compiled: {reason}"
    warnings.warn(line, RuntimeWarning, stacklevel=1 + _depth_in_package())


def _depth_in_package() -> int:
    """Return how many calls of this package lie between here and whoever called it."""
    frame, depth = inspect.currentframe(), 0
    while frame.f_back and frame.f_globals["__name__"].split(".")[0] == "ncnet":
        frame, depth = frame.f_back, depth + 1
    return depth - 1
