"""Names that were changed: for one version the old ones still work, and warn."""

import functools
import inspect
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Returned = TypeVar("Returned")
Object = TypeVar("Object")


def names(module: str, new: Mapping[str, str]) -> Callable[[str], object]:
    """Return a module's ``__getattr__``, which finds what has another name today.

    Parameters
    ----------
    module
        The module's ``__name__``.
    new
        The names of today, by the old ones; with a module before it, where that is another one.

    Examples
    --------
    ::

        __getattr__ = renamed.names(__name__, {"contextuality": "excess"})
    """

    def find(name: str) -> object:
        if name not in new:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        _warn(f"{module}.{name}", new[name])
        place, _, today = new[name].rpartition(".")
        return getattr(import_module(place or module), today)

    return find


def attributes(new: Mapping[str, str]) -> Callable[[type[Object]], type[Object]]:
    """Return a decorator of a class whose attributes have other names today.

    Examples
    --------
    >>> @attributes({"path": "backend"})
    ... class Training:
    ...     backend = "eager"
    >>> Training().backend
    'eager'
    """

    def decorate(kind: type[Object]) -> type[Object]:
        for old, name in new.items():
            setattr(kind, old, _attribute(old, name))
        return kind

    return decorate


def _attribute(old: str, new: str) -> property:
    def find(self: object) -> object:
        _warn(f"{type(self).__name__}.{old}", new)
        return getattr(self, new)

    return property(find)


def keywords(
    **new: str,
) -> Callable[[Callable[Given, Returned]], Callable[Given, Returned]]:
    """Return a decorator of a function whose arguments have other names today.

    Examples
    --------
    >>> @keywords(path="backend")
    ... def train(*, backend=None):
    ...     return backend
    >>> train(backend="eager")
    'eager'
    """

    def decorate(function: Callable[Given, Returned]) -> Callable[Given, Returned]:
        @functools.wraps(function)
        def call(*arguments: Given.args, **given: Given.kwargs) -> Returned:
            for old in new.keys() & given.keys():
                if new[old] in given:
                    raise TypeError(f"`{old}` is called `{new[old]}`: both were given")
                _warn(f"the argument `{old}`", new[old])
                given[new[old]] = given.pop(old)
            return function(*arguments, **given)

        call.__signature__ = inspect.signature(function)
        return call

    return decorate


def _warn(old: str, new: str) -> None:
    warnings.warn(
        f"{old} is called `{new}` and loses its old name in the next version",
        FutureWarning,
        stacklevel=3,
    )
