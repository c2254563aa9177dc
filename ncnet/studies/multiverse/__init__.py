"""RQ3, continued: which statements on S(n) depend on choices that the paper does not state."""
