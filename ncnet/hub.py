"""Pins repositories of the Hugging Face hub to a commit, so that what was read can be read again.

No commit is written down in the code: the first use takes the current one and keeps it in
``revisions.json`` in the user's cache folder, and later uses take it from there. To move to a newer
one, delete its line.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path

from ncnet.checks import check_choice
from ncnet.files import replace

KINDS = ("dataset", "model")
SECONDS = 10
"""How long an answer is waited for."""


class Unavailable(OSError):  # noqa: N818
    """What was asked for cannot be had: no connection, no such repository, no such file."""


def revision(repository: str, *, kind: str, at: str = "main", folder: Path | None = None) -> str:
    """Return the commit that a repository is pinned to; the current one, the first time.

    Parameters
    ----------
    repository
        Its name on the hub, with the owner's.
    kind
        ``dataset`` or ``model``.
    at
        The branch whose current commit is pinned.
    folder
        Where the pins are kept: the user's cache folder unless told otherwise.

    Raises
    ------
    Unavailable
        If there is no pin yet and the hub cannot be reached, or has no such repository or branch.
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
    path = (user_cache_path("ncnet") if folder is None else folder) / "revisions.json"
    name = f"{kind}s/{repository}@{at}"
    pinned = _pins(path).get(name)
    if pinned is None:
        pinned = _current(repository, kind, at)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Read again: another process may have pinned something while this one asked the hub.
        pins = {name: pinned} | _pins(path)
        pinned = pins[name]
        replace(path, (json.dumps(pins, indent=2, sort_keys=True) + "\n").encode())
    return pinned


@contextmanager
def reaching(what: str) -> Iterator[None]:
    """Turn the errors of a hub that cannot be reached, or lacks something, into `Unavailable`.

    Parameters
    ----------
    what
        What is fetched inside, for the message.

    Raises
    ------
    Unavailable
        For no connection, a timeout, offline mode, something private or missing, and where a
        package that fetches it is not installed.

    Examples
    --------
    >>> with reaching("the model `google/electra-small`"):
    ...     raise ConnectionError("no route to host")
    Traceback (most recent call last):
    ncnet.hub.Unavailable: cannot get the model `google/electra-small` from the Hugging Face hub: \
no route to host
    """
    try:
        from huggingface_hub.errors import HTTPError
    except ModuleNotFoundError as error:
        raise _not_installed(what, error) from None
    try:
        yield
    except ModuleNotFoundError as error:
        raise _not_installed(what, error) from None
    except (HTTPError, OSError) as error:
        # What the operating system says of anything but a connection, such as a full disk, has a
        # number; what the packages say of the hub has none.
        of_system = isinstance(error, OSError) and error.errno is not None
        if of_system and not isinstance(error, ConnectionError | TimeoutError):
            raise
        raise Unavailable(
            f"cannot get {what} from the Hugging Face hub: {_reason(error)}"
        ) from error


def _not_installed(what: str, error: ModuleNotFoundError) -> Unavailable:
    package = (error.name or "huggingface_hub").partition(".")[0]
    return Unavailable(
        f"cannot get {what}: `{package}` is not installed; run `pip install -e '.[lora]'`"
    )


def _reason(error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403, 404):
        return f"it has none that is public (status {status})"
    return f"status {status}" if status else (str(error).strip() or repr(error)).splitlines()[0]


def _current(repository: str, kind: str, at: str) -> str:
    with reaching(f"the {kind} `{repository}` ({at})"):
        from huggingface_hub import HfApi

        info = HfApi().repo_info(repository, repo_type=kind, revision=at, timeout=SECONDS)
    return info.sha


def _pins(path: Path) -> dict[str, str]:
    try:
        pins = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        pins = None
    if not isinstance(pins, dict):
        raise ValueError(f"{path} is damaged: expected a JSON object; delete it to pin anew")
    return pins
