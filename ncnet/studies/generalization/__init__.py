"""RQ4 and RQ5: what S says of generalization, and its use as a diagnostic."""
