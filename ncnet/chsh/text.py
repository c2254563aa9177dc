"""Numbers as a reader sees them."""


def number_text(value: float, digits: int = 3, *, sign: str = "") -> str:
    """Return a number to some digits, 0 without a sign of its own.

    >>> number_text(1.98765), number_text(-0.0001), number_text(0.25, 1)
    ('1.988', '0.000', '0.2')
    """
    return f"{round(value, digits) + 0.0:{sign}.{digits}f}"


def interval_text(interval: tuple[float, float], *, digits: int = 3, sign: str = "") -> str:
    """Return an interval to some digits, with `sign` "+" with the signs of both ends.

    >>> interval_text((1.98765, 2))
    '[1.988, 2.000]'
    """
    low, high = (number_text(end, digits, sign=sign) for end in interval)
    return f"[{low}, {high}]"


def p_value_text(p: float | None) -> str:
    """Return a p-value to three digits, a small one as a power of ten, and none as nothing.

    >>> p_value_text(0.0321), p_value_text(3.21e-8), p_value_text(1e-305), p_value_text(None)
    ('0.032', '3e-08', '<1e-300', '')
    """
    if p is None:
        return ""
    if p < 1e-300:  # a float holds hardly less
        return "<1e-300"
    return f"{p:.3f}" if p >= 0.001 else f"{p:.0e}"
