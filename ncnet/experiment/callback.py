"""The probe in an unchanged Trainer of transformers."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ncnet.experiment.probe import Probe


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
        If the probe is none; when a training begins, if it watches another model or has watched
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
        self._make = None if isinstance(probe, Probe) else probe
        if self._make is not None and not callable(self._make):
            raise ValueError(
                f"`probe` is a {type(probe).__name__}: expected a Probe of the trunk, or a "
                "function that makes one of the model"
            )
        self.probe: Probe | None = probe if self._make is None else None
        self._losses, self._watches = tuple(losses), True
        self._handle: RemovableHandle | None = None

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        *,
        model: nn.Module,
        **more: object,
    ) -> None:
        """Refuse a probe of another model, or one that has watched another training."""
        compiled = args.torch_compile or getattr(model, "_compiled_call_impl", None) is not None
        self._watches = True
        if compiled:
            self._stop("the model is compiled where it is called, which a hook would change")
        if self._make is not None:
            self.probe = self._make(model)
            if not isinstance(self.probe, Probe):
                raise ValueError(
                    f"`probe` made a {type(self.probe).__name__}: expected a Probe of the trunk"
                )
        if {*map(id, self.probe.parameters)}.isdisjoint(map(id, model.parameters())):
            raise ValueError(
                "the probe watches no parameter of the model that is trained: expected a probe of "
                "its trunk, ProbeCallback(lambda model: Probe(...)) with `model_init`"
            )
        if state.global_step < self.probe.step:
            raise ValueError(
                f"the probe has recorded {self.probe.step} steps, the training starts at "
                f"{state.global_step}: expected a new probe for a new training, such as "
                "ProbeCallback(lambda model: Probe(...))"
            )

    def on_step_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        *,
        model: nn.Module,
        **more: object,
    ) -> None:
        """Wait for the step's first output."""
        self._forget()
        if not self._watches:
            return
        self.probe.step = state.global_step
        # Hooked until the call that is trained on: no hook is left, wherever that fails.
        self._handle = model.register_forward_hook(self._record, always_call=True)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Say so, if the model's output was not seen."""
        if self._handle is not None:
            self._forget()
            self._stop(
                "the Trainer has made a step without calling the model it was given, with gradients"
            )

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Keep what the heads get right after the last step, if the model is still that one."""
        self._forget()
        if self.probe.outcomes() and not args.load_best_model_at_end:
            self.probe.evaluate()

    def _record(self, module: nn.Module, arguments: tuple, output: object) -> None:
        if output is not None and not torch.is_grad_enabled():
            return  # of a teacher or a metric; the one that is trained on is still to come
        self._forget()
        if output is None:  # of a call that failed
            return
        found = list(output) if isinstance(output, Mapping) else type(output).__name__
        for name in self._losses:
            if not isinstance(output, Mapping) or name not in output:
                raise ValueError(f"the model's output has no `{name}`: found {found}")
        self.probe.record(*(output[name] for name in self._losses))

    def _stop(self, reason: str) -> None:
        self._watches = False
        line = f"{reason}: the training goes on, and nothing is recorded"
        warnings.warn(line, RuntimeWarning, stacklevel=3)

    def _forget(self) -> None:
        if self._handle is not None:
            self._handle.remove()
            self._handle = None
