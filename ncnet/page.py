"""A report as one page of HTML that needs nothing else: no script, no network, no other file."""

from collections.abc import Mapping, Sequence
from html import escape

from ncnet.chsh import Report
from ncnet.chsh.views import methods, statistics
from ncnet.printing import printable

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'"
"""A browser lets the page do nothing, should a name in it ever be read as markup."""

STYLE = """
:root { color-scheme: light dark; --faint: color-mix(in srgb, CanvasText 68%, Canvas);
  --line: color-mix(in srgb, CanvasText 18%, Canvas); }
@media (prefers-color-scheme: dark) { img { filter: brightness(.9); } }
body { margin: 0 auto; max-width: 46rem; padding: 1.5rem 1rem 3rem;
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { margin: 0 0 1rem; color: var(--faint); font-size: 1rem; font-weight: normal; }
strong { font-size: 1.2rem; line-height: 1.4; }
img { display: block; box-sizing: border-box; width: 100%; margin: 1.5rem 0; padding: .5rem;
  border-radius: .4rem; background: #fff; }
table { display: block; overflow-x: auto; margin: 0 0 1.5rem; border-collapse: collapse;
  font-size: .9rem; font-variant-numeric: tabular-nums; overflow-wrap: normal;
  /* A shade at an edge beyond which there is more: what scrolls along covers it at the end. */
  background:
    linear-gradient(to right, Canvas 50%, #0000) left / 2rem 100% no-repeat local,
    linear-gradient(to left, Canvas 50%, #0000) right / 2rem 100% no-repeat local,
    linear-gradient(to right, #8888, #0000) left / .8rem 100% no-repeat,
    linear-gradient(to left, #8888, #0000) right / .8rem 100% no-repeat; }
th, td { padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left;
  white-space: nowrap; }
th { font-weight: 600; }
@media (max-width: 30rem) {
  body { padding: 1rem .6rem 2rem; }
  table { font-size: .69rem; }
  th, td { padding: .25rem .35rem .25rem 0; }
}
summary { cursor: pointer; padding: .5rem 0; font-weight: 600; }
ul { padding: .1rem 0 .1rem 2rem; border-left: .2rem solid #c77700; }
footer { margin-top: 2rem; border-top: 1px solid var(--line); color: var(--faint);
  font-size: .85rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; }
dd { margin: 0; }
"""


def page(report: Report, source: Mapping[str, object], notes: Sequence[str] = ()) -> str:
    """Return a report as a whole page.

    Parameters
    ----------
    report
        The report; its picture is there where matplotlib is.
    source
        What the report was made of, by name: the end of the page lists it.
    notes
        Remarks on the input, which stand at the beginning.
    """
    table = statistics(report, rarer=True).to_html(border=0).replace("Delta", "Δ")
    title = f"S is {report.verdict}: {markup(source['input'])}"
    items = "".join(f"<li>{markup(note)}</li>" for note in notes)
    rows = "".join(f"<dt>{name}</dt><dd>{markup(value)}</dd>" for name, value in source.items())
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>Bell test of {markup(source["input"])}</h1>
{f"<ul>{items}</ul>" if items else ""}
{report.html()}
<details>
<summary>All rows</summary>
{table}
<p>{methods(report).replace("Delta", "Δ")}</p>
</details>
</main>
<footer><dl>{rows}</dl></footer>
</body>
</html>
"""


def markup(value: object) -> str:
    """Return a value as text that HTML shows as it is.

    >>> markup("<script>")
    '&lt;script&gt;'
    """
    return escape(printable(str(value)))
