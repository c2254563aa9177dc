"""Gathers the outcomes and traces of a training from its chunks, and labels them as a Dataset."""

import numpy as np
import xarray as xr
from torch import Tensor

from ncnet.files import storable
from ncnet.gradients import GRADIENTS, SECOND_GRADIENTS
from ncnet.training import network
from ncnet.training.network import AnyWeights
from ncnet.training.plan import Method, Plan, traced

NETWORK_DIMENSIONS = ("alice_setting", "bob_setting", "replica")
PARTIES = ("alice", "bob")


class Recorder:
    """Arrays that the chunks of a training write their outcomes and traces into.

    Attributes
    ----------
    correct
        int8 [2, steps, 2, 2, replicas, items], Alice's outcomes first.
    diverged
        bool [steps, 2, 2, replicas].
    traces
        Variables over `step`, their own dimensions, and the networks.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        networks = (2, 2, plan.replicas)
        self.correct = np.empty((2, len(plan.steps), *networks, plan.items), np.int8)
        self.diverged = np.empty((len(plan.steps), *networks), bool)
        sizes = {"unit": plan.hidden_size, "input": plan.game.bits + 1}
        sizes["second_unit"] = plan.second_hidden_size
        self.traces = {}
        for kind in plan.trace if plan.trace_steps else ():
            for name, dimensions in traced(kind, deep=plan.second_hidden_size > 0).items():
                shape = (len(plan.trace_steps), *(sizes[one] for one in dimensions), *networks)
                values = np.empty(shape, plan.dtype)
                self.traces[name] = xr.Variable(("step", *dimensions, *NETWORK_DIMENSIONS), values)

    def write_outcomes(self, step: int, rows: slice, logit: Tensor, targets: Tensor) -> None:
        """Write the outcomes of some replicas after `step` steps, from logits [2, I, N]."""
        index = self.plan.steps.index(step)
        correct = _by_context(network.outcomes(logit, targets), rows)
        self.correct[:, index, ..., rows, :] = np.moveaxis(correct, 1, -1)
        diverged = ~logit.isfinite().all(dim=0).all(dim=0)
        self.diverged[index, ..., rows] = _by_context(diverged, rows)

    def write_traces(
        self, step: int, rows: slice, losses: Tensor, products: Tensor | None, weights: AnyWeights
    ) -> None:
        """Write the traces of some replicas after `step` steps.

        Takes losses [2, N], products of gradients [3, H, N] where they are traced, and weights.
        """
        index = self.plan.trace_steps.index(step)
        traced = {"trunk_weight": weights.trunk}
        for layer in weights.layers[1:]:
            traced |= {"second_weight": layer[:, :-1], "second_bias": layer[:, -1]}
        if products is not None:
            of_layers = products.split([len(layer) for layer in weights.layers], dim=1)
            for names, part in zip((GRADIENTS, SECOND_GRADIENTS), of_layers, strict=False):
                traced |= zip(names, part, strict=True)
        for party, loss, head in zip(PARTIES, losses, weights.heads, strict=True):
            traced[f"{party}_loss"] = loss
            traced[f"{party}_weight"], traced[f"{party}_bias"] = head[:-1], head[-1]
        for name, trace in self.traces.items():
            trace.values[index, ..., rows] = _by_context(traced[name], rows)

    def dataset(self, *, backend: str) -> xr.Dataset:
        """Return all of it as `ncnet.train` documents it."""
        plan, game, networks = self.plan, self.plan.game, ("capacity", *NETWORK_DIMENSIONS)
        variables = {
            "a": ((*networks, "item"), self.correct[0]),
            "b": ((*networks, "item"), self.correct[1]),
            "alice_target": (("alice_setting", "item"), game.alice_targets),
            "bob_target": (("bob_setting", "item"), game.bob_targets),
            "diverged": (networks, self.diverged),
        }
        coordinates = {
            "alice_setting": [1, 2],
            "bob_setting": [1, 2],
            "replica": np.arange(plan.replicas),
            "split": ("item", np.full(plan.items, "training")),
        }
        if plan.trace_steps:
            coordinates["step"] = list(plan.trace_steps)
        if "trunk_weight" in self.traces:
            coordinates["input"] = [*(f"x{bit + 1}" for bit in range(plan.game.bits)), "bias"]
        names = (*Method._fields, "own_batches", "own_starts", "initialisation", "head_start")
        names += ("second_hidden_size",)
        attributes = {name: getattr(plan, name) for name in (*names, "seed", "dtype")}
        attributes["batch_size"] = plan.shown
        for party, tasks in (("alice", game.alice), ("bob", game.bob)):
            attributes[f"{party}_tasks"] = [task.name for task in tasks]
        attributes |= {"game": game.name, "device": plan.device.type}
        attributes |= {"backend": backend, "paired": True}
        capacity = {"hidden_size": [plan.hidden_size], "steps": list(plan.steps)}
        name = "steps" if plan.steps_are_capacity else "hidden_size"
        coordinates["capacity"] = ("capacity", capacity.pop(name), {"capacity_name": name})
        attributes |= {fixed: values[0] for fixed, values in capacity.items()}
        dataset = xr.Dataset(variables | self.traces, coordinates, storable(attributes))
        dataset = dataset.transpose(*networks, ...)
        return dataset if plan.steps_are_capacity else dataset.squeeze("capacity")


def _by_context(values: Tensor, rows: slice) -> np.ndarray:
    """Split [..., 4 * replicas] into [..., 2, 2, replicas], without surplus replicas."""
    contexts = values.unflatten(-1, (2, 2, -1))
    return contexts[..., : rows.stop - rows.start].cpu().numpy()
