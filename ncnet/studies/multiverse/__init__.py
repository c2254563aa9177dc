"""Asks which statements on S(n) depend on choices that the paper does not state (RQ3)."""
