"""Write the book's figures with half the bytes, and the same to the eye.

Matplotlib's SVG repeats the style of every stroke and gives coordinates to a millionth of a point.
Scour takes out what a picture looks the same without. It is slow, so a picture goes through it
once, when its page is executed (`parallel_execution`).
"""

from scour.scour import parse_args, scourString

SVG = "image/svg+xml"
OPTIONS = parse_args(
    ["--enable-comment-stripping", "--shorten-ids", "--indent=none", "--set-precision=6"]
)


def lighter(picture):
    """Return an SVG that looks the same and is shorter."""
    return scourString(picture, OPTIONS).replace("\n", "")


def lighten(notebook):
    """Replace the pictures among the outputs of an executed notebook."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            pictures = output.get("data", {})
            if SVG in pictures:
                pictures[SVG] = lighter(pictures[SVG])
