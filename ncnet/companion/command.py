"""The command ``ncnet verdicts``: all verdicts on small networks under a reader's reading."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path


def add_options(add: Callable) -> None:
    """Judge the paper's statements under your answers to what it leaves open.

    A reading is a file of YAML with what you know of the paper's protocol: readout,
    games, minus_at, activation, optimizer, learning_rate, steps, initialisation, run.
    What it does not say is this book's own. Every network is trained anew, which
    takes some minutes on two cores; a run that was cut off goes on. Verdicts stand
    beside those of the recorded runs. Needs a checkout, and the extras `train` and
    `report`.

    for example:
      ncnet verdicts --reading my_reading.yml
      ncnet verdicts --reading my_reading.yml -o verdicts.csv
    """
    count = {"type": int, "metavar": "R", "default": 1600}
    add("--reading", metavar="READING.yml", help="your answers; by default this book's", type=Path)
    add("--replicas", help="initialisations of a training (default 1600)", **count)
    add("--seed", type=int, default=0, help="of the initial weights (default 0)")
    add("-o", dest="output", metavar="VERDICTS.csv", type=Path, help="write them as a table, too")


def run(options: argparse.Namespace) -> int:
    """Judge as the command line asks, and return the exit status."""
    # Imported here: torch takes seconds, and help needs none of it.
    from ncnet.checks import check_integer
    from ncnet.commands import checked_output
    from ncnet.companion import reading, verdicts
    from ncnet.files import replace
    from ncnet.parts import Parts
    from ncnet.printing import write
    from ncnet.results import ROOT

    output = checked_output(options.output, [".csv"])
    replicas = check_integer("--replicas", options.replicas, at_least=verdicts.FEWEST)
    given = {"replicas": replicas, "seed": check_integer("--seed", options.seed, at_least=0)}
    asked = reading.read(options.reading) if options.reading else reading.Reading()
    ours = verdicts.recorded()
    parts = Parts(ROOT / "runs" / "verdicts", asked.model_dump() | given)
    found = verdicts.compared(asked, verdicts.tables_under(asked, parts=parts, **given), ours)
    if output is not None:
        replace(output, found.to_csv().encode())
    write(verdicts.text(found))
    parts.clear()
    return 0
