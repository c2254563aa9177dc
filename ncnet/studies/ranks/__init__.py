"""RQ3 on real models: whether S of an encoder follows the rank of its adapters."""
