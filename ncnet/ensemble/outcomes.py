"""What a training found, gathered from its chunks, and the labelled Dataset made of it."""

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from ncnet.ensemble.network import Weights
from ncnet.ensemble.plan import CONTEXTS, Plan

LOSSES = ("alice_loss", "bob_loss")
GRADIENTS = ("alice_gradient", "gradient_product", "bob_gradient")
WEIGHTS = ("trunk_weight", "alice_weight", "bob_weight", "alice_bias", "bob_bias")
TRACED = {"loss": LOSSES, "gradients": GRADIENTS, "weights": WEIGHTS}
"""The variables of each kind of trace."""
_FURTHER = {"trunk_weight": ("unit", "input")} | dict.fromkeys(
    (*GRADIENTS, "alice_weight", "bob_weight"), ("unit",)
)


class Findings:
    """Where the chunks write what they found; [4, replicas, ...] with contexts in row order."""

    def __init__(self, plan: Plan) -> None:
        networks = (CONTEXTS, plan.replicas)
        self.plan = plan
        self.correct = np.empty((2, len(plan.steps), *networks, plan.items), np.int8)
        self.diverged = np.empty((len(plan.steps), *networks), bool)
        self.traced_at = {step: index for index, step in enumerate(plan.trace_steps)}
        kinds = plan.trace if plan.trace_steps else ()
        names = [name for kind in kinds for name in TRACED[kind]]
        sizes = {"unit": plan.hidden_size, "input": plan.features + 1}
        # As they are written: one step after the other, the networks last.
        self.traces = {
            name: np.empty(
                (len(self.traced_at), *(sizes[d] for d in _FURTHER.get(name, ())), *networks),
                plan.dtype,
            )
            for name in names
        }

    def write_outcomes(self, step: int, rows: slice, logit: Tensor, signs: Tensor) -> None:
        """Write the outcomes of some replicas after `step` steps, from logits [2, I, N]."""
        index = self.plan.steps.index(step)
        finite = logit.isfinite()
        # A tie and a non-finite logit both read as class 0.
        correct = ((logit > 0) & finite) == (signs > 0)
        outcomes = 2 * correct.to(torch.int8) - 1
        self.correct[:, index, :, rows] = np.moveaxis(_networks(outcomes, rows), 1, -1)
        diverged = ~finite.all(dim=0).all(dim=0)
        self.diverged[index, :, rows] = _networks(diverged, rows)

    def write_trace(
        self, step: int, rows: slice, losses: Tensor, products: Tensor | None, weights: Weights
    ) -> None:
        """Write what is traced of some replicas after `step` steps.

        Takes losses [2, N], products of gradients [3, H, N] where they are traced, and weights.
        """
        found = {}
        if "loss" in self.plan.trace:
            found |= zip(LOSSES, losses, strict=True)
        if products is not None:
            found |= zip(GRADIENTS, products, strict=True)
        if "weights" in self.plan.trace:
            (alice, bob), bias = weights.heads, -1
            heads = (alice[:bias], bob[:bias], alice[bias], bob[bias])
            found |= zip(WEIGHTS, (weights.trunk, *heads), strict=True)
        index = self.traced_at[step]
        for name, values in found.items():
            self.traces[name][index, ..., rows] = _networks(values, rows)

    def dataset(self, *, path: str, steps_are_capacity: bool) -> xr.Dataset:
        """Return all of it as `ncnet.train` documents it."""
        plan = self.plan
        settings = ("alice_setting", "bob_setting")
        networks = ("capacity", *settings, "replica")
        shape = (len(plan.steps), 2, 2, plan.replicas)
        correct = self.correct.reshape(2, *shape, plan.items)
        variables = {
            "a": ((*networks, "item"), correct[0]),
            "b": ((*networks, "item"), correct[1]),
            "alice_target": (("alice_setting", "item"), plan.game.alice_targets),
            "bob_target": (("bob_setting", "item"), plan.game.bob_targets),
            "diverged": (networks, self.diverged.reshape(shape)),
        }
        coordinates = {
            "alice_setting": [1, 2],
            "bob_setting": [1, 2],
            "replica": np.arange(plan.replicas),
            "split": ("item", np.full(plan.items, "training")),
        }
        if plan.trace_steps:
            coordinates["step"] = list(plan.trace_steps)
        for name, trace in self.traces.items():
            traced = (*settings, "replica", "step", *_FURTHER.get(name, ()))
            values = np.moveaxis(trace, (-2, -1), (0, 1))
            variables[name] = (traced, values.reshape(2, 2, *values.shape[1:]))
        if "trunk_weight" in self.traces:
            bits = [f"x{bit + 1}" for bit in range(plan.features)]
            coordinates["input"] = [*bits, "bias"]
        attributes = {
            "game": plan.game.name,
            "alice_tasks": [task.name for task in plan.game.alice],
            "bob_tasks": [task.name for task in plan.game.bob],
            "activation": plan.activation,
            "optimizer": plan.optimizer,
            "learning_rate": plan.learning_rate,
            "loss": plan.loss,
            "initialisation": plan.initialisation,
            "aggregator": plan.aggregator,
            "gradient_weights": list(plan.gradient_weights),
            "head_start": plan.head_start,
            "seed": plan.seed,
            "dtype": plan.dtype,
            "device": plan.device.type,
            "path": path,
            "paired": True,
        }
        if steps_are_capacity:
            name, values = "steps", list(plan.steps)
            attributes["hidden_size"] = plan.hidden_size
        else:
            name, values = "hidden_size", [plan.hidden_size]
            attributes["steps"] = plan.steps[0]
        coordinates["capacity"] = ("capacity", values, {"capacity_name": name})
        dataset = xr.Dataset(variables, coordinates, attributes)
        return dataset if steps_are_capacity else dataset.squeeze("capacity")


def _networks(values: Tensor, rows: slice) -> np.ndarray:
    """Split [..., 4 * replicas] into [..., 4, replicas], without surplus replicas."""
    contexts = values.unflatten(-1, (CONTEXTS, -1))
    return contexts[..., : rows.stop - rows.start].cpu().numpy()
