"""YAML whose every value knows its line, so that an error can name it."""

import re
from pathlib import Path
from typing import Any

import yaml

LONGEST_MESSAGE = 400


class BatchError(ValueError):
    """A batch that cannot be run; one line, with file and line number where there are any."""

    def __init__(self, message: str):
        line = " ".join(message.split())
        super().__init__(line if len(line) <= LONGEST_MESSAGE else line[:LONGEST_MESSAGE] + " ...")


class MarkedYaml:
    """A YAML file of mappings and lists.

    Parameters
    ----------
    path
        The file.

    Attributes
    ----------
    value
        What it says, in dicts, lists and scalars.

    Raises
    ------
    BatchError
        If there is no such file, if it is not YAML, if a key is given twice, or for a number that
        YAML 1.1 reads as another one than most people: ``010`` as 8, ``1:30`` as 90.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BatchError(f"batch file {path} cannot be read: {error}") from None
        try:
            loader = yaml.SafeLoader(text)
            self._root = loader.get_single_node()
            self._refuse(self._root)
            self.value = loader.construct_document(self._root) if self._root else None
        except BatchError:
            raise
        except yaml.MarkedYAMLError as error:
            problem = " ".join(filter(None, (error.context, error.problem)))
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise BatchError(f"{path}:{line}: this is not YAML: {problem}") from None
        except (yaml.YAMLError, ValueError) as error:
            raise BatchError(f"{path}: this is not YAML: {error}") from None
        except RecursionError:
            raise BatchError(f"{path}: a value contains itself") from None

    def error(self, place: tuple, message: str) -> BatchError:
        """Return an error that names the line of the value at `place`, a path of keys."""
        return BatchError(f"{self.path}:{self._line(place)}: {message}")

    def _line(self, place: tuple) -> int:
        node = self._root
        for step in place:
            found = _child(node, step)
            if found is None:
                break
            node = found
        return node.start_mark.line + 1 if node else 1

    def _refuse(self, node: yaml.Node | None) -> None:
        if isinstance(node, yaml.MappingNode):
            seen = set()
            for key, value in node.value:
                where = f"{self.path}:{key.start_mark.line + 1}"
                if key.tag != "tag:yaml.org,2002:str":
                    raise BatchError(f"{where}: a key is no text: expected a name")
                if key.value in seen:
                    raise BatchError(f"{where}: `{key.value}` is there twice")
                seen.add(key.value)
                self._refuse(value)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                self._refuse(value)
        elif read := _misread(node):
            where = f"{self.path}:{node.start_mark.line + 1}"
            raise BatchError(f"{where}: YAML reads `{node.value}` as {read}")


def _misread(node: yaml.Node | None) -> str:
    """Return in words what YAML makes of a number that is octal or to base 60, or of a date."""
    kind = node.tag.rpartition(":")[2] if isinstance(node, yaml.ScalarNode) else ""
    if kind == "timestamp":
        return "a date: expected quotes around a text"
    if kind in ("int", "float") and re.match(r"[-+]?(0\d|\d+:)", node.value):
        return f"{yaml.safe_load(node.value)}: expected no leading zeros and no colons"
    return ""


def _child(node: yaml.Node | None, step: Any) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step]
    return None
