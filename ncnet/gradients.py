"""Measures how the gradients of two heads lie to each other on the trunk that they share.

All measures are computed from three inner products: of each head's gradient with itself, and of
both with each other.
"""

import xarray as xr

from ncnet.checks import check

GRADIENTS = ("alice_gradient", "gradient_product", "bob_gradient")
"""The inner products, as the variables of a traced training."""
SECOND_GRADIENTS = tuple(f"second_{name}" for name in GRADIENTS)
"""Those on the second layer of a trunk that has two."""


def conflict(traced: xr.Dataset) -> xr.Dataset:
    """Return how both heads' gradients lie to each other at every traced step.

    Parameters
    ----------
    traced
        A training by `ncnet.train` with ``trace=["gradients"]``. Summed over `unit` it describes
        the whole trunk, left as it is each hidden unit: ``conflict(traced.sum("unit"))``.

    Returns
    -------
    xarray.Dataset
        Over the dimensions of the gradients: `cosine` of the angle between them, below 0 in
        conflict, NaN where a gradient is 0; `magnitude_similarity`, ``2|g_A||g_B| / (|g_A|^2 +
        |g_B|^2)``, 1 where they are equally long (arXiv 2001.06782); `inner_product` ``g_A . g_B``
        and `norm_product` ``|g_A||g_B|``, the most it could be.

    Raises
    ------
    ValueError
        If gradients were not traced.

    Examples
    --------
    >>> import ncnet
    >>> traced = ncnet.train(
    ...     ncnet.games.overlap(), hidden_size=3, replicas=64, seed=0, steps=100,
    ...     trace_steps=range(101), trace=["gradients"],
    ... )
    >>> conflict(traced.sum("unit")).cosine.sizes["step"]
    101
    """
    check_traced(traced)
    # In double precision: the product of two small squares would vanish.
    alice, inner_product, bob = (traced[name].astype(float) for name in GRADIENTS)
    norm_product = (alice * bob) ** 0.5
    return xr.Dataset(
        {
            "cosine": (inner_product / norm_product.where(norm_product > 0)).clip(-1, 1),
            "magnitude_similarity": 2 * norm_product / (alice + bob).where(alice + bob > 0),
            "inner_product": inner_product,
            "norm_product": norm_product,
        }
    )


def of_layer(traced: xr.Dataset, layer: int) -> xr.Dataset:
    """Return the inner products on one layer of the trunk, over `unit`.

    Parameters
    ----------
    traced
        A training by `ncnet.train` with ``trace=["gradients"]``, perhaps of two hidden layers.
    layer
        1, which reads the items, or 2, which reads the first.

    Raises
    ------
    ValueError
        If gradients were not traced, or there is no such layer.

    Examples
    --------
    >>> import ncnet
    >>> traced = ncnet.train(
    ...     ncnet.games.overlap(), hidden_size=3, second_hidden_size=2, replicas=64, seed=0,
    ...     steps=9, trace_steps=range(10), trace=["gradients"],
    ... )
    >>> [of_layer(traced, layer).sizes["unit"] for layer in (1, 2)]
    [3, 2]
    """
    check_traced(traced)
    layers = layers_of(traced)
    check(layer in layers, f"`layer` is {layer!r}", f"one of {layers}")
    if layer == 1:
        return traced[list(GRADIENTS)]
    names = dict(zip(SECOND_GRADIENTS, GRADIENTS, strict=True)) | {"second_unit": "unit"}
    return traced[list(SECOND_GRADIENTS)].rename(names)


def layers_of(traced: xr.Dataset) -> list[int]:
    """Return the numbers of the layers whose gradients were traced, [1] or [1, 2]."""
    return [1, 2] if SECOND_GRADIENTS[0] in traced else [1]


def check_traced(traced: xr.Dataset) -> None:
    """Refuse a training whose gradients were not traced, in one line."""
    expected = "a training with `trace_steps` and trace=['gradients']"
    for name in GRADIENTS:
        check(name in traced, f"`{name}` is missing", expected)
