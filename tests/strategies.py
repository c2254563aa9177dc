"""Bell experiments with known answers, for the tests of `ncnet.chsh`."""

import itertools

import numpy as np

DETERMINISTIC = [
    tuple(np.array(answers).reshape(2, 2)) for answers in itertools.product((-1, 1), repeat=4)
]
"""The 16 local deterministic strategies: Alice's answers to settings 1 and 2, and Bob's."""

SINGLET_ANGLES = (np.array([0, np.pi / 2]), np.array([np.pi / 4, -np.pi / 4]))


def deterministic_outcomes(alice, bob, replicas=3, items=2):
    """Outcomes of one deterministic strategy, arrays [2, 2, replicas, items]."""
    shape = (2, 2, replicas, items)
    a = np.broadcast_to(np.asarray(alice)[:, None, None, None], shape)
    b = np.broadcast_to(np.asarray(bob)[None, :, None, None], shape)
    return a, b


def correlated_outcomes(correlators, replicas, items, seed):
    """Outcomes with uniform marginals and these correlators, drawn independently."""
    generator = np.random.default_rng(seed)
    shape = (2, 2, replicas, items)
    a = generator.choice([-1, 1], size=shape)
    agree = generator.random(shape) < (1 + np.asarray(correlators)[..., None, None]) / 2
    return a, np.where(agree, a, -a)


def singlet_correlators():
    """E = cos(alpha - beta) at the angles that reach Tsirelson's bound, up to a sign of Bob's."""
    alpha, beta = SINGLET_ANGLES
    return np.cos(alpha[:, None] - beta[None, :])


def signalling_outcomes(share, replicas, items, seed):
    """All +1, but Alice's outcome of A2 on this share of the items where Bob's setting is 2."""
    a, b = (np.ones((2, 2, replicas, items), np.int8) for _ in range(2))
    a[1, 1] = np.where(np.random.default_rng(seed).random(a[1, 1].shape) < share, -1, 1)
    return a, b
