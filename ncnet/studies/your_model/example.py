"""A network as a reader may have it, in plain torch: from ncnet it uses only `Trained`.

A small convolutional network answers questions about handwritten digits, with a head for each
question. All heads read the same few units.
"""

from collections.abc import Sequence

import torch
from sklearn.datasets import load_digits
from torch import nn

from ncnet.experiment import Trained

pixels, digits = load_digits(return_X_y=True)
IMAGES = torch.tensor(pixels / 16).float().reshape(-1, 1, 8, 8)
TRAINING, HELD_OUT = slice(0, 128), slice(128, 640)
SPLIT = ["training"] * 128 + ["held_out"] * 512
TASKS = {
    "zero": digits == 0,
    "six": digits == 6,
    "odd": digits % 2 == 1,
    "large": digits >= 5,
    "prime": [digit in (2, 3, 5, 7) for digit in digits],
    "loop": [digit in (0, 6, 8, 9) for digit in digits],
}
LABELS = {task: torch.tensor(is_so).long() for task, is_so in TASKS.items()}
ALICE, BOB = {1: "zero", 2: "odd"}, {1: "six", 2: "large"}  # by setting


class Network(nn.Module):
    """A trunk, and a head for each task."""

    def __init__(self, units: int):
        super().__init__()
        self.trunk = nn.Sequential(
            *(nn.Conv2d(1, 8, 3, stride=2), nn.ReLU(), nn.Flatten()),
            *(nn.Linear(72, units), nn.Tanh()),
        )
        self.heads = nn.ModuleDict({task: nn.Linear(units, 2) for task in TASKS})

    def forward(self, images: torch.Tensor, tasks: Sequence[str]) -> list[torch.Tensor]:
        """Return the logits of the heads of these tasks."""
        state = self.trunk(images)
        return [self.heads[task](state) for task in tasks]


def losses(network: nn.Module, tasks: Sequence[str]) -> list[torch.Tensor]:
    """Return the loss of each task on a batch that is drawn anew."""
    batch = torch.randint(128, (32,))
    logits = network(IMAGES[batch], tasks)
    return [
        nn.functional.cross_entropy(of_head, LABELS[task][batch])
        for of_head, task in zip(logits, tasks, strict=True)
    ]


def right(network: nn.Module, tasks: Sequence[str], items: slice) -> list[torch.Tensor]:
    """Return which of the items each head gets right."""
    with torch.no_grad():
        logits = network(IMAGES[items], tasks)
    return [
        of_head.argmax(1) == LABELS[task][items]
        for of_head, task in zip(logits, tasks, strict=True)
    ]


def train(
    tasks: Sequence[str],
    seed: int,
    units: int = 3,
    *,
    steps: int = 40,
    learning_rate: float = 0.02,
    make: type[nn.Module] = Network,
) -> list[torch.Tensor]:
    """Train a network on these tasks; return which items each head gets right, training first."""
    torch.manual_seed(seed)
    network = make(units)
    optimizer = torch.optim.Adam(network.parameters(), learning_rate)
    for _ in range(steps):
        loss = sum(losses(network, tasks))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return right(network, tasks, slice(0, 640))


def train_context(
    alice_setting: int, bob_setting: int, seed: int, units: int = 3, **training: float
) -> Trained:
    """Train Alice's head on her task of a setting, and Bob's on his, in one network."""
    tasks = ALICE[alice_setting], BOB[bob_setting]
    right = train(tasks, seed, units, **training)
    return Trained(
        training=[of_head[TRAINING] for of_head in right],
        held_out=[of_head[HELD_OUT] for of_head in right],
    )
