"""What a training found, gathered from its chunks, and the labelled Dataset made of it."""

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from ncnet.files import storable
from ncnet.training.plan import CONTEXTS, Plan
from ncnet.training.traces import Traces, by_context


class Findings:
    """Where the chunks write what they found; [4, replicas, ...] with contexts in row order."""

    def __init__(self, plan: Plan) -> None:
        networks = (CONTEXTS, plan.replicas)
        self.plan = plan
        self.correct = np.empty((2, len(plan.steps), *networks, plan.items), np.int8)
        self.diverged = np.empty((len(plan.steps), *networks), bool)
        self.traces = Traces(plan)

    def write_outcomes(self, step: int, rows: slice, logit: Tensor, signs: Tensor) -> None:
        """Write the outcomes of some replicas after `step` steps, from logits [2, I, N]."""
        index = self.plan.steps.index(step)
        finite = logit.isfinite()
        # A tie and a non-finite logit both read as class 0.
        correct = ((logit > 0) & finite) == (signs > 0)
        outcomes = 2 * correct.to(torch.int8) - 1
        self.correct[:, index, :, rows] = np.moveaxis(by_context(outcomes, rows), 1, -1)
        diverged = ~finite.all(dim=0).all(dim=0)
        self.diverged[index, :, rows] = by_context(diverged, rows)

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
        variables |= self.traces.variables()
        coordinates |= self.traces.coordinates()
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
        dataset = xr.Dataset(variables, coordinates, storable(attributes))
        return dataset if steps_are_capacity else dataset.squeeze("capacity")
