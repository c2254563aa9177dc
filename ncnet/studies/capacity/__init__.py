"""RQ1 and RQ3, whether a classical network passes the bound, and how S depends on capacity."""
