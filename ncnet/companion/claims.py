"""Lists all statements of the paper that this book tests, study by study, with their tables."""

import pandas as pd

from ncnet import results
from ncnet.studies.atlas import claims as atlas
from ncnet.studies.capacity import claims as capacity
from ncnet.studies.generalization import claims as generalization
from ncnet.studies.mechanism import claims as mechanism
from ncnet.studies.multiverse import claims as multiverse
from ncnet.studies.multiverse.analysis import has_our_choices
from ncnet.studies.ranks import claims as ranks

_STUDIES = (multiverse, capacity, atlas, mechanism, ranks, generalization)
CLAIMS = {claim.name: claim for study in _STUDIES for claim in study.CLAIMS}
"""Every statement of the paper that this book tests, by name."""


def recorded_tables() -> dict[str, pd.DataFrame]:
    """Return all recorded tables that the rules read, by name, at the choices of this book.

    Examples
    --------
    >>> from ncnet.claims import verdict
    >>> verdict(CLAIMS["exceeds-2"], recorded_tables())
    'reproduced'
    """
    tables = {claim.result: results.load(claim.result).table for claim in CLAIMS.values()}
    specifications = tables["multiverse"]
    return tables | {"multiverse": specifications[has_our_choices(specifications)]}
