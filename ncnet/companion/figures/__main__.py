"""Write the README's figure from the recorded results: ``python -m ncnet.companion.figures``."""

import argparse
from pathlib import Path

from ncnet import results
from ncnet.companion.figures import headline

README_FIGURE = results.ROOT / "book" / "_static" / "headline.svg"


def write(path: Path = README_FIGURE) -> None:
    """Write the headline figure into a file."""
    picture = headline(results.load("capacity").table, results.load("interventions").table)
    path.write_text(f"{picture}\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m ncnet.companion.figures", description=__doc__)
    parser.parse_args()
    write()
