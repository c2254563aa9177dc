"""The hand-written gradients against autograd, and single replicas against torch.nn."""

import pytest
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

import ncnet
from ncnet.training import network
from ncnet.training.initialisation import INITIALISATIONS, draw
from ncnet.training.network import ACTIVATIONS, LOSSES, Weights
from ncnet.training.optimizers import OPTIMIZERS

GAME = ncnet.games.overlap()
MODULES = {"tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "relu": nn.ReLU}


def random_problem(hidden_size, networks=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    options = {"generator": generator, "dtype": torch.float64}
    weights = Weights(
        torch.randn(hidden_size, 4, networks, **options),
        torch.randn(2, hidden_size + 1, networks, **options),
    )
    targets = 2 * torch.randint(0, 2, (2, 8, networks), **options) - 1
    return network.with_bias(torch.as_tensor(GAME.inputs)), weights, targets


TORCHS_LOSSES = {
    "cross_entropy": lambda logit, targets: binary_cross_entropy_with_logits(
        logit, (targets + 1) / 2, reduction="none"
    ),
    "squared_error": lambda logit, targets: mse_loss(logit, targets, reduction="none") / 2,
}


@pytest.mark.parametrize("loss_name", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden_size", [1, 3, 8])
def test_gradient_is_autograds(activation, hidden_size, loss_name):
    inputs, weights, targets = random_problem(hidden_size)
    ours = LOSSES[loss_name]
    found = network.gradient(inputs, weights, targets, ACTIVATIONS[activation], ours)
    hidden = network.hidden_units(inputs, weights.trunk, ACTIVATIONS[activation])
    logit = network.logits(hidden, weights.heads)

    trunk, heads = (weight.clone().requires_grad_() for weight in weights)
    hidden = MODULES[activation]()(torch.einsum("if,hfn->hin", inputs, trunk))
    expected_logit = torch.einsum("phn,hin->pin", heads[:, :-1], hidden) + heads[:, -1:]
    loss = TORCHS_LOSSES[loss_name](expected_logit, targets)
    loss.mean(1).sum().backward()

    torch.testing.assert_close(logit, expected_logit.detach(), rtol=0, atol=1e-10)
    torch.testing.assert_close(found.trunk, trunk.grad, rtol=0, atol=1e-10)
    torch.testing.assert_close(found.heads, heads.grad, rtol=0, atol=1e-10)
    torch.testing.assert_close(
        ours.value(logit, targets).mean(1), loss.mean(1).detach(), rtol=0, atol=1e-10
    )


class TwoHeads(nn.Module):
    """The network as anybody would write it."""

    def __init__(self, weights, activation):
        super().__init__()
        hidden_size, features = weights.trunk.shape[0], weights.trunk.shape[1] - 1
        self.trunk = nn.Linear(features, hidden_size).double()
        self.alice, self.bob = (nn.Linear(hidden_size, 1).double() for _ in range(2))
        self.activation = MODULES[activation]()
        with torch.no_grad():
            self.trunk.weight.copy_(weights.trunk[:, :-1, 0])
            self.trunk.bias.copy_(weights.trunk[:, -1, 0])
            for head, weight in zip((self.alice, self.bob), weights.heads[:, :, 0], strict=True):
                head.weight.copy_(weight[None, :-1])
                head.bias.copy_(weight[-1:])

    def forward(self, x):
        hidden = self.activation(self.trunk(x))
        return torch.stack([self.alice(hidden)[:, 0], self.bob(hidden)[:, 0]])


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(
    ("optimizer", "torchs", "learning_rate"),
    [("gradient_descent", torch.optim.SGD, 0.5), ("adam", torch.optim.Adam, 0.01)],
)
def test_one_network_follows_torch_step_by_step(activation, optimizer, torchs, learning_rate):
    inputs, weights, targets = random_problem(hidden_size=3, networks=1)
    classes = (targets[..., 0] + 1) / 2
    reference = TwoHeads(weights, activation)
    torchs_optimizer = torchs(reference.parameters(), lr=learning_rate)
    ours = OPTIMIZERS[optimizer](weights, learning_rate)
    x = torch.as_tensor(GAME.inputs)
    for _ in range(100):
        gradient = network.gradient(
            inputs, weights, targets, ACTIVATIONS[activation], LOSSES["cross_entropy"]
        )
        ours.step(gradient)
        torchs_optimizer.zero_grad()
        loss = binary_cross_entropy_with_logits(reference(x), classes, reduction="none")
        loss.mean(1).sum().backward()
        torchs_optimizer.step()
        torch.testing.assert_close(
            weights.trunk[:, :-1, 0], reference.trunk.weight.data, rtol=1e-9, atol=1e-9
        )
        torch.testing.assert_close(
            weights.heads[0, :-1, 0], reference.alice.weight.data[0], rtol=1e-9, atol=1e-9
        )
        torch.testing.assert_close(
            weights.heads[1, -1:, 0], reference.bob.bias.data, rtol=1e-9, atol=1e-9
        )


@pytest.mark.parametrize(("i", "j"), [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_training_ends_where_torch_ends(i, j):
    """One replica of the public call, in every context, against torch's own loop."""
    steps, replica = 300, 70
    outcomes = ncnet.train(
        GAME, hidden_size=3, replicas=72, seed=4, steps=steps, trace_steps=[steps], dtype="float64"
    )
    drawn = draw("lecun_normal", features=3, hidden_size=3, seed=4, replicas=[replica])
    reference = TwoHeads(Weights(*map(torch.as_tensor, drawn)), "tanh")
    optimizer = torch.optim.SGD(reference.parameters(), lr=0.5)
    x = torch.as_tensor(GAME.inputs)
    targets = torch.as_tensor(
        [GAME.alice_targets[i - 1].tolist(), GAME.bob_targets[j - 1].tolist()]
    )
    classes = ((targets + 1) / 2).double()
    for _ in range(steps):
        optimizer.zero_grad()
        loss = binary_cross_entropy_with_logits(reference(x), classes, reduction="none").mean(1)
        loss.sum().backward()
        optimizer.step()
    logit = reference(x).detach()
    loss = binary_cross_entropy_with_logits(logit, classes, reduction="none").mean(1)
    here = outcomes.sel(alice_setting=i, bob_setting=j, replica=replica)
    found = [float(here.alice_loss[0]), float(here.bob_loss[0])]
    assert found == pytest.approx(loss.tolist(), abs=1e-9)
    correct = torch.where((logit > 0) == (classes > 0), 1, -1)
    assert [here.a.values.tolist(), here.b.values.tolist()] == correct.tolist()


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("lecun_normal", 1 / 3),
        ("he_normal", 2 / 3),
        ("glorot_normal", 2 / 10),
        ("torch_linear", 1 / 9),
    ],
)
def test_initial_weights_have_the_stated_variance(name, variance):
    trunk, _ = draw(name, features=3, hidden_size=7, seed=0, replicas=range(4000))
    weights = trunk[:, :3]
    assert float(weights.mean()) == pytest.approx(0, abs=0.01)
    assert float(weights.var()) == pytest.approx(variance, rel=0.03)
    biases = trunk[:, 3]
    assert float(biases.var()) == pytest.approx(variance if name == "torch_linear" else 0, rel=0.05)
    assert set(INITIALISATIONS) == {"lecun_normal", "he_normal", "glorot_normal", "torch_linear"}
