"""What of a loss trace is oscillation, in two readings, and what is left without it.

The paper says that a head senses the other's task through oscillations of its own loss, and, as far
as we can read it, not what counts as one. Both readings split the logarithm of the loss in two:

- *fast*: the trend is what passes a low-pass filter (Butterworth's, of fourth order, forwards and
  backwards, so that nothing is shifted); the rest is what repeats within ten steps or fewer.
- *rises*: the trend is the lowest loss so far, which never rises; the rest is how far the loss
  stands above it, at whatever pace it got there.
"""

import numpy as np

from ncnet.checks import check, check_choice

READINGS = ("fast", "rises")
PERIOD = 10
"""Traced steps within which the fast reading's oscillation repeats."""
FEWEST_STEPS = 20
"""Traced steps that the filter needs."""
ROUNDING = 1e-6
"""A relative rise of the loss that single precision may make by itself."""
SMALLEST, LARGEST = 1e-12, 1e12
"""Losses beyond which the logarithm is not followed; one that is not finite counts as large."""


def log_loss(loss: np.ndarray) -> np.ndarray:
    """Return the decimal logarithm of losses, kept between those of `SMALLEST` and `LARGEST`.

    >>> log_loss(np.array([0.1, 0.0, np.nan])).tolist()
    [-1.0, -12.0, 12.0]
    """
    finite = np.nan_to_num(np.asarray(loss, float), nan=LARGEST, posinf=LARGEST)
    return np.log10(finite.clip(SMALLEST, LARGEST))


def rising_share(loss: np.ndarray) -> np.ndarray:
    """Return the share of steps at which a head's own loss rises.

    Parameters
    ----------
    loss
        [..., steps]

    Returns
    -------
    numpy.ndarray
        [...]; a rise by less than `ROUNDING` of the loss is none.

    Examples
    --------
    >>> rising_share(np.array([1.0, 0.5, 0.6, 0.4, 0.4])).item()
    0.25
    """
    return (np.diff(log_loss(loss)) > np.log10(1 + ROUNDING)).mean(axis=-1)


def trend(logarithm: np.ndarray, reading: str) -> np.ndarray:
    """Return the trend of logarithms of losses [..., steps], in one of two readings.

    Parameters
    ----------
    logarithm
        As `log_loss` gives it, at every step of training.
    reading
        "fast" or "rises".

    Raises
    ------
    ValueError
        For an unknown reading, or for fewer than `FEWEST_STEPS` steps in the fast one.

    Examples
    --------
    >>> trend(np.array([0.0, -1.0, -0.5, -2.0]), "rises").tolist()
    [0.0, -1.0, -1.0, -2.0]
    """
    check_choice("reading", reading, READINGS)
    logarithm = np.asarray(logarithm, float)
    if reading == "rises":
        return np.minimum.accumulate(logarithm, axis=-1)
    steps = logarithm.shape[-1]
    check(steps >= FEWEST_STEPS, f"the trace has {steps} steps", f"at least {FEWEST_STEPS}")
    # Imported where it is used: it takes half a second.
    from scipy.signal import butter, sosfiltfilt

    low_pass = butter(4, 1 / PERIOD, fs=1, output="sos")
    # Continued beyond its ends for so long that the filter has swung in.
    beyond = min(10 * PERIOD, steps - 1)
    return sosfiltfilt(low_pass, logarithm, axis=-1, padlen=beyond)


def energy(loss: np.ndarray, reading: str) -> np.ndarray:
    """Return the mean square of what `trend` leaves of a loss trace [..., steps], in decades^2.

    Examples
    --------
    A loss that only falls has no oscillation in the second reading:

    >>> energy(10.0 ** -np.arange(20), "rises").item()
    0.0
    """
    logarithm = log_loss(loss)
    return ((logarithm - trend(logarithm, reading)) ** 2).mean(axis=-1)
