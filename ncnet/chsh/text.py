"""Numbers as a reader sees them."""


def interval_text(interval: tuple[float, float], sign: str = "") -> str:
    """Return an interval to three digits, with `sign` "+" with the signs of both ends.

    >>> interval_text((1.98765, 2))
    '[1.988, 2.000]'
    """
    low, high = interval
    return f"[{low:{sign}.3f}, {high:{sign}.3f}]"


def p_value_text(p: float | None) -> str:
    """Return a p-value to three digits, a small one as a power of ten, and none as nothing.

    >>> p_value_text(0.0321), p_value_text(3.21e-8), p_value_text(None)
    ('0.032', '3e-08', '')
    """
    if p is None:
        return ""
    return f"{p:.3f}" if p >= 0.001 else f"{p:.0e}"
