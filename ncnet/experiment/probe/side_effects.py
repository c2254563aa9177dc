"""Undoes what a further backward pass, or an evaluation, changes beside what it returns."""

import random
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack
from torch.utils.checkpoint import _CachedTorchDispatchMode

Gradient = Sequence[Tensor | None]
"""A part for each parameter; None where the loss does not depend on it."""


@contextmanager
def keep_random_streams() -> Iterator[None]:
    """Put the random streams of torch, on all devices in use, of numpy and of Python back."""
    of_python, of_numpy = random.getstate(), np.random.get_state(legacy=False)
    with torch.random.fork_rng(**_devices_in_use()):
        try:
            yield
        finally:
            random.setstate(of_python)
            np.random.set_state(of_numpy)


def gradient(loss: Tensor, parameters: Sequence[Tensor], modules: Iterable[nn.Module]) -> Gradient:
    """Return the gradient of a loss, and leave all else as it was.

    A backward pass calls modules where activations were not kept (checkpointing): these get their
    buffers and attributes back, and so do `modules`, whatever of them is called.

    Raises
    ------
    RuntimeError
        In a pass in which an autograd function itself calls ``backward``, before that adds to a
        ``grad``; in a call under selective checkpointing, which allows for one pass only.
    """
    here = threading.get_ident()
    kept: dict[nn.Module, tuple[dict, dict[str, tuple[Tensor, Tensor]]]] = {}

    def keep(module: nn.Module, arguments: tuple) -> None:
        if torch.compiler.is_compiling() or _is_of_another_training(here):
            return  # a compiled module was seen with all that it is made of
        modes = _get_current_dispatch_mode_stack()
        if any(isinstance(mode, _CachedTorchDispatchMode) for mode in modes):
            raise RuntimeError("selective checkpointing allows for one backward pass only")
        for part in module.modules():
            if part not in kept:
                kept[part] = dict(vars(part)), _copied_buffers(part)
                _guard(part.parameters(recurse=False), guards)

    with ExitStack() as guards, keep_random_streams():
        _guard(parameters, guards)
        kept |= {module: (dict(vars(module)), _copied_buffers(module)) for module in modules}
        guards.enter_context(register_module_forward_pre_hook(keep))
        try:
            return torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
        finally:
            for module, (attributes, buffers) in kept.items():
                vars(module).update(attributes)
                for name, (buffer, content) in buffers.items():
                    module._buffers[name] = buffer
                    if not torch.equal(buffer, content):
                        # By `data`, which counts no version: a graph may have saved the buffer.
                        buffer.data.copy_(content)


def _guard(parameters: Iterable[Tensor], guards: ExitStack) -> None:
    """Stop whoever is about to add to the ``grad`` of a parameter."""
    here = threading.get_ident()

    def stop(gradients: tuple) -> None:
        if _is_of_another_training(here):
            return
        raise RuntimeError("a function in the graph calls backward() within its own backward pass")

    for parameter in parameters:
        if parameter.requires_grad and parameter.is_leaf:
            node = torch.autograd.graph.get_gradient_edge(parameter).node
            guards.enter_context(node.register_prehook(stop))
            guards.callback(lambda held: None, node)  # or else it is let go, and made anew


def _is_of_another_training(here: int) -> bool:
    """Return whether this is a thread of the reader's that is not the one called `here`.

    Threads in which torch makes a backward pass on a GPU are not Python's, and so are none.
    """
    now = threading.get_ident()
    return now != here and now in {thread.ident for thread in threading.enumerate()}


def _copied_buffers(module: nn.Module) -> dict[str, tuple[Tensor, Tensor]]:
    buffers = module.named_buffers(recurse=False)
    return {name: (buffer, buffer.clone()) for name, buffer in buffers if not buffer.is_meta}


def _devices_in_use() -> dict[str, object]:
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    kind = accelerator.type if accelerator else "cuda"
    # Not to be the first to use a GPU: processes cannot be forked any more then.
    initialized = getattr(torch.get_device_module(kind), "is_initialized", lambda: True)
    count = torch.accelerator.device_count() if accelerator and initialized() else 0
    return {"devices": range(count), "device_type": kind}
