"""From a row to an item: what each field may hold."""

from ncnet.datasets.items import Item


def item(kind: str, classes: int, key: str, row: object) -> Item:
    """Return the item of a row.

    Parameters
    ----------
    kind
        ``sentence`` (fields ``text_a`` and ``label``), ``pair`` (also ``text_b``) or ``choice``
        (``question``, ``choices`` and ``label``).
    classes
        Number of classes or choices.
    key
        The item's key.
    row
        The fields by name; others than these may be there.

    Raises
    ------
    ValueError
        For no mapping, a field that is missing, empty or no text, a label that is none of the
        classes, or another number of choices.

    Examples
    --------
    >>> item("sentence", 2, "train:0", {"text_a": "A fine film.", "label": 1}).label
    1
    >>> item("sentence", 2, "train:0", {"text_a": "A fine film.", "label": 2})
    Traceback (most recent call last):
    ValueError: `label` is 2: expected an integer of 0 to 1
    """
    if not isinstance(row, dict):
        raise ValueError(f"a row is {_short(row)}: expected fields by name")
    label = _label(row, classes)
    if kind == "choice":
        return Item(key, label, _text(row, "question"), choices=_choices(row, classes))
    second = _text(row, "text_b") if kind == "pair" else None
    return Item(key, label, _text(row, "text_a"), second)


def _field(row: dict, name: str) -> object:
    if name not in row:
        raise ValueError(f"no field `{name}`: found {', '.join(f'`{f}`' for f in row) or 'none'}")
    return row[name]


def _text(row: dict, name: str) -> str:
    value = _field(row, name)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"`{name}` is {_short(value)}: expected a text")
    return value


def _label(row: dict, classes: int) -> int:
    value = _field(row, "label")
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not 0 <= value < classes:
        raise ValueError(f"`label` is {_short(value)}: expected an integer of 0 to {classes - 1}")
    return value


def _choices(row: dict, classes: int) -> tuple[str, ...]:
    value = _field(row, "choices")
    if not isinstance(value, list) or len(value) != classes:
        found = len(value) if isinstance(value, list) else _short(value)
        raise ValueError(f"`choices` has {found}: expected {classes} texts")
    for choice in value:
        if not isinstance(choice, str) or not choice.strip():
            raise ValueError(f"`choices` holds {_short(choice)}: expected {classes} texts")
    return tuple(value)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
