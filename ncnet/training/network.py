"""Computes outputs and gradients of many NCnets at once: a shared trunk and two linear heads.

The trunk is a hidden layer, or two of them.

Every array has the network (context x replica) as its last, contiguous dimension, so that each
operation runs over thousands of networks in one vectorised sweep and no loop goes over replicas.
Gradients are written out by hand: for networks this small, recording a graph would cost more
than the arithmetic. The tests compare them with autograd.

Shapes: H hidden units, F features, I items, N networks. Heads are Alice's (0) and Bob's (1).
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid


class Weights(NamedTuple):
    """Weights of N networks, or a gradient with respect to them.

    Attributes
    ----------
    trunk
        [H, F + 1, N]: shared by both heads; the last feature is the bias.
    heads
        [2, H + 1, N]: the last unit is the bias.
    """

    trunk: Tensor
    heads: Tensor

    @property
    def layers(self) -> tuple[Tensor, ...]:
        """The layers of the trunk, in the order in which items pass through them."""
        return (self.trunk,)


class DeepWeights(NamedTuple):
    """What `Weights` are, of networks with two hidden layers; the heads read the second.

    Attributes
    ----------
    trunk, heads
        [H, F + 1, N] and [2, H2 + 1, N].
    second
        [H2, H + 1, N]; the last unit of the first layer is the bias.
    """

    trunk: Tensor
    heads: Tensor
    second: Tensor

    @property
    def layers(self) -> tuple[Tensor, ...]:
        """The layers of the trunk, in the order in which items pass through them."""
        return self.trunk, self.second


AnyWeights = Weights | DeepWeights


class Activation(NamedTuple):
    """An activation, and its derivative in terms of its output; both overwrite what they take."""

    apply_: Callable[[Tensor], Tensor]
    derivative_: Callable[[Tensor], Tensor]


ACTIVATIONS: dict[str, Activation] = {
    "tanh": Activation(Tensor.tanh_, lambda output: output.square_().neg_().add_(1)),
    "sigmoid": Activation(
        Tensor.sigmoid_, lambda output: output.addcmul_(output, output, value=-1)
    ),
    "relu": Activation(Tensor.relu_, Tensor.sign_),
}


def with_bias(inputs: Tensor) -> Tensor:
    """Append the constant feature that carries the bias: [..., I, F] to [..., I, F + 1]."""
    return torch.cat([inputs, torch.ones_like(inputs[..., :1])], dim=-1)


def hidden_units(inputs: Tensor, trunk: Tensor, activation: Activation) -> Tensor:
    """Return the hidden layer [H, I, N] for inputs [I, F + 1], the last feature being the bias.

    Or for inputs of each network [F, I, N], without the bias.
    """
    if inputs.ndim == 2:
        return activation.apply_(torch.matmul(inputs, trunk))
    *weights, biases = trunk.unsqueeze(2).unbind(1)
    sums = torch.addcmul(biases, weights[0], inputs[0])
    for weight, values in zip(weights[1:], inputs[1:], strict=True):
        sums.addcmul_(weight, values)
    return activation.apply_(sums)


def forward(
    inputs: Tensor, weights: AnyWeights, activation: Activation
) -> tuple[list[Tensor], list[Tensor], Tensor]:
    """Return what each layer of the trunk reads and gives [H, I, N], and the logits [2, I, N].

    The inputs are as `hidden_units` takes them, and what a second layer reads, too.
    """
    read, given = [inputs], []
    for layer in weights.layers:
        if given:
            read.append(given[-1])
        given.append(hidden_units(read[-1], layer, activation))
    return read, given, logits(given[-1], weights.heads)


def logits(hidden: Tensor, heads: Tensor) -> Tensor:
    """Return both heads' logits [2, I, N]; a positive logit reads as class 1."""
    return (heads[:, :-1, None] * hidden).sum(dim=1).add_(heads[:, -1:])


class Loss(NamedTuple):
    """A loss of one item, and its derivative with respect to the logit.

    Both take logits and targets (+1 for class 1, -1 for class 0), [2, I, N] each.
    """

    value: Callable[[Tensor, Tensor], Tensor]
    derivative: Callable[[Tensor, Tensor], Tensor]


def _cross_entropy_derivative(logit: Tensor, targets: Tensor) -> Tensor:
    """Return ``sigmoid(logit) - class``, accurate for both classes however sure the head is.

    Adam makes steps of the smallest gradients.
    """
    towards = -targets
    return (logit * towards).sigmoid_().mul_(towards)


LOSSES: dict[str, Loss] = {
    "cross_entropy": Loss(
        lambda logit, targets: -logsigmoid(targets * logit), _cross_entropy_derivative
    ),
    "squared_error": Loss(lambda logit, targets: (logit - targets).square_().div_(2), torch.sub),
}


def outcomes(logit: Tensor, targets: Tensor) -> Tensor:
    """Return int8 +1 where a logit reads as the class that its target is, else -1.

    A tie and a logit that is not finite both read as class 0. Where the target is 0 nothing is
    asked, and nothing is wrong.

    >>> outcomes(torch.tensor([0.5, 0.0, torch.inf, -3.0]), torch.tensor([1, 1, 1, 0])).tolist()
    [1, -1, -1, 1]
    """
    correct = ((logit > 0) & logit.isfinite()) == (targets > 0)
    return 2 * (correct | (targets == 0)).to(torch.int8) - 1


def gradient(
    inputs: Tensor,
    weights: AnyWeights,
    targets: Tensor,
    activation: Activation,
    loss: Loss,
    gradient_weights: tuple[float, float] = (1.0, 1.0),
) -> AnyWeights:
    """Return the gradient of L_A + L_B.

    The trunk receives the sum of both heads' gradients: that is the competition the paper
    speaks of. `inputs` are as `hidden_units` takes them, `targets` [2, I, N] are +-1;
    `gradient_weights` are Alice's and Bob's in that sum.
    """
    read, given, logit = forward(inputs, weights, activation)
    errors = _errors(logit, targets, loss)
    heads = _head_gradient(given[-1], errors)
    signal = _hidden_signal(errors, weights.heads, gradient_weights)
    return _backward(signal, read, given, weights, heads, activation)


def gradient_by_head(
    inputs: Tensor, weights: AnyWeights, targets: Tensor, activation: Activation, loss: Loss
) -> tuple[AnyWeights, Tensor]:
    """Return each head's gradient on the trunk, [2, H, F + 1, N] in `weights`, and the logits."""
    read, given, logit = forward(inputs, weights, activation)
    errors = _errors(logit, targets, loss)
    heads = _head_gradient(given[-1], errors)
    signals = weights.heads[:, :-1, None] * errors[:, None]
    return _backward(signals, read, given, weights, heads, activation), logit


def _backward(
    signal: Tensor,
    read: list[Tensor],
    given: list[Tensor],
    weights: AnyWeights,
    heads: Tensor,
    activation: Activation,
) -> AnyWeights:
    """Return the gradient, from signals [..., H, I, N] to the last layer and that of the heads."""
    layers = []
    for place in reversed(range(len(given))):
        if layers:
            above = weights.layers[place + 1][:, :-1, None]
            units = signal.unsqueeze(-3).unbind(-4)
            signal = sum(one * unit for one, unit in zip(above, units, strict=True))
        signal = signal.mul_(activation.derivative_(given[place]))
        layers.append(_trunk_gradient(read[place], signal))
    trunk, *deeper = layers[::-1]
    return type(weights)(trunk, heads, *deeper)


def products(trunk: Tensor) -> Tensor:
    """Return |g_A|^2, g_A . g_B, |g_B|^2 of each unit [3, H, N] for gradients [2, H, F + 1, N]."""
    alice, bob = trunk
    return torch.stack(
        [(one * other).sum(dim=1) for one, other in ((alice, alice), (alice, bob), (bob, bob))]
    )


def _errors(logit: Tensor, targets: Tensor, loss: Loss) -> Tensor:
    """Return the gradient of each head's loss with respect to its logits [2, I, N]."""
    return loss.derivative(logit, targets).div_(logit.shape[1])


def _head_gradient(hidden: Tensor, errors: Tensor) -> Tensor:
    """Return each head's gradient with respect to its own weights [2, H + 1, N]."""
    weights = (errors[:, None] * hidden).sum(dim=2)
    return torch.cat([weights, errors.sum(dim=1, keepdim=True)], dim=1)


def _trunk_gradient(inputs: Tensor, signal: Tensor) -> Tensor:
    """Return the gradient on the trunk [..., H, F + 1, N] for signals [..., H, I, N]."""
    if inputs.ndim == 2:
        return torch.matmul(inputs.T, signal)
    gradient = signal.new_empty(*signal.shape[:-2], len(inputs) + 1, signal.shape[-1])
    torch.sum(signal, dim=-2, out=gradient[..., -1, :])
    weights, (first, *signals) = gradient[..., :-1, :], signal.unsqueeze(-3).unbind(-2)
    torch.mul(first, inputs[:, 0], out=weights)
    # Item by item, no product has to be kept.
    for item, sent in enumerate(signals, start=1):
        weights.addcmul_(sent, inputs[:, item])
    return gradient


def _hidden_signal(errors: Tensor, heads: Tensor, gradient_weights: tuple[float, float]) -> Tensor:
    """Return the gradient with respect to the hidden layer, summed with weights: [H, I, N]."""
    alice, bob = heads[:, :-1, None]
    if gradient_weights == (1.0, 1.0):
        return (alice * errors[0]).addcmul_(bob, errors[1])
    # A head of weight 0 is not read at all: should it diverge, the other must not notice.
    sent = [
        weight * head * error
        for weight, head, error in zip(gradient_weights, (alice, bob), errors, strict=True)
        if weight
    ]
    return sum(sent[1:], sent[0]) if sent else torch.zeros_like(alice * errors[0])
