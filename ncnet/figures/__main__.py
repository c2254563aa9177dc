"""Write the README's figure from the recorded results: ``python -m ncnet.figures``."""

from pathlib import Path

from ncnet import results
from ncnet.figures import headline, use_style

README_FIGURE = Path(__file__).resolve().parents[2] / "book" / "_static" / "headline.svg"


def write(path: Path = README_FIGURE) -> None:
    """Draw the headline figure into a file that is the same each time."""
    use_style()
    headline(results.load("capacity").table).savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    write()
