"""The statistics of a CHSH experiment: arrays or a Dataset in, numbers out."""

from ncnet import renamed
from ncnet.chsh.bell import BellTest, GameTest, bell_test, from_counts, game_test
from ncnet.chsh.betting import (
    betting_test,
    replicas_needed,
    smallest_mean_any_test,
    smallest_mean_shown,
)
from ncnet.chsh.correlators import (
    ALGEBRAIC_BOUND,
    CLASSICAL_BOUND,
    FACETS,
    REPLICAS_PER_RUN,
    SIGNS,
    TSIRELSON_BOUND,
    arcsine_excess,
    cells,
    correlators,
    facets,
    replica_means,
    s_odd,
    s_per_replica,
    s_per_run,
    s_value,
)
from ncnet.chsh.excess import decomposition, excess, excess_bound
from ncnet.chsh.intervals import replica_interval, s_interval
from ncnet.chsh.linear_programs import coupling_deficit, local_fraction
from ncnet.chsh.outcomes import READOUTS, as_dataset, from_losses, read
from ncnet.chsh.pairs import as_pairs, collect_pairs, quartet
from ncnet.chsh.report import Report, report
from ncnet.chsh.report_tables import by_capacity, identity_errors, summary
from ncnet.chsh.signalling import delta, influence, marginal_changes, marginals, no_signalling_test
from ncnet.chsh.significance import hoeffding_test, holm, sign_test
from ncnet.chsh.tables import from_table
from ncnet.chsh.views import ReportView

__getattr__ = renamed.names(
    __name__,
    {
        "brief": "summary",
        "contextuality": "excess",
        "contextuality_bound": "excess_bound",
        "departures": "identity_errors",
        "RUN_LENGTH": "REPLICAS_PER_RUN",
        "Shown": "ReportView",
    },
)
