import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnet import games
from tests.refusals import refused


@st.composite
def tables(draw):
    bits = draw(st.integers(1, 4))
    table = st.lists(st.integers(0, 1), min_size=2**bits, max_size=2**bits)
    return bits, draw(st.lists(table, min_size=4, max_size=4))


@pytest.mark.parametrize(("game", "bob"), [(games.overlap(), (1, 2)), (games.separate(), (2, 3))])
def test_easy_task_is_and_and_hard_task_is_xor(game, bob):
    x = game.inputs
    for targets, (i, j) in ((game.alice_targets, (0, 1)), (game.bob_targets, bob)):
        np.testing.assert_array_equal(targets[0], np.where((x[:, i] > 0) & (x[:, j] > 0), 1, -1))
        np.testing.assert_array_equal(targets[1], -x[:, i] * x[:, j])


def test_rows_are_in_lexicographic_order_and_bit_1_is_plus_1():
    assert games.overlap().inputs[:3].tolist() == [[-1, -1, -1], [-1, -1, 1], [-1, 1, -1]]


@given(tables())
def test_any_truth_tables_make_a_game_that_prints_them(drawn):
    bits, (a1, a2, b1, b2) = drawn
    game = games.boolean(bits, alice=(a1, a2), bob=(b1, b2))
    texts = ["".join(map(str, table)) for table in (a1, a2, b1, b2)]
    assert game == games.boolean(bits, alice=texts[:2], bob=texts[2:])
    np.testing.assert_array_equal((game.alice_targets + 1) // 2, [a1, a2])
    np.testing.assert_array_equal((game.bob_targets + 1) // 2, [b1, b2])
    printed = [line.split() for line in str(game).splitlines()[5:]]
    assert [[int(row[k]) for k in (-5, -4, -2, -1)] for row in printed] == [
        list(row) for row in zip(a1, a2, b1, b2, strict=True)
    ]


def test_a_game_is_an_immutable_value():
    game = games.overlap()
    assert game == games.overlap()
    assert hash(game) == hash(games.overlap())
    with pytest.raises(AttributeError):
        game.bits = 5


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"bits": 0, "alice": ([0], [1]), "bob": ([0], [1])}, "`bits` is 0"),
        (
            {"bits": 1, "alice": ([0, 1], [0, 1, 1]), "bob": ([0, 1], [1, 0])},
            "truth table 2 of `alice` has 3 rows: expected 2, one for each input",
        ),
        (
            {"bits": 1, "alice": ([0, 1], [1, 0]), "bob": ([0, 1], [1, -1])},
            "truth table 2 of `bob` holds [-1]: expected classes 0 or 1",
        ),
        ({"bits": 1, "alice": ([0, 1],), "bob": ([0, 1], [1, 0])}, "`alice` has 1 truth tables"),
        ({"bits": 1, "alice": None, "bob": ([0, 1], [1, 0])}, "`alice` is None: expected two"),
        ({"bits": 1, "alice": (1, 2), "bob": ([0, 1], [1, 0])}, "`alice` is (1, 2): expected two"),
        ({"bits": 99, "alice": ([0], [1]), "bob": ([0], [1])}, "`bits` is 99: expected"),
    ],
)
def test_bad_truth_tables_are_named(arguments, line):
    refused(lambda: games.boolean(**arguments), [line])


def test_a_game_made_by_hand_is_checked_too():
    alice, bob = games.overlap().alice, games.overlap().bob
    parts = ("table 1 of `alice` has 8 rows", "expected 4")
    refused(lambda: games.Game("mine", 2, alice, bob), parts)


def test_an_unknown_game_is_answered_with_the_nearest():
    refused(lambda: games.named("overlp"), ("unknown game `overlp`", "did you mean `overlap`"))
