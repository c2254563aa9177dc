"""Asks whether a classical network passes the bound (RQ1), and how S depends on capacity (RQ3)."""
