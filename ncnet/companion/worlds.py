"""Tries every rule in simulated worlds: where it is true, where it is false, and in between.

A rule that could come out one way only would judge nothing. Each world draws experiments as large
as the recorded ones, with a truth that is known, and asks the rule about them, game by game.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from ncnet import results
from ncnet.checks import check_choice, check_integer
from ncnet.claims import findings
from ncnet.companion.claims import CLAIMS
from ncnet.estimates import WORDS
from ncnet.studies.atlas.worlds import WORLDS as ATLAS
from ncnet.studies.capacity.worlds import WORLDS as CAPACITY
from ncnet.studies.generalization.worlds import WORLDS as GENERALIZATION
from ncnet.studies.mechanism.worlds import WORLDS as MECHANISM
from ncnet.studies.multiverse.worlds import WORLDS as MULTIVERSE
from ncnet.studies.ranks.worlds import WORLDS as RANKS

WORLDS = MULTIVERSE | CAPACITY | ATLAS | MECHANISM | RANKS | GENERALIZATION
"""By claim and by world: a function from a generator to the tables that the rule reads."""
NAMES = ("true", "false", "in between")
SIMULATIONS = 200


def simulate(claim: str, *, simulations: int, seed: int) -> pd.DataFrame:
    """Ask the rule of a claim about simulated experiments, and count what it says.

    Parameters
    ----------
    claim
        The name of one of `ncnet.companion.claims.CLAIMS`.
    simulations, seed
        Number of experiments in each world, and the seed of all of them.

    Returns
    -------
    pandas.DataFrame
        One row a world: ``claim``, ``world``; the shares of the games, quartets or conditions of
        all experiments of which the rule says that it ``holds``, ``does not hold``, or is ``open``;
        ``simulations``.

    Examples
    --------
    >>> rows = simulate("peak-at-3", simulations=2, seed=0)
    >>> rows[["world", "holds"]].values.tolist()[:2]
    [['true', 1.0], ['false', 0.0]]
    """
    check_choice("claim", claim, WORLDS)
    simulations = check_integer("simulations", simulations, at_least=1)
    # Of many conditions a world has one.
    asked, rows = replace(CLAIMS[claim], left_out=True), []
    for world, draw in WORLDS[claim].items():
        # The claim's own place in the list of all would change with any other.
        generator = np.random.default_rng([seed, NAMES.index(world), *claim.encode()])
        said = Counter(
            WORDS[found.holds]
            for _ in range(simulations)
            for found in findings(asked, draw(generator)).values()
        )
        shares = {word: said[word] / said.total() for word in WORDS.values()}
        rows.append({"claim": claim, "world": world, **shares, "simulations": simulations})
    return pd.DataFrame(rows)


def record(names: Sequence[str] = tuple(WORLDS), *, seed: int = 43) -> None:
    """Write the table ``worlds`` anew."""
    asked = {"simulations": SIMULATIONS, "seed": seed}
    table = pd.concat([simulate(name, **asked) for name in names], ignore_index=True)
    results.save("worlds", table, parameters=asked, command="python -m ncnet.companion.worlds")


if __name__ == "__main__":
    record()
