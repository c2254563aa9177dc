"""Reads files of YAML that people write: what would be misread is refused, with its line."""

import re
from pathlib import Path
from typing import Any

import yaml

from ncnet.printing import shortened


class UnreadableError(ValueError):
    """Says in one line why a file cannot be read, with its path and line.

    Attributes
    ----------
    unread
        True where it could not even be opened as text.
    """

    def __init__(self, message: str, *, unread: bool = False):
        super().__init__(message)
        self.unread = unread


def read_yaml(path: Path) -> tuple[yaml.Node | None, Any]:
    """Return the document of a file of YAML, and the node that knows the lines of its values.

    Raises
    ------
    UnreadableError
        For a file that cannot be opened, is no YAML, or has a date, a key that is no text or comes
        twice, or what YAML 1.1 takes for another number than people do (``010`` is 8).
    """
    try:
        loader = _Loader(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
        return root, loader.construct_document(root) if root else None
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror}", unread=True) from None
    except UnicodeDecodeError:
        raise UnreadableError(f"{path} cannot be read: expected UTF-8", unread=True) from None
    except RecursionError:
        raise UnreadableError(f"{path}: expected fewer lists and mappings within others") from None
    except yaml.YAMLError as error:
        raise UnreadableError(f"{path}{_unread(error)}") from None


class _Loader(yaml.SafeLoader):
    """Refuses dates, what YAML 1.1 takes for other numbers (``010`` is 8), and keys but names."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        kind = node.tag.rpartition(":")[2] if isinstance(node, yaml.ScalarNode) else ""
        self._check(kind != "timestamp", node, "expected no date, or quotes around a text")
        number = kind in ("int", "float") or (kind == "str" and node.style is None)
        misread = number and re.fullmatch(r"[-+]?(0\d|\d+:)[\d:._e+-]*", node.value)
        self._check(not misread, node, "expected no leading zeros and no colons")
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError):
            self._check(False, node, f"YAML cannot read it as {kind}")

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = []
        for key, _ in node.value:
            is_text = key.tag == self.DEFAULT_SCALAR_TAG
            self._check(is_text, key, "a key is no text: expected a name")
            self._check(key.value not in keys, key, "it is there twice")
            keys.append(key.value)
        return super().construct_mapping(node, deep)

    def _check(self, holds: object, node: yaml.Node, message: str) -> None:
        if not holds:
            named = f"`{shortened(node.value)}`: " if isinstance(node, yaml.ScalarNode) else ""
            mark = node.start_mark
            raise yaml.constructor.ConstructorError(None, None, named + message, mark)


def _unread(error: yaml.YAMLError) -> str:
    """Return the line at which YAML cannot be read, and why."""
    mark = getattr(error, "problem_mark", None)
    said = [getattr(error, part, None) for part in ("context", "problem")]
    # What is made of YAML may be wrong where the YAML is right.
    what = "" if isinstance(error, yaml.constructor.ConstructorError) else "this is not YAML: "
    line = f":{mark.line + 1}" if mark else ""
    return f"{line}: {what}{' '.join(filter(None, said)) or error}"
