"""Conflict of two gradients: against autograd, and where it is plain."""

import numpy as np
import pytest
import torch
import xarray as xr

import ncnet
from ncnet.gradients import GRADIENTS, conflict
from ncnet.training.network import Weights
from tests.refusals import refused
from tests.test_network_gradients import GAME, TwoHeads

STEPS = [0, 30, 90]


@pytest.fixture(scope="module")
def traced():
    return ncnet.train(
        GAME, hidden_size=3, replicas=6, seed=1, steps=90, dtype="float64",
        trace_steps=STEPS, trace=["loss", "gradients", "weights"],
    )  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(("i", "j"), [(1, 1), (2, 1), (2, 2)])
def test_traced_gradients_losses_and_weights_belong_together(traced, step, i, j):
    """Losses and gradients again, by autograd, from the weights that were traced."""
    here = traced.sel(alice_setting=i, bob_setting=j, replica=4, step=step)
    heads = [
        np.append(here[f"{party}_weight"], here[f"{party}_bias"]) for party in ("alice", "bob")
    ]
    weights = Weights(
        torch.tensor(here["trunk_weight"].values)[..., None],
        torch.tensor(np.array(heads))[..., None],
    )
    model = TwoHeads(weights, "tanh")
    logit = model(torch.as_tensor(GAME.inputs))
    targets = np.stack([GAME.alice_targets[i - 1], GAME.bob_targets[j - 1]])
    losses = torch.nn.functional.softplus(-torch.as_tensor(targets) * logit).mean(dim=1)
    assert [float(here.alice_loss), float(here.bob_loss)] == pytest.approx(
        losses.tolist(), rel=1e-9
    )
    parameters = [model.trunk.weight, model.trunk.bias]
    parts = [torch.autograd.grad(loss, parameters, retain_graph=True) for loss in losses]
    alice, bob = (torch.cat([part.reshape(3, -1) for part in both], 1) for both in parts)
    for name, (one, other) in {
        "alice_gradient": (alice, alice),
        "gradient_product": (alice, bob),
        "bob_gradient": (bob, bob),
    }.items():
        np.testing.assert_allclose(here[name].values, (one * other).sum(1), rtol=1e-8, atol=1e-14)
    found = conflict(here.sum("unit"))
    cosine = torch.nn.functional.cosine_similarity(alice.ravel(), bob.ravel(), dim=0)
    assert float(found.cosine) == pytest.approx(float(cosine), abs=1e-9)
    lengths = [float(alice.norm()), float(bob.norm())]
    similarity = 2 * lengths[0] * lengths[1] / (lengths[0] ** 2 + lengths[1] ** 2)
    assert float(found.magnitude_similarity) == pytest.approx(similarity)


def test_traces_do_not_depend_on_what_else_is_traced_or_on_chunks(traced):
    options = {"hidden_size": 3, "seed": 1, "steps": 90, "dtype": "float64"}
    alone = ncnet.train(
        GAME, replicas=150, trace_steps=[30], trace=["gradients"], chunk_size=64, threads=2,
        **options,
    )  # fmt: skip
    first = alone.sel(replica=slice(0, 5), step=30)
    for name in GRADIENTS:
        assert (first[name].values == traced[name].sel(step=30).values).all()
    assert "alice_loss" not in alone
    assert "trunk_weight" not in alone


def gradients(alice, product, bob):
    steps = np.arange(len(alice)) * 10
    values = {name: ("step", v) for name, v in zip(GRADIENTS, (alice, product, bob), strict=True)}
    return xr.Dataset(values, {"step": steps})


def test_opposite_orthogonal_and_equal_gradients():
    found = conflict(gradients([4.0, 1.0, 9.0, 0.0], [-4.0, 0.0, 9.0, 0.0], [4.0, 1.0, 9.0, 1.0]))
    np.testing.assert_allclose(found.cosine, [-1, 0, 1, np.nan])
    np.testing.assert_allclose(found.magnitude_similarity, [1, 1, 1, 0])


def test_gradients_smaller_than_single_precision_can_square_still_have_an_angle():
    tiny = np.array([1e-30], np.float32)
    found = conflict(gradients(tiny, -tiny, tiny))
    assert float(found.cosine[0]) == pytest.approx(-1)


def test_a_training_without_traces_is_refused():
    untraced = ncnet.train(GAME, hidden_size=2, replicas=2, seed=0, steps=1)
    parts = ("`alice_gradient` is missing", "expected", "`trace_steps` and trace=")
    refused(lambda: conflict(untraced), parts)
