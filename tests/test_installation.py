"""How the environment is made: by uv or pip, from where settings say, with a fitting torch."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path += [str(ROOT / ".ci"), str(ROOT / "book" / "_ext")]

import install  # noqa: E402
import repository_buttons  # noqa: E402

LISTED = """global.cert='/etc/ca.crt'
global.extra-index-url='file:///one file:///two'
global.find-links='/wheels'
global.timeout='60'
install.find-links='/others'
:env:.disable-pip-version-check='1'
"""


def test_uv_looks_where_pips_settings_say():
    assert install.as_uv_is_told(LISTED, {}) == {
        "SSL_CERT_FILE": "/etc/ca.crt",
        "UV_INDEX": "file:///one file:///two",
        "UV_FIND_LINKS": "/others",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


def test_pips_variables_are_stronger_than_its_files_and_uvs_own_than_both():
    listed = f"{LISTED}:env:.find-links='/here /there'\n:env:.index-url='https://mirror'\n"
    told = install.as_uv_is_told(listed, {"UV_INDEX": "https://mine"})
    assert told["UV_FIND_LINKS"] == "/here,/there"
    assert told["UV_DEFAULT_INDEX"] == "https://mirror"
    assert "UV_INDEX" not in told


def test_only_a_linux_without_driver_wants_the_build_for_cpus(tmp_path):
    driver = tmp_path / "version"
    assert install.wants_cpu_build("Linux", [str(driver)])
    assert not install.wants_cpu_build("Darwin", [str(driver)])
    driver.touch()
    assert not install.wants_cpu_build("Linux", [str(driver)])


@pytest.fixture
def commands(monkeypatch):
    """Record the commands instead of running them; those with a word of `fails` in them fail."""
    ran, fails = [], set()

    def run(command, environ, quiet=False):
        ran.append(" ".join(map(str, command)))
        return not any(word in ran[-1] for word in fails)

    monkeypatch.setattr(install, "run", run)
    monkeypatch.setattr(install, "wants_cpu_build", lambda *_: True)
    monkeypatch.setattr(sys, "argv", ["install.py"])
    return ran, fails


def test_a_wheel_that_settings_name_comes_before_torchs_index_and_both_before_the_lock(commands):
    ran, fails = commands
    fails.add("--no-index")
    install.main()
    uv = [line.split("uv pip install")[1] for line in ran if "uv pip install" in line]
    torch = f"torch=={install.locked('torch')}+cpu"
    assert [torch in line for line in uv] == [True, True, False, False]
    assert "--no-index" in uv[0]
    assert f"--index-url {install.CPU_BUILDS}" in uv[1]
    assert "-r requirements.txt" in uv[2]
    assert "--editable ." in uv[3]
    fails.clear(), ran.clear()
    install.main()
    assert not any(install.CPU_BUILDS in line for line in ran)


def test_without_any_build_for_cpus_the_usual_one_is_announced(commands, capsys):
    _, fails = commands
    fails.add("+cpu")
    install.main()
    assert "several GB" in capsys.readouterr().out


@pytest.mark.parametrize("missing", ["uv==", "uv pip install --quiet"])
def test_pip_installs_where_uv_cannot(commands, capsys, missing):
    ran, fails = commands
    fails.add(missing)
    install.main()
    assert re.search(r"-m pip .*install -qq -r requirements.txt", ran[-2])
    assert "pip" in capsys.readouterr().out


def test_what_neither_can_install_ends_with_an_error(commands):
    _, fails = commands
    fails.add("requirements.txt")
    with pytest.raises(SystemExit, match="error: the packages could not be installed"):
        install.main()


def test_another_list_goes_into_another_environment(commands, monkeypatch):
    ran, _ = commands
    monkeypatch.setattr(
        sys, "argv", ["install.py", "--python", "/other/python", "--requirements", "list.txt"]
    )
    install.main()
    assert "--python /other/python" in ran[-1]
    assert ran[-1].endswith("-r list.txt")


def test_make_installs_by_it():
    assert "\t@python .ci/install.py\n" in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert install.locked("uv")


def test_the_readme_installs_from_the_address_that_the_book_looks_for():
    line = f"$ {repository_buttons.UNKNOWN}\n"
    assert line in (ROOT / "README.md").read_text(encoding="utf-8")
    address = "https://github.com/owner/name"
    filled = repository_buttons.with_address(line, address)
    assert filled == f'$ pip install "ncnet[report] @ git+{address}"\n'
    assert repository_buttons.with_address(line, None) == line


def test_no_page_installs_from_anywhere_else():
    pages = [ROOT / "README.md", *(ROOT / "book").glob("*.md"), *(ROOT / "notebooks").glob("*.py")]
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    assert text.count("git+") == text.count(repository_buttons.UNKNOWN) > 0
