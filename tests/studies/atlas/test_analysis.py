"""All games by look-up, against the games themselves."""

import itertools

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import ncnet
from ncnet import chsh, results
from ncnet.studies.atlas import analysis as atlas
from ncnet.studies.atlas import explorer, figures

TASKS = ["0110", "0001", "1011", "0011"]
TRAINING = {"hidden_size": 1, "replicas": 64, "seed": 3, "steps": 60, "activation": "relu"}
TRAINING |= {"backend": "eager"}  # or else pairs are compiled and a single short training is not


@pytest.fixture(scope="module")
def pairs():
    return atlas.train_pairs(TASKS, **TRAINING)


def game_of(places):
    a1, a2, b1, b2 = ([int(c) for c in TASKS[place]] for place in places)
    return ncnet.games.boolean(2, alice=(a1, a2), bob=(b1, b2))


@pytest.mark.parametrize("places", [(0, 1, 2, 3), (3, 0, 0, 3), (1, 1, 2, 0)])
def test_a_game_looked_up_is_the_game_trained(pairs, places):
    trained = ncnet.train(game_of(places), **TRAINING)
    looked_up = pairs.isel(alice_task=list(places[:2]), bob_task=list(places[2:]))
    for party in ("a", "b"):
        np.testing.assert_array_equal(trained[party], looked_up[party])


@pytest.mark.parametrize("readout", chsh.READOUTS)
def test_the_survey_says_of_every_game_what_its_report_says(pairs, readout):
    found = atlas.survey(atlas.read(pairs, readout)).set_index(list(atlas.PLACES))
    assert len(found) == 4**4
    targets = pairs["alice_target"].values
    for places in [(0, 1, 2, 3), (3, 0, 0, 3), (1, 1, 2, 0), (2, 3, 1, 0), (0, 0, 0, 0)]:
        row = found.loc[places]
        a, b = (pairs[party].values[np.ix_(places[:2], places[2:])] for party in ("a", "b"))
        dataset = chsh.as_dataset((a, b)).assign(
            alice_target=(("alice_setting", "item"), targets[list(places[:2])]),
            bob_target=(("bob_setting", "item"), targets[list(places[2:])]),
        )
        report = chsh.report(dataset, readout=readout, resamples=800)
        for name, value in (
            ("s", report.s),
            ("delta", report.delta),
            ("influence", report.influence),
            ("excess", report.excess),
            ("bound", report.excess_bound),
        ):
            assert row[name] == pytest.approx(value, abs=1e-5), name


def test_the_laws_hold_in_every_game(pairs):
    found = atlas.survey(pairs)
    assert (found["excess"] <= found["bound"] + 1e-5).all()
    assert (found["s"] - 2 <= found["influence"] + 1e-5).all()
    assert (found["delta"] <= found["influence"] + 1e-5).all()
    assert found.attrs == {"games": 256, "ruled_out": int((found["bound"] <= 1e-6).sum())}
    assert 0 < found.attrs["ruled_out"] < 256


def test_a_survey_above_a_line_keeps_what_is_above(pairs):
    everything = atlas.survey(pairs)
    above = atlas.survey(pairs, above=-1.0)
    expected = everything[everything["excess"] > -1.0].reset_index(drop=True)
    assert 0 < len(above) < 256
    pd.testing.assert_frame_equal(above, expected)
    assert above.attrs == everything.attrs


def images(places, tasks):
    """All mirror images of a game: bits exchanged or flipped, tasks negated, parties exchanged."""
    rows = list(itertools.product((0, 1), repeat=2))
    for order in itertools.permutations(range(2)):
        for flips in itertools.product((0, 1), repeat=2):
            moved = [rows.index(tuple(row[k] ^ flips[k] for k in order)) for row in rows]
            for negated in itertools.product((0, 1), repeat=4):
                image = [
                    "".join(str(int(tasks[p][m]) ^ n) for m in moved)
                    for p, n in zip(places, negated, strict=True)
                ]
                yield tuple(image)
                yield tuple(image[2:] + image[:2])


@pytest.mark.parametrize("seed", range(5))
def test_orbits_are_those_of_the_mirror_images(seed):
    tasks = atlas.tables(2)
    start = np.random.default_rng(seed).integers(16, size=4).tolist()
    orbit = {tuple(tasks.index(t) for t in image) for image in images(start, tasks)}
    everything = np.array(list(itertools.product(range(16), repeat=4)))
    games_of = pd.DataFrame(everything, columns=list(atlas.PLACES))
    orbit_of = atlas.orbits(games_of, tasks)
    own = orbit_of[(everything == start).all(axis=1)].iloc[0]
    assert {tuple(game) for game in everything[(orbit_of == own).to_numpy()].tolist()} == orbit


def test_a_confirmation_is_a_report_of_the_game():
    report = atlas.confirm([TASKS[place] for place in (0, 1, 2, 3)], **TRAINING)
    trained = ncnet.train(game_of((0, 1, 2, 3)), **TRAINING)
    assert str(report) == str(chsh.report(trained))


def test_a_search_confirms_the_best_of_each_orbit_on_fresh_replicas():
    asked = {"replicas": 64, "seed": 0, "fresh_replicas": 128, "fresh_seed": 1, "most": 2}
    training = {"hidden_size": 1, "steps": 200, "activation": "tanh"}
    tasks = ["0110", "0101", "0111", "1110"]
    counts, confirmations = atlas.run([training], tasks, **asked)
    assert counts["readout"].tolist() == list(chsh.READOUTS)
    assert (counts["games"] == 256).all()
    assert (counts["hidden_size"] == 1).all()
    assert len(confirmations)
    assert (confirmations["selected"] > 0).all()
    assert (confirmations["replicas"] == 128).all()
    assert confirmations.groupby("readout").size().max() <= 2
    for one, again in zip(
        (counts, confirmations), atlas.run([training], tasks, **asked), strict=True
    ):
        pd.testing.assert_frame_equal(one, again)
    alone, none = atlas.run([training], tasks, **asked | {"most": 0})
    pd.testing.assert_frame_equal(alone, counts)
    assert none.empty


@pytest.mark.parametrize(("name", "least"), [("fresh_replicas", 1), ("fresh_seed", 0)])
def test_a_confirmation_needs_a_replica_and_a_seed(name, least):
    asked = {"replicas": 64, "seed": 0, "fresh_replicas": 64, "fresh_seed": 1, "most": 0}
    tasks = ["0110", "0101"]
    training = {"hidden_size": 1, "steps": 1}
    atlas.run([training], tasks, **asked | {name: least})
    with pytest.raises(ValueError, match=name):
        atlas.run([training], tasks, **asked | {name: least - 1})


def test_the_recorded_search_looked_among_all_games_of_three_bits_up_to_negation():
    """Each training and readout is counted once, and what was confirmed had been above the line."""
    counts, confirmations = (results.load(name).table for name in ("search_counts", "search"))
    training = list(atlas.TRAININGS[0])
    assert len(counts.drop_duplicates([*training, "readout"])) == len(counts)
    assert counts[training].drop_duplicates().to_dict("records") == list(atlas.TRAININGS)
    searched = set(atlas.up_to_negation(3))
    assert (counts["games"] == len(searched) ** 4).all()
    assert all(set(confirmations[place]) <= searched for place in atlas.PLACES)
    found = confirmations.groupby([*training, "readout"]).size().rename("confirmations")
    both = counts.set_index(found.index.names).join(found)["confirmations"].fillna(0)
    above = counts.set_index(found.index.names)["above"]
    assert (both <= np.minimum(above, atlas.SEARCH_OPTIONS["most"])).all()
    assert both.sum() == len(confirmations)


def test_a_small_search_is_recorded_with_all_that_makes_it_again(monkeypatch):
    asked, saved = {}, {}
    monkeypatch.setattr(
        atlas, "run", lambda *_, **given: asked.update(given) or (pd.DataFrame(), pd.DataFrame())
    )
    monkeypatch.setattr(results, "save", lambda name, table, **how: saved.update({name: how}))
    atlas.record()
    assert sorted(saved) == ["search", "search_counts"]
    for how in saved.values():
        assert how["parameters"] == {"bits": 2, **asked}


def test_known_contextual_and_noncontextual_games():
    """XOR with one unit under `prediction`: amplified to nearly a box; AND, XOR at n = 3: not."""
    found = atlas.confirm(
        ["0110", "0101", "0111", "1110"], hidden_size=1, replicas=1024, seed=5, readout="prediction"
    )
    assert found.explanation == "contextual"
    assert found.excess_p_value < 1e-6
    assert found.s - 2 <= found.influence
    xornet = chsh.report(ncnet.train(ncnet.games.overlap(), hidden_size=3, replicas=1600, seed=5))
    assert xornet.verdict == "above 2"
    assert xornet.explanation == "within 2 + Delta"


@pytest.mark.parametrize(
    ("tasks", "change", "line"),
    [
        (TASKS[:3], {}, "there are 3 tasks: expected an even number"),
        ([], {}, "there are 0 tasks"),
        (["0110", "01x0"], {}, "holds .'x'.: expected classes 0 or 1"),
        (["0110", "01"], {}, "has 2 rows: expected 4"),
        (TASKS, {"activation": "tan"}, "unknown activation `tan`: did you mean `tanh`"),
    ],
)
def test_what_cannot_be_trained_is_named_before_any_work(tasks, change, line):
    with pytest.raises(ValueError, match=line):
        atlas.train_pairs(tasks, **TRAINING | change)


def test_an_unknown_readout_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="unknown readout `solve`: did you mean `solved`"):
        atlas.read(xr.Dataset(), "solve")


def test_games_of_too_many_bits_have_no_orbits():
    tasks = ["01" * 16, "0" * 31 + "1"]
    games_of = pd.DataFrame([[0, 1, 0, 1]], columns=list(atlas.PLACES))
    with pytest.raises(ValueError, match="`bits` is 5: expected an integer of at most 4"):
        atlas.orbits(games_of, tasks)
    assert atlas.orbits(games_of, [task[:16] for task in tasks]).size == 1


def test_exchanging_the_classes_of_a_task_leaves_s_and_changes_the_influence():
    """What `orbits` merge, and what it does not promise."""
    training = {"hidden_size": 1, "replicas": 1600, "seed": 2}
    same = atlas.confirm(["0110", "0110", "0110", "0110"], **training)
    turned = atlas.confirm(["1001", "0110", "0110", "0110"], **training)
    assert turned.s == pytest.approx(same.s, abs=0.1)
    assert same.influence == 0
    assert turned.influence > 0.5


def test_all_pairs_are_trained_on_the_backend_that_is_named_by_either_word():
    training = {"hidden_size": 1, "replicas": 4, "seed": 0, "steps": 2}
    named = atlas.train_pairs(["0001", "0110"], backend="eager", **training)
    with pytest.warns(FutureWarning, match="`backend`"):
        assert atlas.train_pairs(["0001", "0110"], path="eager", **training).identical(named)


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        (atlas, "halves", "up_to_negation"),
        (atlas, "kinds", "orbits"),
        (atlas, "best_of_each_kind", "best_of_each_orbit"),
        (atlas, "retest", "confirm"),
        (atlas, "SEARCHED", "TRAININGS"),
        (atlas, "ASKED", "SEARCH_OPTIONS"),
        (atlas, "LOOKED_AT", "CANDIDATES"),
        (explorer, "CLASSES", "REPRESENTATIVES"),
        (explorer, "train_classes", "train_representatives"),
        (explorer, "starts", "initial_weights"),
        (explorer, "half_width", "margin_of_error"),
        (figures, "retests", "confirmations"),
    ],
)
def test_old_names_find_those_of_today_and_warn(module, old, new):
    with pytest.warns(FutureWarning, match=f"`{new}`"):
        assert getattr(module, old) is getattr(module, new)
