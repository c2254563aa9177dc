"""The rule on fluctuation, on runs whose scatter is plain, and what it reads."""

import numpy as np
import pandas as pd
import pytest

import ncnet
from ncnet import chsh
from ncnet.claims import GAMES, findings
from ncnet.studies.capacity.analysis import scatter, scatter_row
from ncnet.studies.capacity.claims import CLAIMS, NAMED_NOISE, RUNS, SIZES
from tests.refusals import refused


def around(mean, spread, replicas=6400, run=32):
    """Return replicas of which runs scatter by `spread` around a mean."""
    signs = np.random.default_rng(0).choice([-1, 1], replicas)
    return mean + spread * np.sqrt(run) * signs


def table(**of_size):
    """Return rows of both games and readouts with these S, by hidden size."""
    rows = [
        {"game": game, "hidden_size": int(size.removeprefix("n")), "readout": readout}
        | scatter_row(s, run)
        for game in GAMES
        for readout, run in RUNS.items()
        for size, s in of_size.items()
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("s", "holds"),
    [
        (around(2.0, 0.1), True),
        (around(2.0, 0.01), False),  # hardly any scatter
        (around(2.5, 0.1), False),  # scatters, but all runs lie above 2
        (around(2.0, 0.05), None),  # just the smallest effect
        (np.full(6400, 2.0), False),  # neither above nor below
    ],
)
def test_fluctuation_takes_scatter_and_runs_on_either_side(s, holds):
    of_correct = {claim.name: claim for claim in CLAIMS}["fluctuates-at-4"]
    found = findings(of_correct, {"scatter": table(n4=s, n8=np.full(6400, 2.0))})
    assert [found[game].holds for game in GAMES] == [holds] * 2


def test_every_size_and_readout_has_a_verdict_of_its_own():
    assert len({(claim.name, claim.label) for claim in CLAIMS}) == 2 * len(SIZES) * len(RUNS)
    rows = table(n4=around(2.0, 0.1), n8=np.full(6400, 2.0))
    tables = {"scatter": rows, "noise_scatter": rows.assign(**NAMED_NOISE)}
    for claim in CLAIMS:
        expected = claim.name.startswith("fluctuates-at-4")
        assert {f.holds for f in findings(claim, tables).values()} == {expected}


def test_of_noises_the_named_one_is_judged():
    rows = table(n4=around(2.0, 0.1), n8=np.full(6400, 2.0)).assign(**NAMED_NOISE)
    others = [{"learning_rate": 0.1}, {"batch_size": 0}, {"label_noise": 0.1}]
    still = table(n4=np.full(6400, 2.0), n8=np.full(6400, 2.0))
    rows = pd.concat([rows, *(still.assign(**NAMED_NOISE | other) for other in others)])
    claim = {claim.name: claim for claim in CLAIMS}["fluctuates-at-4-in-batches"]
    assert all(found.holds for found in findings(claim, {"noise_scatter": rows}).values())


def test_the_spread_of_runs_is_covered():
    generator = np.random.default_rng(2)
    covered = 0
    for _ in range(100):
        s = generator.choice([1.0, 2.0, 4.0], p=[0.3, 0.6, 0.1], size=640)
        row = scatter_row(s, 32)
        truth = np.sqrt(np.average((np.array([1, 2, 4]) - 1.9) ** 2, weights=[0.3, 0.6, 0.1]) / 32)
        covered += row["spread_low"] <= truth <= row["spread_high"]
    assert covered >= 95


def test_a_row_is_what_runs_of_its_training_do():
    rows = scatter("overlap", 3, replicas=320, seed=0, steps=200).set_index("readout")
    outcomes = ncnet.train(ncnet.games.overlap(), hidden_size=3, replicas=320, seed=0, steps=200)
    for readout, run in RUNS.items():
        s = chsh.s_per_replica(outcomes, readout=readout).values
        runs = [s[k : k + run].mean() for k in range(0, len(s) - run + 1, run)]
        row = rows.loc[readout]
        assert row["runs"] == len(runs)
        assert row["below"] == pytest.approx(np.mean([one < 2 - 1e-9 for one in runs]))
        assert row["above"] == pytest.approx(np.mean([one > 2 + 1e-9 for one in runs]))


def test_less_than_one_run_is_refused():
    refused(lambda: scatter_row(np.full(31, 2.0), 32), ["31 replicas", "at least 32"])
