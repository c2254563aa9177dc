"""Finds by their old place the functions that are now in the other modules of this study."""

from importlib import import_module

from ncnet import renamed

PACKAGE = "ncnet.studies.generalization"
MODULES = ("measurements", "correlation", "selection", "interference", "tables")
PLACES = [f"{PACKAGE}.{name}" for name in MODULES]
MOVED = {name: f"{place}.{name}" for place in PLACES for name in vars(import_module(place))}
RENAMED = {
    "trained": f"{PACKAGE}.measurements.train_replicas",
    "traced": f"{PACKAGE}.measurements.trace_steps",
    "halves": f"{PACKAGE}.measurements.split_replicas",
    "first_at_2": f"{PACKAGE}.measurements.first_capacity_at_2",
    "regret_at_first": f"{PACKAGE}.selection.regret_at_first_2",
    "RULES": f"{PACKAGE}.selection.CRITERIA",
    "interference": f"{PACKAGE}.interference.interference_by_replica",
    "trained_pairs": f"{PACKAGE}.interference.train_task_pairs",
    "predictors": f"{PACKAGE}.interference.predictor_correlations",
}
__getattr__ = renamed.names(__name__, MOVED | RENAMED)
