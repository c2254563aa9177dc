"""Both heads' gradients made one step: against TorchJD, autograd, and what each rule is for."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from torch.nn.functional import binary_cross_entropy_with_logits
from torchjd.aggregation import MGDA, CAGrad, PCGrad, UPGrad
from torchjd.autojac import jac, jac_to_grad, mtl_backward
from torchjd.linalg import QuadprogProjector

import ncnet
from ncnet.training import network
from ncnet.training.aggregators import AGGREGATORS, CAGRAD_RADIUS, Products
from ncnet.training.compiled import Compiled
from ncnet.training.eager import Eager
from ncnet.training.initialisation import draw
from ncnet.training.network import ACTIVATIONS, LOSSES, Weights
from ncnet.training.plan import Method
from tests.compilers import has_compiler
from tests.refusals import refused
from tests.test_backends import copy, problem
from tests.test_network_gradients import GAME, TwoHeads, random_problem

needs_compiler = pytest.mark.skipif(not has_compiler(), reason="there is no C++ compiler")
# TorchJD returns means over heads where ours are sums, and CAGrad longer than that.
TORCHJD = {
    "pcgrad": (PCGrad(), 1),
    "mgda": (MGDA(epsilon=1e-9, max_iters=1000), 2),
    "cagrad": (CAGrad(CAGRAD_RADIUS), 2 / (1 + CAGRAD_RADIUS)),
}
RULES = sorted(TORCHJD)

lengths = st.floats(0.01, 10)
pairs = st.tuples(lengths, lengths, st.floats(-0.999, 0.999), st.integers(0, 10_000))


def gradients(pair):
    """Two gradients of given lengths and cosine, in a random plane of 12 dimensions."""
    first, second, cosine, seed = pair
    axes = np.linalg.qr(np.random.default_rng(seed).standard_normal((12, 2)))[0].T
    alice = first * axes[0]
    bob = second * (cosine * axes[0] + np.sqrt(1 - cosine**2) * axes[1])
    return torch.as_tensor(np.stack([alice, bob]))


def step(name, both):
    alice, bob = both
    products = [
        (one * other).sum()[None] for one, other in ((alice, alice), (alice, bob), (bob, bob))
    ]
    by_alice, by_bob = AGGREGATORS[name](Products(*products))
    return by_alice * alice + by_bob * bob


def test_these_are_all_rules():
    assert set(AGGREGATORS) == {"sum", *RULES}


@pytest.mark.parametrize("name", RULES)
@settings(deadline=None, max_examples=40)
@given(pair=pairs)
def test_the_closed_form_is_torchjds(name, pair):
    aggregator, scale = TORCHJD[name]
    both = gradients(pair)
    # TorchJD takes what is small beside 1 for 0, whatever the gradients' own scale.
    size = both.norm()
    expected = scale * aggregator(both / size) * size
    torch.testing.assert_close(step(name, both), expected, rtol=1e-3, atol=1e-4 * float(size))


@settings(deadline=None, max_examples=40)
@given(pair=pairs)
def test_upgrad_is_half_of_pcgrad(pair):
    both = gradients(pair)
    size = both.norm()
    # As good as no regularisation of what is regular here.
    exact = UPGrad(projector=QuadprogProjector(norm_eps=1e-12, reg_eps=1e-12))
    expected = 2 * exact(both / size) * size
    torch.testing.assert_close(step("pcgrad", both), expected, rtol=1e-5, atol=1e-5 * float(size))


@pytest.mark.parametrize("name", RULES)
@given(pair=pairs)
def test_heads_are_treated_alike_and_lengths_scale(name, pair):
    both = gradients(pair)
    found = step(name, both)
    torch.testing.assert_close(step(name, both.flip(0)), found, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(step(name, 7 * both), 7 * found, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ["pcgrad", "mgda"])
@given(pair=pairs)
def test_no_head_is_made_to_pay(name, pair):
    both = gradients(pair)
    assert (both @ step(name, both) >= -1e-9).all()


@given(pair=pairs)
def test_cagrad_stays_near_the_mean_and_serves_the_worse_head(pair):
    both = gradients(pair)
    mean = both.mean(dim=0)
    found = step("cagrad", both) * (1 + CAGRAD_RADIUS) / 2
    radius = CAGRAD_RADIUS * mean.norm()
    assert (found - mean).norm() <= radius * (1 + 1e-6)
    worst = (both @ found).min()
    for angle in np.linspace(0, 2 * np.pi, 60):
        # Both gradients span the plane in which any better step would lie.
        axes = torch.linalg.qr(both.T)[0]
        other = mean + radius * (axes @ torch.tensor([np.cos(angle), np.sin(angle)]))
        assert worst >= (both @ other).min() - 1e-6 * both.norm() ** 2


@given(
    pair=st.tuples(
        st.floats(-6, 2).map(lambda x: 10**x), lengths, st.floats(-0.99, 0.99), st.integers(0, 99)
    )
)
def test_cagrads_inner_problem_is_solved_whatever_the_lengths(pair):
    both = gradients(pair)
    mean = both.mean(dim=0)
    radius = CAGRAD_RADIUS * mean.norm()

    def objective(share):
        mixed = share * both[0] + (1 - share) * both[1]
        return float(mixed @ mean + radius * mixed.norm())

    best = minimize_scalar(objective, bounds=(0, 1), options={"xatol": 1e-12}).fun
    best = min(best, objective(0), objective(1))
    # By duality the worse head gains as much as the inner problem leaves.
    found = step("cagrad", both) * (1 + CAGRAD_RADIUS) / 2
    gained = float((both @ found).min())
    assert gained == pytest.approx(best, rel=1e-4, abs=1e-6 * float(both.norm()))


@pytest.mark.parametrize("name", RULES)
def test_equal_gradients_move_the_trunk_as_far_as_their_sum(name):
    one = torch.tensor([[1.0, 2.0, -1.0]]).repeat(2, 1)
    torch.testing.assert_close(step(name, one), one.sum(dim=0))


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_that_vanish_leave_no_nan(name, dtype):
    tiny = 1e-25
    cases = torch.tensor(
        [[0, 0, 0], [1, 0, 0], [0, 0, 1], [tiny, -tiny, 1], [1, -1, 1]], dtype=dtype
    )
    for coefficient in AGGREGATORS[name](Products(*cases.T)):
        assert coefficient.isfinite().all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_by_head_are_torchjds_jacobian(activation, loss):
    inputs, weights, targets = random_problem(hidden_size=3, networks=1)
    functions = ACTIVATIONS[activation], LOSSES[loss]
    found, _ = network.gradient_by_head(inputs, weights, targets, *functions)
    model = TwoHeads(weights, activation)
    logit = model(torch.as_tensor(GAME.inputs))
    losses = LOSSES[loss].value(logit, targets[..., 0]).mean(dim=1)
    of_weights, of_biases = jac(list(losses), [model.trunk.weight, model.trunk.bias])
    expected = torch.cat([of_weights, of_biases[..., None]], dim=2)
    torch.testing.assert_close(found.trunk[..., 0], expected, rtol=0, atol=1e-12)
    both = network.gradient(inputs, weights, targets, *functions)
    torch.testing.assert_close(found.trunk.sum(dim=0), both.trunk, rtol=0, atol=1e-12)
    torch.testing.assert_close(found.heads, both.heads, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize(("i", "j"), [(1, 2), (2, 2)])
def test_training_ends_where_torchjd_ends(name, i, j):
    """One replica, step by step, against torch modules, TorchJD's Jacobian and its aggregator."""
    steps, replica, aggregator = 60, 5, TORCHJD[name]
    outcomes = ncnet.train(
        GAME, hidden_size=3, replicas=6, seed=4, steps=steps, trace_steps=[steps], dtype="float64",
        aggregator=name,
    )  # fmt: skip
    drawn = draw("lecun_normal", features=3, hidden_size=3, seed=4, replicas=[replica])
    model = TwoHeads(Weights(*map(torch.as_tensor, drawn)), "tanh")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    targets = np.stack([GAME.alice_targets[i - 1], GAME.bob_targets[j - 1]])
    classes = torch.as_tensor((targets + 1) / 2)

    def losses():
        features = model.activation(model.trunk(torch.as_tensor(GAME.inputs)))
        logits = [head(features)[:, 0] for head in (model.alice, model.bob)]
        pairs = zip(logits, classes, strict=True)
        return [binary_cross_entropy_with_logits(*pair) for pair in pairs], features

    for _ in range(steps):
        loss, features = losses()
        optimizer.zero_grad()
        mtl_backward(loss, features=features)
        shared = list(model.trunk.parameters())
        jac_to_grad(shared, aggregator[0])
        for parameter in shared:
            parameter.grad.mul_(aggregator[1])
        optimizer.step()
    here = outcomes.sel(alice_setting=i, bob_setting=j, replica=replica)
    found = [float(here.alice_loss[0]), float(here.bob_loss[0])]
    # MGDA and CAGrad are solved by iteration there.
    tolerance = 1e-9 if name == "pcgrad" else 1e-2
    assert found == pytest.approx([loss.item() for loss in losses()[0]], rel=tolerance)


WEIGHTS = [(1.0, 1.0), (1.0, 0.25), (0.0, 1.0), (0.0, 0.0)]
ASKED = [("sum", weights) for weights in WEIGHTS] + [(name, (1.0, 1.0)) for name in RULES]


@needs_compiler
@pytest.mark.parametrize(("aggregator", "gradient_weights"), ASKED)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("optimizer", ["gradient_descent", "adam"])
def test_compiled_steps_are_those_of_float64(aggregator, gradient_weights, activation, optimizer):
    inputs, targets, weights = problem(GAME, hidden_size=3)
    exact = copy(weights, torch.float64)
    method = Method(activation, optimizer, 0.1, "cross_entropy", aggregator, gradient_weights)
    networks = Compiled(inputs, targets, weights, method)
    reference = Eager(inputs.double(), targets.double(), exact, method)
    for steps in (1, 4, 5):
        networks.advance(steps)
        reference.advance(steps)
    for found, expected in zip(weights, exact, strict=True):
        close = torch.isclose(found.double(), expected, rtol=1e-4, atol=1e-5)
        # Where a rule turns a corner, rounding may choose the side.
        assert close.double().mean() > 0.98


@needs_compiler
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_compiled_measures_are_those_of_float64(activation, loss):
    inputs, targets, weights = problem(GAME, hidden_size=3)
    weights.heads.mul_(4)  # some outcomes are sure, some losses are tiny
    method = Method(activation, "adam", learning_rate=0.1, loss=loss)
    reference = Eager(inputs.double(), targets.double(), copy(weights, torch.float64), method)
    networks = Compiled(inputs, targets, weights, method)
    before = copy(weights, torch.float32)
    for found, expected in zip(
        networks.measure(products=True), reference.measure(products=True), strict=True
    ):
        torch.testing.assert_close(found.double(), expected, rtol=2e-4, atol=1e-6)
    assert networks.measure(products=False)[1] is None
    assert all(torch.equal(*pair) for pair in zip(weights, before, strict=True))


@needs_compiler
def test_a_compiled_loss_is_accurate_however_sure_the_head_is():
    logits = torch.cat([torch.linspace(-50, 50, 995), torch.tensor([0.0, 1e-6, -1e-6, 1e4, -1e4])])
    networks = 992
    heads = torch.zeros(2, 2, networks)
    heads[:, 1] = logits[:networks]
    weights = Weights(torch.zeros(1, 2, networks), heads)
    targets = torch.ones(2, 2, networks)
    method = Method("tanh", "gradient_descent", learning_rate=1.0, loss="cross_entropy")
    inputs = torch.tensor([[-1.0, 1.0], [1.0, 1.0]])
    losses, _ = Compiled(inputs, targets, weights, method).measure(products=False)
    expected = torch.nn.functional.softplus(-logits[:networks].double())
    torch.testing.assert_close(losses[0].double(), expected, rtol=1e-6, atol=1e-25)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"aggregator": "pcgrd"}, "unknown aggregator `pcgrd`: did you mean `pcgrad`?"),
        ({"gradient_weights": (1.0, 1.5)}, "`gradient_weights` is (1.0, 1.5): expected two"),
        ({"gradient_weights": 0.5}, "`gradient_weights` is 0.5: expected two numbers from 0 to 1"),
        (
            {"gradient_weights": (1.0, 0.5), "aggregator": "mgda"},
            "with aggregator `mgda`: expected",
        ),
        ({"head_start": -1}, "`head_start` is -1: expected an integer of at least 0"),
        ({"trace": ["losses"]}, "unknown trace `losses`: did you mean `loss`?"),
        ({"trace": "loss"}, "`trace` is 'loss': expected a list of"),
        ({"trace": []}, "`trace` is []: expected a list of"),
        ({"trace": ["gradients"]}, "`trace` is ['gradients'] without `trace_steps`: expected"),
        ({"gradient_weights": {1, 0}}, "`gradient_weights` is {0, 1}: expected two numbers"),
        ({"gradient_weights": (1, 1, 1)}, "`gradient_weights` is (1, 1, 1): expected two"),
        ({"gradient_weights": (True, 1)}, "`gradient_weights` is (True, 1): expected two"),
        ({"gradient_weights": "11"}, "`gradient_weights` is '11': expected two numbers"),
        ({"gradient_weights": (1, float("nan"))}, "`gradient_weights` is (1, nan): expected"),
    ],
)
def test_bad_input_is_one_clear_line(options, line):
    options = {"hidden_size": 2, "replicas": 4, "seed": 0, "steps": 5} | options
    refused(lambda: ncnet.train(GAME, **options), [line])
