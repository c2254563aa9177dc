"""Whether four correlators could come from a quantum experiment whose parties do not influence."""

import numpy as np
import xarray as xr

from ncnet.chsh.correlators import facets


def arcsine_excess(correlator: xr.DataArray) -> xr.DataArray:
    """Return by how much the correlators pass the quantum set, in radians; at most 0 within it.

    The largest of ``|arcsin E11 + arcsin E12 + arcsin E21 + arcsin E22 - 2 arcsin E_k| - pi`` over
    the four contexts k. At most 0 is necessary and sufficient for correlators of two parties with
    two settings (Tsirelson, J. Soviet Math. 36, 557, 1987; Landau, Found. Phys. 18, 449, 1988;
    Masanes, quant-ph/0309137). It looks at correlators alone: where marginals change with the
    other's setting no quantum experiment without influence gives them. ``S <= 2 sqrt(2)`` is
    necessary but not sufficient.

    Examples
    --------
    >>> E = xr.DataArray([[1, 1], [1, -1]], dims=("alice_setting", "bob_setting"))
    >>> abs(float(arcsine_excess(E / 2**0.5))) < 1e-12  # Tsirelson's bound
    True
    >>> bool(arcsine_excess(0.99 * E) > 0), bool(arcsine_excess(0.5 * E) > 0)
    (True, False)
    """
    return facets(np.arcsin(correlator.clip(-1, 1))).max("facet") - np.pi
