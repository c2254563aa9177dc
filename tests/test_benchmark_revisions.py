"""Another commit's package is what the benchmarks are run with there."""

import subprocess
import sys

import pytest

from benchmarks import revisions


def test_the_package_of_a_commit_is_imported_beside_todays_benchmarks():
    code = "import benchmarks.revisions as b, ncnet; print(ncnet.__file__, b.__file__, sep='\\n')"
    with revisions.checkout("HEAD") as folder:
        found = subprocess.run(
            [sys.executable, "-c", code],
            cwd=folder,
            check=True,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        assert found.stdout.splitlines() == [
            str(folder / "ncnet" / "__init__.py"),
            str(folder / "benchmarks" / "revisions.py"),
        ]


def test_what_names_no_commit_is_refused():
    with pytest.raises(ValueError, match="expected a commit"), revisions.checkout("--nothing"):
        pass
