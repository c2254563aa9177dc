"""What is written down along a training: losses, products of gradients, weights."""

import numpy as np
from torch import Tensor

from ncnet.gradients import GRADIENTS
from ncnet.training.network import Weights
from ncnet.training.plan import CONTEXTS, Plan

DIMENSIONS = ("alice_setting", "bob_setting", "replica", "step")
_PARTIES = ("alice", "bob")


class Traces:
    """Where the chunks write their traces: one step after the other, the networks last."""

    def __init__(self, plan: Plan) -> None:
        units, features = plan.hidden_size, plan.features + 1
        leading = {
            "loss": {"losses": (2,)},
            "gradients": {"products": (3, units)},
            "weights": {"trunk": (units, features), "heads": (2, units + 1)},
        }
        self.index = {step: index for index, step in enumerate(plan.trace_steps)}
        self.inputs = [*(f"x{bit + 1}" for bit in range(plan.features)), "bias"]
        self.blocks = {
            name: np.empty((len(self.index), *shape, CONTEXTS, plan.replicas), plan.dtype)
            for kind in (plan.trace if self.index else ())
            for name, shape in leading[kind].items()
        }

    def write(
        self, step: int, rows: slice, losses: Tensor, products: Tensor | None, weights: Weights
    ) -> None:
        """Write what is traced of some replicas after `step` steps.

        Takes losses [2, N], products of gradients [3, H, N] where they are traced, and weights.
        """
        found = {"losses": losses, "products": products, **weights._asdict()}
        for name, block in self.blocks.items():
            block[self.index[step], ..., rows] = by_context(found[name], rows)

    def variables(self) -> dict[str, tuple]:
        """Return the variables of a Dataset, each with its dimensions."""
        found = {}
        for name, block in self.blocks.items():
            networks_first = np.moveaxis(block, (-2, -1), (0, 1))
            values = networks_first.reshape(2, 2, *networks_first.shape[1:])
            if name == "trunk":
                found["trunk_weight"] = ((*DIMENSIONS, "unit", "input"), values)
            if name == "products":
                for index, product in enumerate(GRADIENTS):
                    found[product] = ((*DIMENSIONS, "unit"), values[..., index, :])
            for index, party in enumerate(_PARTIES):
                if name == "losses":
                    found[f"{party}_loss"] = (DIMENSIONS, values[..., index])
                if name == "heads":
                    found[f"{party}_weight"] = ((*DIMENSIONS, "unit"), values[..., index, :-1])
                    found[f"{party}_bias"] = (DIMENSIONS, values[..., index, -1])
        return found

    def coordinates(self) -> dict[str, list]:
        """Return the coordinates that the variables need."""
        found = {"step": list(self.index)} if self.index else {}
        return found | ({"input": self.inputs} if "trunk" in self.blocks else {})


def by_context(values: Tensor, rows: slice) -> np.ndarray:
    """Split [..., 4 * replicas] into [..., 4, replicas], without surplus replicas."""
    contexts = values.unflatten(-1, (CONTEXTS, -1))
    return contexts[..., : rows.stop - rows.start].cpu().numpy()
