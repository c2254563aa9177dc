"""Write the book's figures with half the bytes, and the same to the eye.

Matplotlib's SVG repeats the style of every stroke and gives coordinates to a millionth of a point.
Scour takes out what a picture looks the same without. It is slow, so a picture goes through it
once, when its page is executed (`parallel_execution`).
"""

import re

from scour.scour import parse_args, scourString

SVG = "image/svg+xml"
OPTIONS = parse_args(
    [
        "--enable-comment-stripping",
        "--enable-id-stripping",
        "--shorten-ids",
        "--indent=none",
        "--set-precision=6",
    ]
)
STROKED = re.compile(r'<path id="(\w+)"[^>]* stroke="[^>]* stroke-width=')
USE = re.compile(r'<use [^>]*xlink:href="#(\w+)"/>')
STROKE = re.compile(r' stroke(-width)?="[^"]*"')
# Scour leaves the places of marks as they are.
PLACE = re.compile(r' (x|y)="(-?\d+\.\d{3})\d+"')


def lighter(picture):
    """Return an SVG that looks the same and is shorter."""
    short = scourString(picture, OPTIONS).replace("\n", "")
    stroked = set(STROKED.findall(short))

    def placed(use):
        # What a mark says of its own stroke outweighs what its use says.
        mark = PLACE.sub(r' \1="\2"', use[0])
        return STROKE.sub("", mark) if use[1] in stroked else mark

    return USE.sub(placed, short)


def lighten(notebook):
    """Replace the pictures among the outputs of an executed notebook."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            pictures = output.get("data", {})
            if SVG in pictures:
                pictures[SVG] = lighter(pictures[SVG])
