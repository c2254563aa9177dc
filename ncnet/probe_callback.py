"""The probe in an unchanged Trainer of transformers."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn
from torch.utils.hooks import RemovableHandle
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ncnet.probe import Probe


class ProbeCallback(TrainerCallback):
    """Records both heads' losses at every step of a Trainer, from what the model returns.

    For a model whose ``forward`` returns, beside the ``loss`` that is trained on, the loss of each
    head. With gradient accumulation the first batch of a step is recorded.

    Parameters
    ----------
    probe
        A `Probe` of the model's trunk; of a trunk with adapters (peft), these alone count. If it
        has an `evaluate`, that is called after the last step too.
    losses
        Names of Alice's and Bob's loss in the output of the model.

    Raises
    ------
    ValueError
        If the probe is none; in the first step, if the model's output holds no such losses.

    Examples
    --------
    >>> trunk = nn.Linear(2, 2)
    >>> callback = ProbeCallback(Probe(trunk), losses=("alice_loss", "bob_loss"))

    It is handed to the Trainer: ``Trainer(model, arguments, ..., callbacks=[callback])``.
    """

    def __init__(self, probe: Probe, *, losses: tuple[str, str] = ("alice_loss", "bob_loss")):
        if not isinstance(probe, Probe):
            raise ValueError(f"`probe` is a {type(probe).__name__}: expected a Probe of the trunk")
        self._probe, self._losses = probe, tuple(losses)
        self._handle: RemovableHandle | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Refuse a probe that has watched another training."""
        if state.global_step < self._probe.step:
            raise ValueError(
                f"the probe has recorded {self._probe.step} steps, the training starts at "
                f"{state.global_step}: expected a new probe for a new training"
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
        self._probe.step = state.global_step
        # Hooked for one call: no hook is left, however the training ends.
        self._handle = model.register_forward_hook(self._record, always_call=True)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Say so, if the model's output was not seen."""
        if self._handle is not None:
            self._forget()
            raise ValueError("the Trainer has made a step without calling the model it was given")

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Keep what the heads get right after the last step."""
        self._forget()
        if self._probe.outcomes():
            self._probe.evaluate()

    def _record(self, module: nn.Module, arguments: tuple, output: object) -> None:
        self._forget()
        if output is None or not module.training:
            return
        found = list(output) if isinstance(output, Mapping) else type(output).__name__
        for name in self._losses:
            if not isinstance(output, Mapping) or name not in output:
                raise ValueError(f"the model's output has no `{name}`: found {found}")
        self._probe.record(*(output[name] for name in self._losses))

    def _forget(self) -> None:
        if self._handle is not None:
            self._handle.remove()
            self._handle = None
