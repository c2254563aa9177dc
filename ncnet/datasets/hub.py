"""Pins repositories of the Hugging Face hub to a commit, so that what was read can be read again.

No commit is written down in the code: the first use takes the current one and keeps it in
``revisions.json`` in the user's cache folder, and later uses take it from there. To move to a newer
one, delete its line. Where the hub cannot be reached, the first use takes the commit that was
current when any program of this user last asked: the one that the hub's own cache has.

A pin is found by repository and branch. Deleted, it is taken anew, and may be another commit. Files
lie in the hub's own cache, by repository and commit, and may be deleted: they are fetched again.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path

from ncnet import renamed
from ncnet.checks import check, check_choice
from ncnet.files import expanded, replace

KINDS = ("dataset", "model")
PINS = "revisions.json"
SECONDS = 10
"""An answer is waited for so long."""
ONCE_WITHOUT = ("google-bert", "nyu-mll", "tau", "allenai", "google-research-datasets")
"""Owners of repositories that other programs may have cached by the name without the owner's."""


class Unavailable(OSError):  # noqa: N818
    """What was asked for cannot be had: no connection, no such repository, no such file."""


def revision(repository: str, *, kind: str, at: str = "main", folder: Path | None = None) -> str:
    """Return the commit that a repository is pinned to; the current one, the first time.

    Without a connection, the first time, it is the commit of that branch in the hub's cache
    (``HF_HUB_CACHE``), whoever fetched it; the only one there, where the cache knows of no branch.

    Parameters
    ----------
    repository
        Its name on the hub, with the owner's.
    kind
        ``dataset`` or ``model``.
    at
        The branch whose current commit is pinned.
    folder
        The folder that keeps the pins: the user's cache folder unless told otherwise.

    Raises
    ------
    Unavailable
        If there is no pin yet, the hub cannot be reached or has no such repository or branch, and
        its cache has not just one commit; the line names those that it has.
    ValueError
        For another kind, or if the file of pins is damaged.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pins = Path(folder) / "revisions.json"
    ...     _ = pins.write_text('{"models/google/electra-small@main": "a5c3"}')
    ...     revision("google/electra-small", kind="model", folder=Path(folder))
    'a5c3'
    """
    check_choice("kind", kind, KINDS)
    path = (user_cache_path("ncnet") if folder is None else expanded(folder)) / PINS
    name = f"{kind}s/{repository}@{at}"
    pins = _pins(path)
    if name not in pins:
        commit = _current(repository, kind, at)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Read again: another process may have pinned something while this one asked the hub.
        pins = {name: commit} | _pins(path)
        replace(path, (json.dumps(pins, indent=2, sort_keys=True) + "\n").encode())
    return pins[name]


def _current(repository: str, kind: str, at: str) -> str:
    """Return the current commit of a branch, or else the one that the hub's cache has of it."""
    try:
        with errors_as_unavailable(f"the {kind} `{repository}` ({at})"):
            from huggingface_hub import HfApi

            return HfApi().repo_info(repository, repo_type=kind, revision=at, timeout=SECONDS).sha
    except Unavailable as error:
        there, branches = _cache(repository, kind)
        of_branch = {branches[at]} if at in branches else set(there) - set(branches.values())
        commits = of_branch & set(there)
        if len(commits) != 1:
            raise Unavailable(f"{error}{cached_commits_hint(repository, kind, at)}") from error
        return commits.pop()


def snapshot(repository: str, commit: str, *, kind: str) -> Path | None:
    """Return the folder of the hub's cache for a commit, of which it may lack files, if any.

    >>> snapshot("nobody/nothing", "a5c3", kind="model") is None
    True
    """
    return _cache(repository, kind)[0].get(commit)


def download(
    repository: str, commit: str, files: Sequence[str], *, kind: str = "model", at: str = "main"
) -> Path:
    """Return a folder that has these files of a commit; what the hub's cache lacks is fetched.

    Raises
    ------
    Unavailable
        If a file is neither in the hub's cache nor to be had; the line says what the cache has.
    """
    there = snapshot(repository, commit, kind=kind)
    lacking = [file for file in files if there is None or not (there / file).exists()]
    if not lacking:
        return there
    try:
        with errors_as_unavailable(f"the {kind} `{repository}` at commit {commit}"):
            from huggingface_hub import HfApi, hf_hub_download

            # Asked once; the download would try for half a minute.
            HfApi().repo_info(repository, repo_type=kind, revision=commit, timeout=SECONDS)
            for file in files:
                path = hf_hub_download(repository, file, revision=commit, repo_type=kind)
            return Path(path.removesuffix(file))
    except Unavailable as error:
        has = f"; the hub's cache has this commit without {', '.join(lacking)}"
        has = has if there else cached_commits_hint(repository, kind, at)
        raise Unavailable(f"{error}{has}") from error


def cached_commits_hint(repository: str, kind: str, at: str = "main") -> str:
    """Return the end of a line that says which commits the hub's cache has, if any.

    >>> cached_commits_hint("nobody/nothing", "model")
    ''
    """
    there, _ = _cache(repository, kind)
    if not there:
        return ""
    return (
        f"; the hub's cache has commit {' and '.join(sorted(there))}: to read that one, pin "
        f"`{kind}s/{repository}@{at}` to it in {user_cache_path('ncnet') / PINS}"
    )


@contextmanager
def errors_as_unavailable(what: str) -> Iterator[None]:
    """Turn the errors of a hub that cannot be reached, or lacks something, into `Unavailable`.

    Parameters
    ----------
    what
        Name of what is fetched inside, for the message.

    Raises
    ------
    Unavailable
        For no connection, a timeout, offline mode, something private or missing, and where a
        package that fetches it is not installed.

    Examples
    --------
    >>> with errors_as_unavailable("the model `google/electra-small`"):
    ...     raise ConnectionError("no route to host")
    Traceback (most recent call last):
    ncnet.datasets.hub.Unavailable: cannot get the model `google/electra-small` from the Hugging \
Face hub: no route to host
    """
    try:
        from huggingface_hub.errors import HTTPError

        yield
    except ModuleNotFoundError as error:
        package = (error.name or "huggingface_hub").partition(".")[0]
        raise Unavailable(
            f"cannot get {what}: `{package}` is not installed; run `pip install -e '.[lora]'`"
        ) from None
    except (OSError, HTTPError) as error:
        # What the operating system says of anything but a connection, such as a full disk, has a
        # number; what the packages say of the hub has none.
        of_system = isinstance(error, OSError) and error.errno is not None
        if of_system and not isinstance(error, ConnectionError | TimeoutError):
            raise
        line = f"cannot get {what} from the Hugging Face hub: {_reason(error)}"
        raise Unavailable(line) from error


__getattr__ = renamed.names(
    __name__, {"instead": "cached_commits_hint", "reaching": "errors_as_unavailable"}
)


def _reason(error: Exception) -> str:
    from huggingface_hub.errors import LocalEntryNotFoundError

    if isinstance(error, LocalEntryNotFoundError) and error.__cause__:
        return _reason(error.__cause__)
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403, 404):
        return f"it has none that is public (status {status})"
    line = (str(error).strip() or repr(error)).splitlines()[0].rstrip(".")
    return f"status {status}" if status else line


def _cache(repository: str, kind: str) -> tuple[dict[str, Path], dict[str, str]]:
    """Return the folders of the hub's cache by commit, and the commits that it has of branches."""
    try:
        from huggingface_hub.constants import HF_HUB_CACHE
        from huggingface_hub.file_download import repo_folder_name
    except ModuleNotFoundError:
        return {}, {}
    owner, _, name = repository.partition("/")
    there, branches = {}, {}
    for known in [name, repository] if owner in ONCE_WITHOUT else [repository]:
        folder = Path(HF_HUB_CACHE) / repo_folder_name(repo_id=known, repo_type=kind)
        there |= {path.name: path for path in folder.glob("snapshots/*")}
        for path in filter(Path.is_file, folder.glob("refs/**/*")):
            branch = path.relative_to(folder / "refs").as_posix()
            branches[branch] = path.read_text(encoding="utf-8", errors="replace").strip()
    return there, branches


def _pins(path: Path) -> dict[str, str]:
    try:
        pins = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        pins = None
    check(isinstance(pins, dict), f"{path} is damaged", "a JSON object; delete it to pin anew")
    return pins
