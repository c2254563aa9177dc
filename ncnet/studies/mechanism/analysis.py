"""Finds by their old place the functions that are now in the other modules of this study."""

from importlib import import_module

from ncnet import renamed

PACKAGE = "ncnet.studies.mechanism"
MODULES = [f"{PACKAGE}.{name}" for name in ("conflict", "decoding", "interventions", "sensing")]
MOVED = {name: f"{module}.{name}" for module in MODULES for name in vars(import_module(module))}
RENAMED = {
    "conflict": "ncnet.gradients.conflict",
    "conflict_table": f"{PACKAGE}.conflict.conflict",
    "manipulation": f"{PACKAGE}.conflict.manipulation_check",
    "Sensing": f"{PACKAGE}.decoding.Decoding",
    "by_use": f"{PACKAGE}.decoding.decode_by_use",
    "energy": f"{PACKAGE}.decoding.oscillation_energy",
    "features": f"{PACKAGE}.decoding.trace_features",
    "log_loss": f"{PACKAGE}.decoding.log10_loss",
    "trend": f"{PACKAGE}.decoding.loss_trend",
    "compare": f"{PACKAGE}.interventions.interventions",
    "excess_removed": f"{PACKAGE}.interventions.violation_removed",
    "interventions": f"{PACKAGE}.interventions.available_interventions",
    "OSCILLATING": f"{PACKAGE}.sensing.OSCILLATION_COMPARED",
    "oscillation_table": f"{PACKAGE}.sensing.oscillation",
    "sensing_table": f"{PACKAGE}.sensing.sensing",
}
__getattr__ = renamed.names(__name__, MOVED | RENAMED)
