"""Write the book's figures with half the bytes, and the same to the eye.

Matplotlib's SVG repeats the style of every stroke and gives coordinates to a millionth of a point.
Scour takes out what a picture looks the same without.
"""

from pathlib import Path

from scour.scour import parse_args, scourString

OPTIONS = parse_args(
    ["--enable-comment-stripping", "--shorten-ids", "--indent=none", "--set-precision=6"]
)


def lighter(picture):
    """Return an SVG that looks the same and is shorter."""
    return scourString(picture, OPTIONS).replace("\n", "")


def write_lighter(app, exception):
    """Replace the pictures of the built book."""
    if exception is None and app.builder.format == "html":
        for path in (Path(app.outdir) / app.builder.imagedir).glob("*.svg"):
            path.write_text(lighter(path.read_text(encoding="utf-8")), encoding="utf-8")


def setup(app):
    """Connect to Sphinx."""
    app.connect("build-finished", write_lighter)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
