"""The multiverse covers its grid, reads what it trains, and goes on where it was cut off."""

import numpy as np
import pandas as pd
import pytest

import ncnet
from ncnet import chsh, claims, results
from ncnet.chsh.betting import betting_interval
from ncnet.parts import Parts
from ncnet.studies.multiverse import analysis as multiverse
from ncnet.sweeps import READINGS
from tests.studies.multiverse.test_claims import sweep

SMALL = {"hidden_sizes": [1, 3], "replicas": 64, "seed": 2, "steps": [5, 20]}


def test_the_grid_is_as_wide_as_it_says_and_holds_the_books_choices():
    trainings = multiverse.trainings()
    distinct = {tuple(training.values()) for training in trainings}
    assert len(distinct) == len(trainings) >= 60
    primary = {name: multiverse.PRIMARY[name] for name in multiverse.TRAINING}
    assert primary in trainings
    assert multiverse.PRIMARY["steps"] in multiverse.STEPS
    assert multiverse.PRIMARY["readout"] in chsh.READOUTS
    assert tuple(range(1, 11)) == multiverse.HIDDEN_SIZES


def test_the_recorded_multiverse_is_the_grid():
    recorded = results.load("multiverse").table
    trained = recorded[list(multiverse.TRAINING)].drop_duplicates().to_dict("records")
    assert sorted(trained, key=str) == sorted(multiverse.trainings(), key=str)
    assert set(recorded["steps"]) == set(multiverse.STEPS)
    assert set(recorded["hidden_size"]) == set(multiverse.HIDDEN_SIZES)
    assert set(recorded["readout"]) == set(READINGS)


def test_a_row_is_the_report_of_its_specification():
    training = multiverse.trainings()[-1]
    table = multiverse.run([training], **SMALL)
    assert len(table) == 2 * 2 * len(READINGS)
    options = {name: training[name] for name in multiverse.TRAINING if name != "game"}
    outcomes = ncnet.train(
        ncnet.games.named(training["game"]), hidden_size=3, replicas=64, seed=2, steps=20, **options
    )
    for readout in chsh.READOUTS:
        here = (table["steps"] == 20) & (table["hidden_size"] == 3) & (table["readout"] == readout)
        row = table[here].squeeze()
        report = chsh.report(outcomes, readout=readout)
        assert row["s"] == pytest.approx(report.s)
        assert row["delta"] == pytest.approx(report.delta)
        s = chsh.s_per_replica(outcomes, readout=readout).values
        exact = betting_interval(s, bounds=(-4, 4), level=claims.simultaneous_level(2))
        assert (row["s_low"], row["s_high"]) == pytest.approx(exact, abs=1e-6)
        assert row["correlator_21"] == pytest.approx(report.correlators[1, 0])
        assert row["alice_12"] == pytest.approx(report.alice[0, 1])
        assert row["bob_12"] == pytest.approx(report.bob[0, 1])


def test_sizes_are_compared_within_replicas():
    generator = np.random.default_rng(0)
    shared = generator.choice([-0.5, 0.5], 400)
    s = {1: 1.0 + shared, 3: 2.25 + shared, 4: 2.0 + shared}
    rows = multiverse.sweep_rows(s).set_index("hidden_size")
    assert rows["rise"].tolist()[1:] == pytest.approx([1.25, -0.25])
    assert rows["lead"].dropna().tolist() == pytest.approx([1.25, 0.25])
    # The shared part cancels: differences are known far better than S itself.
    widths = rows["lead_high"] - rows["lead_low"]
    expected = betting_interval(s[3] - s[4], bounds=(-8, 8), level=claims.simultaneous_level(2))
    assert (rows.loc[4, "lead_low"], rows.loc[4, "lead_high"]) == pytest.approx(expected, abs=1e-6)
    assert (rows["s_low"] < rows["s"]).all()
    assert widths.notna().sum() == 2


def test_a_loss_is_read_as_an_outcome_of_the_whole_network():
    training = multiverse.trainings()[0] | {"learning_rate": 2.0}
    table = multiverse.run([training], **SMALL | {"steps": [200]})
    of_loss = table[table["readout"] == "loss"].set_index("hidden_size")
    options = {name: training[name] for name in multiverse.TRAINING if name != "game"}
    outcomes = ncnet.train(
        ncnet.games.named(training["game"]),
        hidden_size=3,
        replicas=64,
        seed=2,
        steps=200,
        trace_steps=[200],
        **options,
    )
    learnt = (outcomes["alice_loss"].sel(step=200) < 0.2).mean("replica")
    assert 0 < float(learnt.min()) < 1
    assert of_loss.loc[3, "alice_22"] == pytest.approx(2 * float(learnt[1, 1]) - 1)


def test_verdicts_judge_each_specification_by_itself():
    def specification(readout, values):
        return sweep(values).assign(**multiverse.PRIMARY | {"readout": readout})

    table = pd.concat(
        [
            specification("correct", [0.5, 1.8, 2.3, 1.9, 2.0]),
            specification("solved", [0.5, 1.8, 1.9, 2.2, 2.0]),
            specification("prediction", [0.5, 0.5, 0.5, 0.5, 0.5]),
        ]
    )
    found = multiverse.verdicts(table).set_index("readout")
    assert found["peak"].to_dict() == {"correct": 3, "solved": 4, "prediction": 0}
    assert found["dip"].to_dict() == {"correct": True, "solved": False, "prediction": False}
    assert found["peak-at-3"].to_dict() == {
        "correct": "holds",
        "solved": "does not hold",
        "prediction": "does not hold",
    }
    shares = multiverse.shares_holding(table)
    assert shares["peak-at-3"] == pytest.approx(1 / 3)
    assert shares["exceeds-2"] == pytest.approx(2 / 3)
    assert multiverse.is_primary(found.reset_index()).tolist() == [True, False, False]


@pytest.mark.slow
def test_a_run_that_was_cut_off_goes_on_where_it_was(tmp_path, monkeypatch):
    parts = Parts(tmp_path, SMALL)
    chosen, trained = multiverse.trainings()[:2], []
    whole = multiverse.run(chosen, **SMALL)
    run_one = multiverse.run_one

    def cut_off_at_the_second(training, **options):
        if len(trained) == 1:
            raise KeyboardInterrupt
        trained.append(training)
        return run_one(training, **options)

    monkeypatch.setattr(multiverse, "run_one", cut_off_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        multiverse.run(chosen, parts=parts, **SMALL)
    trained.clear()
    pd.testing.assert_frame_equal(multiverse.run(chosen, parts=parts, **SMALL), whole)
    assert trained == [chosen[1]]


@pytest.mark.slow
def test_the_recorded_multiverse_can_be_made_again():
    recorded = results.load("multiverse").table
    given = results.load("multiverse").provenance["parameters"]
    training = {name: multiverse.PRIMARY[name] for name in multiverse.TRAINING}
    again = multiverse.run(
        [training], hidden_sizes=[3], replicas=given["replicas"], seed=given["seed"], steps=[500]
    )
    pairs = again.merge(
        recorded, on=[*multiverse.SPECIFICATION, "hidden_size"], suffixes=("", "_recorded")
    )
    assert len(pairs) == len(READINGS)
    assert (pairs["s"] - pairs["s_recorded"]).abs().max() < 0.02


def test_what_was_trained_for_longer_had_not_peaked_at_three_units():
    table = results.load("multiverse").table
    read = (table["readout"] == "correct") & (table["steps"] == max(multiverse.STEPS))
    judged = multiverse.verdicts(table[read])
    longer = results.load("multiverse_longer").table[list(multiverse.TRAINING)]
    assert longer.drop_duplicates().to_dict("records") == multiverse.unfinished(judged)


def test_all_that_was_learnt_alone_is_recorded():
    recorded = results.load("multiverse_alone").table
    chosen = recorded.drop(columns=["solved", "replicas"])
    assert chosen.to_dict("records") == multiverse.trainings_alone()


@pytest.mark.parametrize("name", multiverse.GAMES)
def test_alone_nothing_but_a_constant_is_asked_of_bob(name):
    game, alone = ncnet.games.named(name), multiverse.game_alone(name)
    assert (alone.alice_targets == game.alice_targets).all()
    assert (alone.bob_targets == 1).all()


def test_solved_alone_counts_replicas_that_are_right_everywhere():
    training = multiverse.trainings_alone()[0]
    [row] = multiverse.solved_alone([training], replicas=64, seed=0, steps=1000).to_dict("records")
    options = {name: value for name, value in training.items() if name != "game"}
    game = multiverse.game_alone(training["game"])
    outcomes = ncnet.train(game, **options, replicas=64, seed=0, steps=1000)
    right = outcomes["a"].sel(alice_setting=2, bob_setting=2).values == 1
    assert row["solved"] == sum(map(all, right.tolist()))
    assert 0 < row["solved"] < 64
