"""Records the gradients of both heads in an unchanged Trainer of transformers."""

import warnings
from collections.abc import Callable, Mapping

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle
from transformers import TrainerCallback

from ncnet.checks import check
from ncnet.experiment.probe import Probe
from ncnet.printing import shown


class ProbeCallback(TrainerCallback):
    """Records both heads' losses at every step of a Trainer, from what the model returns.

    For a model whose ``forward`` returns, beside the ``loss`` that is trained on, the loss of each
    head. In each step the first call with gradients is recorded, and so the first batch where they
    are accumulated.

    Parameters
    ----------
    probe
        A `ncnet.experiment.probe.Probe` of the model's trunk, or a function that makes one of the
        model: it is called when a training begins, where the Trainer makes the model itself
        (``model_init``). Of a trunk with adapters (peft), these alone count. If the probe has an
        `evaluate`, that is called after the last step too, unless the Trainer takes up its best
        checkpoint then (``load_best_model_at_end``).
    losses
        Names of Alice's and Bob's loss in the output of the model.

    Attributes
    ----------
    probe
        The probe of the present or last training; None before the first, where a function makes
        it.

    Raises
    ------
    ValueError
        If the probe is none; when a training begins, if it is of another model or has recorded
        another training; in the first step, if the model's output holds no such losses.

    Warns
    -----
    RuntimeWarning
        If the Trainer compiles the model, which a hook would change, or makes a step without
        calling it: the training goes on, and nothing is recorded.

    Examples
    --------
    >>> trunk = nn.Linear(2, 2)
    >>> callback = ProbeCallback(Probe(trunk), losses=("alice_loss", "bob_loss"))
    >>> callback = ProbeCallback(lambda model: Probe(model.trunk))

    It is handed to the Trainer: ``Trainer(model, arguments, ..., callbacks=[callback])``.
    """

    def __init__(
        self,
        probe: Probe | Callable[[nn.Module], Probe],
        *,
        losses: tuple[str, str] = ("alice_loss", "bob_loss"),
    ):
        expected = "a Probe of the trunk, or a function that makes one of the model"
        is_probe = isinstance(probe, Probe)
        check(is_probe or callable(probe), f"`probe` is {shown(probe)}", expected)
        self.probe: Probe | None = probe if is_probe else None
        self._make = None if is_probe else probe
        self._losses, self._records = tuple(losses), True
        self._hook: RemovableHandle | None = None

    def on_train_begin(self, args, state, control, *, model: nn.Module, **more) -> None:
        """Refuse a probe of another model, or one that has recorded another training."""
        self._records = True
        if args.torch_compile or getattr(model, "_compiled_call_impl", None) is not None:
            self._stop("the model is compiled where it is called, which a hook would change")
        if self._make is not None:
            self.probe = self._make(model)
            found = f"`probe` made {shown(self.probe)}"
            check(isinstance(self.probe, Probe), found, "a Probe of the trunk")
        own = {*map(id, self.probe.parameters)} & {*map(id, model.parameters())}
        found = "the probe has no parameter of the model that is trained"
        new = "ProbeCallback(lambda model: Probe(...))"
        check(own, found, f"a probe of its trunk, with `model_init` {new}")
        steps = self.probe.step, state.global_step
        found = "the probe has recorded {} steps, the training starts at {}".format(*steps)
        check(steps[0] <= steps[1], found, f"a new probe for a new training, such as {new}")

    def on_step_begin(self, args, state, control, *, model: nn.Module, **more) -> None:
        """Wait for the step's first output."""
        self._remove_hook()
        if self._records:
            self.probe.step = state.global_step
            # Hooked until the call that is trained on: no hook is left, wherever that fails.
            self._hook = model.register_forward_hook(self._record, always_call=True)

    def on_step_end(self, args, state, control, **more) -> None:
        """Warn if the model was not called."""
        if self._remove_hook():
            self._stop(
                "the Trainer has made a step without calling the model it was given, with gradients"
            )

    def on_train_end(self, args, state, control, **more) -> None:
        """Evaluate after the last step, if the model is still the one that was trained."""
        self._remove_hook()
        if self.probe.outcomes() and not args.load_best_model_at_end:
            self.probe.evaluate()

    def _record(self, module: nn.Module, arguments: tuple, output: object) -> None:
        if output is not None and not torch.is_grad_enabled():
            return  # of a teacher or a metric; the one that is trained on is still to come
        self._remove_hook()
        if output is not None:  # as it is of a call that failed
            named = output if isinstance(output, Mapping) else {}
            found = f"the model's output is {[*named] or type(output).__name__}"
            for name in self._losses:
                check(name in named, found, f"`{name}` in it, as a loss")
            self.probe.record(*(named[name] for name in self._losses))

    def _stop(self, reason: str) -> None:
        self._records = False
        line = f"{reason}: the training goes on, and nothing is recorded"
        warnings.warn(line, RuntimeWarning, stacklevel=3)

    def _remove_hook(self) -> bool:
        """Remove the hook and return whether there was one."""
        hook, self._hook = self._hook, None
        if hook is not None:
            hook.remove()
        return hook is not None
