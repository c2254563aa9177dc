"""Times a training loop with and without the probe: ``python -m benchmarks.probe``.

A small convolutional network on scikit-learn's digits, and a small BERT of transformers on made-up
tokens; the probe at its default interval, alone and with outcomes on all training items. One
thread; loops with and without it alternate, and the median of their ratios is printed. Both have to
end with the same weights, bit by bit.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ncnet.experiment.probe import Probe

ROOT = Path(__file__).resolve().parents[1]
GOAL = 1.10  # of the time of the loop without
STEPS = {"CNN on digits": 300, "BERT, 2 x 128": 100}
REPEATS = 7
BATCH = 32
TOKENS, LENGTH, SEQUENCES = 500, 32, 128


@dataclass
class Problem:
    """A network with two heads, and its data."""

    name: str
    trunk: nn.Module
    heads: nn.ModuleList
    inputs: Tensor
    targets: Tensor
    """[2, items] classes."""

    def logits(self, inputs: Tensor) -> list[Tensor]:
        state = self.trunk(inputs)
        return [head(state) for head in self.heads]

    def correct(self) -> tuple[Tensor, Tensor]:
        self.trunk.eval()
        a, b = (logit.argmax(1) for logit in self.logits(self.inputs))
        self.trunk.train()
        return a == self.targets[0], b == self.targets[1]


class FirstToken(nn.Module):
    """A small BERT with random weights, read at its first token."""

    def __init__(self):
        from transformers import BertConfig, BertModel

        super().__init__()
        size = {"vocab_size": TOKENS, "hidden_size": 128, "intermediate_size": 512}
        depth = {"num_hidden_layers": 2, "num_attention_heads": 2}
        self.bert = BertModel(BertConfig(**size, **depth), add_pooling_layer=False)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.bert(input_ids=tokens).last_hidden_state[:, 0]


def digits() -> Problem:
    """Return digits with two tasks: whether one is odd, and whether it is 5 or more."""
    from sklearn.datasets import load_digits

    torch.manual_seed(0)
    images, labels = load_digits(return_X_y=True)
    inputs = torch.tensor(images[:512] / 16, dtype=torch.float32).reshape(-1, 1, 8, 8)
    labels = torch.tensor(labels[:512])
    trunk = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(512, 64), nn.ReLU()),
    )
    targets = torch.stack([labels % 2, labels // 5])
    return Problem("CNN on digits", trunk, _heads(64), inputs, targets)


def bert() -> Problem:
    """Return made-up tokens with two tasks: whether the first is odd, and the second."""
    torch.manual_seed(0)
    tokens = torch.randint(TOKENS, (SEQUENCES, LENGTH))
    targets = torch.stack([tokens[:, 0] % 2, tokens[:, 1] % 2])
    return Problem("BERT, 2 x 128", FirstToken(), _heads(128), tokens, targets)


def train(problem: Problem, steps: int, probe: Probe | None = None) -> list[Tensor]:
    """Train, and return the weights at the end."""
    torch.manual_seed(1)
    weights = [*problem.trunk.parameters(), *problem.heads.parameters()]
    optimizer = torch.optim.Adam(weights, lr=1e-3)
    for _ in range(steps):
        batch = torch.randint(len(problem.inputs), (BATCH,))
        alice_loss, bob_loss = (
            nn.functional.cross_entropy(logits, target[batch])
            for logits, target in zip(
                problem.logits(problem.inputs[batch]), problem.targets, strict=True
            )
        )
        if probe:
            probe.record(alice_loss, bob_loss)
        optimizer.zero_grad()
        (alice_loss + bob_loss).backward()
        optimizer.step()
    return weights


def compare(
    make: Callable[[], Problem], steps: int, repeats: int, *, outcomes: bool
) -> tuple[list[float], list[float]]:
    """Return how long the loop took without the probe, and with it.

    Raises
    ------
    ValueError
        If the probe has changed the training.
    """
    plain, probed = [], []
    for _ in range(repeats):
        expected = _timed(make(), steps, plain)
        problem = make()
        probe = Probe(problem.trunk, evaluate=problem.correct if outcomes else None)
        found = _timed(problem, steps, probed, probe)
        if not all(map(torch.equal, found, expected)):
            raise ValueError(f"{problem.name}: trained to other weights with the probe")
    return plain, probed


def _timed(
    problem: Problem, steps: int, times: list[float], probe: Probe | None = None
) -> list[Tensor]:
    start = time.perf_counter()
    weights = train(problem, steps, probe)
    times.append(time.perf_counter() - start)
    return weights


def _heads(width: int) -> nn.ModuleList:
    return nn.ModuleList(nn.Linear(width, 2) for _ in range(2))


def main() -> None:
    argparse.ArgumentParser(prog="python -m benchmarks.probe", description=__doc__).parse_args()
    if os.environ.get("OMP_NUM_THREADS") != "1":
        sys.exit(_with_one_thread())
    load = f"{os.getloadavg()[0]:.1f} processes" if hasattr(os, "getloadavg") else "unknown"
    print(f"one thread; load of the machine's {os.cpu_count()} cores at the start: {load}")
    print(f"time with the probe, in times of the loop without (goal {GOAL:.2f}):")
    for make in (digits, bert):
        problem = make()
        steps = STEPS[problem.name]
        for outcomes in (False, True):
            compare(make, steps // 10, 1, outcomes=outcomes)  # what is imported and cached
            plain, probed = map(np.array, compare(make, steps, REPEATS, outcomes=outcomes))
            ratios = probed / plain
            verdict = "met" if np.median(ratios) <= GOAL else "missed"
            evaluated = f" and outcomes on {len(problem.inputs)} items" if outcomes else ""
            print(
                f"  {problem.name}, gradients{evaluated}: {np.median(ratios):.3f} "
                f"({ratios.min():.3f} to {ratios.max():.3f}; {verdict}); a step "
                f"{1e3 * np.median(plain) / steps:.1f} ms"
            )


def _with_one_thread() -> int:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "benchmarks.probe"]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    main()
