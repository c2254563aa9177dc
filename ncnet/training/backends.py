"""Chooses the backend of a training, compiled or eager."""

import warnings
from functools import lru_cache

from ncnet.checks import check_choice
from ncnet.machine import CompilerError
from ncnet.training import compiled
from ncnet.training.compiled import Compiled
from ncnet.training.eager import Eager
from ncnet.training.plan import CONTEXT_COUNT, Method, Plan

BACKENDS = {"compiled": Compiled, "eager": Eager}
COMPILING_PAYS = 2**24
"""Networks x items of a step x steps from which on a training is compiled: eagerly it would take
longer than the compiler does. Neither the hidden size plays a part nor whether the kernel is
compiled already, so that the same call takes the same backend, and a sweep over hidden sizes one
backend."""
MOST_OUTPUTS = 2**16
"""Hidden units x items of one network up to which a vector of networks stays near the cache."""


def choose(plan: Plan, backend: str | None) -> str:
    """Return the backend to take: the one that was named, or for None the faster one.

    Raises
    ------
    ValueError
        If the backend is unknown, or compiled and cannot be taken here.
    """
    if backend is not None:
        check_choice("backend", backend, BACKENDS)
    work = CONTEXT_COUNT * plan.replicas * plan.shown * (plan.head_start + plan.steps[-1])
    if backend == "eager" or (backend is None and work < COMPILING_PAYS):
        return "eager"
    unsuited = _unsuited(plan)
    reason = unsuited or _uncompiled(plan.game.bits + 1, plan.items, plan.phases)
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
        return (
            f"`hidden_size` is {plan.hidden_size:,} for {items:,} items: expected at most "
            f"{MOST_OUTPUTS // items:,}"
        )
    return None


def _uncompiled(features: int, items: int, methods: list[Method]) -> str | None:
    try:
        for method in methods:
            compiled.kernel(features, items, method)
    except CompilerError as error:
        return str(error)
    return None


@lru_cache
def _warn_that_training_is_eager(reason: str) -> None:
    line = f"training eagerly, several times slower than compiled: {reason}"
    warnings.warn(line, RuntimeWarning, stacklevel=6)  # of whoever called `train`
