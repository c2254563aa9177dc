"""Watches one training in torch."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Sequence

import pandas as pd
import torch
from torch import Tensor

from ncnet.checks import check_integer
from ncnet.ensemble.traces import GRADIENTS
from ncnet.experiment.trained import Reader, Trained
from ncnet.mechanism.conflict import conflict


class Probe:
    """Watches one training: the gradients of both heads on the trunk, and what they get right.

    Call `record` once a step, before ``backward()``. It changes no gradient, no weight and no
    random number: the training is the same, bit by bit, with and without it.

    Parameters
    ----------
    trunk
        What both heads share: a module, or parameters. Those that are not trained are left out.
    every
        Steps from one logged step to the next, 50 by default; the first step is logged. A logged
        step costs two more backward passes through the trunk: choose fewer in a short training.
    evaluate
        Called without arguments at each logged step, without gradients: returns which items either
        head gets right, on items that stay the same, as the function of `ncnet.experiment.run`
        does. It has to leave the modules in the mode it found them in, and to use them in eval mode
        where they normalise over batches, or else it would change the training.

    Attributes
    ----------
    step
        Number of steps so far; to be set where a training goes on from a checkpoint.
    seconds
        What the logged steps cost so far.

    Raises
    ------
    ValueError
        If the trunk has no parameter that is trained, or `evaluate` leaves it in another mode.

    Warns
    -----
    RuntimeWarning
        Once, if a loss depends on no parameter of the trunk: perhaps of another network's.

    Examples
    --------
    >>> trunk, heads = torch.nn.Linear(3, 2), torch.nn.Linear(2, 2)
    >>> optimizer = torch.optim.SGD([*trunk.parameters(), *heads.parameters()], lr=0.1)
    >>> probe = Probe(trunk, every=10)
    >>> for _ in range(21):
    ...     alice_loss, bob_loss = heads(torch.tanh(trunk(torch.ones(4, 3)))).square().mean(0)
    ...     probe.record(alice_loss, bob_loss)
    ...     optimizer.zero_grad()
    ...     (alice_loss + bob_loss).backward()
    ...     optimizer.step()
    >>> probe.table()["step"].tolist()
    [0, 10, 20]
    """

    def __init__(
        self,
        trunk: torch.nn.Module | Iterable[Tensor],
        *,
        every: int = 50,
        evaluate: Callable[[], object] | None = None,
    ):
        self._parameters = _trunk_parameters(trunk)
        self._modules = [*trunk.modules()] if isinstance(trunk, torch.nn.Module) else []
        self._warned = False
        self._every = check_integer("every", every, at_least=1)
        if evaluate is not None and not callable(evaluate):
            raise ValueError(
                f"`evaluate` is a {type(evaluate).__name__}: expected a function without arguments"
            )
        self._evaluate, self._reader = evaluate, Reader("evaluate")
        self._rows: list[dict] = []
        self._outcomes: dict[int, Trained] = {}
        self.step, self.seconds = 0, 0.0

    def record(self, alice_loss: Tensor, bob_loss: Tensor) -> None:
        """Log this step, if it is one of those to be logged, and count it.

        Parameters
        ----------
        alice_loss, bob_loss
            The heads' losses at this step, each one number with its graph.

        Raises
        ------
        ValueError
            For a loss that is no tensor, no single number or has no graph.
        """
        if self.step % self._every == 0:
            start = time.perf_counter()
            losses = {"alice_loss": alice_loss, "bob_loss": bob_loss}
            for name, loss in losses.items():
                _check_loss(name, loss)
            products = self._products(alice_loss, bob_loss)
            values = {name: loss.item() for name, loss in losses.items()}
            self._rows.append({"step": self.step} | values | products)
            if self._evaluate:
                self._keep_outcomes()
            self.seconds += time.perf_counter() - start
        self.step += 1

    def evaluate(self) -> None:
        """Keep what the heads get right now, after the steps so far: after the last one, too.

        Raises
        ------
        ValueError
            If the probe was made without `evaluate`.
        """
        if self._evaluate is None:
            raise ValueError("the probe has no `evaluate`: expected Probe(..., evaluate=...)")
        self._keep_outcomes()

    def table(self) -> pd.DataFrame:
        """Return one row a logged step.

        Returns
        -------
        pandas.DataFrame
            ``step``; ``alice_loss``, ``bob_loss``; ``alice_gradient`` and ``bob_gradient``, squared
            lengths of the heads' gradients on the trunk, and ``gradient_product``, their inner
            product; ``cosine`` of the angle between them, NaN where one of them is 0;
            ``magnitude_similarity``, ``2|g_A||g_B| / (|g_A|^2 + |g_B|^2)`` (arXiv 2001.06782);
            ``conflict``, whether the cosine is below 0.
        """
        columns = ["step", "alice_loss", "bob_loss", *GRADIENTS]
        table = pd.DataFrame(self._rows, columns=columns)
        measured = conflict(table.set_index("step").to_xarray())
        for name in ("cosine", "magnitude_similarity"):
            table[name] = measured[name].values
        return table.assign(conflict=table["cosine"] < 0)

    def outcomes(self) -> dict[int, Trained]:
        """Return what the heads got right so far, by the number of steps before."""
        return dict(self._outcomes)

    def _products(self, alice_loss: Tensor, bob_loss: Tensor) -> dict[str, float]:
        trained = [parameter for parameter in self._parameters if parameter.requires_grad]
        alice, bob = (
            _gradients(name, loss, trained)
            for name, loss in (("alice_loss", alice_loss), ("bob_loss", bob_loss))
        )
        self._warn_of_unused(alice_loss=alice, bob_loss=bob)
        pairs = ((alice, alice), (alice, bob), (bob, bob))
        return dict(zip(GRADIENTS, (_inner_product(*pair) for pair in pairs), strict=True))

    def _warn_of_unused(self, **gradients: Sequence[Tensor | None]) -> None:
        unused = [name for name, parts in gradients.items() if all(p is None for p in parts)]
        if unused and not self._warned:
            self._warned = True
            warnings.warn(
                f"`{unused[0]}` depends on no parameter of the trunk: its gradient counts as 0",
                RuntimeWarning,
                stacklevel=4,
            )

    def _keep_outcomes(self) -> None:
        devices = {p.device for p in self._parameters if p.device.type == "cuda"}
        modes = [module.training for module in self._modules]
        with torch.no_grad(), torch.random.fork_rng(list(devices)):
            returned = self._evaluate()
        if modes != [module.training for module in self._modules]:
            raise ValueError(
                f"`evaluate` left the trunk in another mode than it found it in at step "
                f"{self.step}: expected train() or eval() to be undone"
            )
        self._outcomes[self.step] = self._reader.read(returned, f"step {self.step}")


def _trunk_parameters(trunk: torch.nn.Module | Iterable[Tensor]) -> list[Tensor]:
    if isinstance(trunk, torch.nn.Module):
        given = list(trunk.parameters())
    elif isinstance(trunk, Iterable) and not isinstance(trunk, Tensor):
        given = list(dict.fromkeys(trunk))
    else:
        raise ValueError(f"`trunk` is a {type(trunk).__name__}: expected a module or parameters")
    for parameter in given:
        if not isinstance(parameter, Tensor):
            raise ValueError(f"`trunk` holds a {type(parameter).__name__}: expected parameters")
    if not any(parameter.requires_grad for parameter in given):
        raise ValueError(
            f"none of the trunk's {len(given)} parameters is trained: expected one with "
            "requires_grad"
        )
    return given


def _check_loss(name: str, loss: object) -> None:
    if not isinstance(loss, Tensor):
        raise ValueError(
            f"`{name}` is a {type(loss).__name__}: expected the loss as a tensor, before .item()"
        )
    if loss.numel() != 1:
        raise ValueError(
            f"`{name}` has shape {tuple(loss.shape)}: expected one number, such as its mean"
        )
    if not loss.requires_grad:
        raise ValueError(
            f"`{name}` has no graph: call record() before backward(), without detach() or no_grad()"
        )


def _gradients(name: str, loss: Tensor, parameters: Sequence[Tensor]) -> tuple[Tensor | None, ...]:
    try:
        return torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    except RuntimeError as error:
        if "second time" not in str(error):
            raise
        raise ValueError(
            f"the graph of `{name}` is used up: call record() before backward()"
        ) from None


def _inner_product(alice: Sequence[Tensor | None], bob: Sequence[Tensor | None]) -> float:
    """Return the inner product of two gradients; None stands for 0."""
    products = []
    for one, other in zip(alice, bob, strict=True):
        if one is not None and other is not None:
            # In double precision, or else squares of small gradients vanish; MPS has none.
            kind = torch.float32 if one.device.type == "mps" else torch.float64
            pair = (part.to_dense().flatten().to(kind) for part in (one, other))
            products.append(torch.dot(*pair).cpu())
    return float(sum(products))
