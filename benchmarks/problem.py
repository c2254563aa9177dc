"""The work that every engine is given: the same networks, weights and steps."""

from dataclasses import dataclass

import numpy as np

import ncnet
from ncnet.training.initialisation import draw

LEARNING_RATE = 0.5


@dataclass(frozen=True)
class Problem:
    """The `overlap` ensemble: tanh, full-batch gradient descent, four contexts a replica."""

    hidden_size: int
    replicas: int
    steps: int
    seed: int = 0

    @property
    def game(self) -> ncnet.games.Game:
        return ncnet.games.overlap()

    @property
    def networks(self) -> int:
        return 4 * self.replicas

    @property
    def network_steps(self) -> int:
        return self.networks * self.steps

    def inputs(self) -> np.ndarray:
        """Return the inputs without a constant feature [I, F]."""
        return self.game.inputs.astype(np.float32)

    def targets(self) -> np.ndarray:
        """Return classes as +-1 [2, I, N]; networks in context order, (1, 1) first."""
        game = self.game
        contexts = [
            [game.alice_targets[i], game.bob_targets[j]] for i in range(2) for j in range(2)
        ]
        targets = np.array(contexts, np.float32).transpose(1, 2, 0)
        return np.ascontiguousarray(targets.repeat(self.replicas, axis=2))

    def weights(self) -> tuple[np.ndarray, np.ndarray]:
        """Return initial weights, biases last: trunk [H, F + 1, N], heads [2, H + 1, N]."""
        drawn = draw(
            "lecun_normal",
            features=self.game.bits,
            hidden_size=self.hidden_size,
            seed=self.seed,
            replicas=range(self.replicas),
        )
        return tuple(np.tile(part, 4).astype(np.float32) for part in drawn)


ACTIVATIONS = {
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
}


def correct(
    problem: Problem, trunk: np.ndarray, heads: np.ndarray, activation: str = "tanh"
) -> np.ndarray:
    """Return which outcomes are correct for trained weights [2, I, N], computed in float64."""
    inputs = np.concatenate([problem.inputs(), np.ones((len(problem.inputs()), 1))], axis=1)
    hidden = ACTIVATIONS[activation](np.einsum("if,hfn->hin", inputs, trunk.astype(float)))
    logit = np.einsum("phn,hin->pin", heads[:, :-1].astype(float), hidden) + heads[:, -1:]
    return (logit > 0) == (problem.targets() > 0)
