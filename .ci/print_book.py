"""Print a page of the built book with a browser, as a PDF.

python .ci/print_book.py pdf book/_build/singlehtml/index.html book.pdf
python .ci/print_book.py browser   # which one would do it
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# As the tests of the book in a browser look for it.
BROWSERS = ("google-chrome", "chromium", "chromium-browser")
WITHIN = 300  # seconds
# Milliseconds of the page's own clock, which stands still while formulas are typeset.
PATIENCE = 120_000
OUTPUT = ("--no-pdf-header-footer", "--generate-pdf-document-outline", "--print-to-pdf={}")


def find_browser():
    """Return the path of Chromium or Chrome.

    Raises
    ------
    SystemExit
        With a line that says what to install, if there is none.
    """
    if found := next(filter(None, map(shutil.which, BROWSERS)), None):
        return found
    sys.exit(
        "error: Chromium or Chrome prints the book, and neither is installed: "
        "sudo apt install chromium"
    )


def print_page(page, target):
    """Write `page` to `target`, in full or not at all."""
    with tempfile.TemporaryDirectory() as folder:
        printed = Path(folder) / target.name
        command = [find_browser(), "--headless", "--disable-gpu", "--no-first-run"]
        command += ["--no-sandbox", "--disable-dev-shm-usage"]  # a container's root can start it
        command += ["--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder}/profile"]
        command += [f"--virtual-time-budget={PATIENCE}"]
        command += [option.format(printed) for option in OUTPUT]
        done = subprocess.run(
            [*command, page.resolve().as_uri()],
            capture_output=True,
            encoding="utf-8",
            timeout=WITHIN,
        )
        if not printed.is_file():
            sys.exit(f"error: the browser wrote nothing:\n{done.stderr.strip()}")
        if packer := shutil.which("qpdf"):  # halves it
            packing = [packer, "--warning-exit-0", "--object-streams=generate", "--replace-input"]
            subprocess.run([*packing, printed], check=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(printed, target)


def main():
    """Print what the command line names."""
    match sys.argv[1:]:
        case ["pdf", page, target] if Path(page).is_file():
            print_page(Path(page), Path(target))
            print(f"{target}: {Path(target).stat().st_size / 1e6:.1f} MB")
        case ["browser"]:
            print(find_browser())
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
