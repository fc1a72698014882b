"""Confidence limits of percentiles by order statistics: they assume nothing about the distribution.

The k-th smallest of n independent samples is at or above the p-quantile with the probability that at most
k - 1 samples lie below it. That number follows the binomial distribution of n and p. So samples of the list
itself are limits of a percentile (Hahn and Meeker, Statistical Intervals, distribution-free limits).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from event_harness.errors import SettingError

CONFIDENCE = 0.95
"""The probability with which each limit of a percentile holds."""


@dataclass(frozen=True)
class Percentile:
    """A percentile of a sample.

    Attributes:
        p: The part of all samples that lies at or below it, 0 to 1.
        value: The percentile of the sample (nearest rank).
        low: It is at least this, with the probability `CONFIDENCE`.
        high: It is at most this, with the same probability; infinite if the sample can't tell.
        samples: The number of samples.
    """

    p: float
    value: float
    low: float
    high: float
    samples: int

    @property
    def name(self) -> str:
        """`p95`, `p99.9`."""
        return f"p{100 * self.p:.6g}"


def percentile(values: Sequence[float], p: float) -> Percentile:
    """A percentile of a sample, with its confidence limits.

    Args:
        values: The samples in ascending order, at least one.
        p: 0 to 1, both excluded.
    """
    number = len(values)
    lowest, highest = ranks(number, p)
    nearest = values[max(1, math.ceil(round(p * number, 9))) - 1]
    low = values[lowest - 1] if lowest else 0.0
    high = values[highest - 1] if highest <= number else math.inf
    return Percentile(p, nearest, low, high, number)


def ranks(number: int, p: float) -> tuple[int, int]:
    """The ranks (from 1) of the samples that are the lower and the upper limit of a percentile.

    Returns:
        0 for the lower one if no sample is small enough, `number` + 1 for the upper one if none is large
        enough.
    """
    lowest, highest, at_most = 0, number + 1, 0.0
    for below in range(number):
        at_most += _probability(number, p, below)  # that at most so many samples lie below the percentile
        if at_most <= 1 - CONFIDENCE:
            lowest = below + 1
        if at_most >= CONFIDENCE:
            highest = below + 1
            break
    return lowest, highest


def needed(p: float) -> int:
    """The fewest samples of which one is an upper limit of a percentile: 59 for p95, 299 for p99."""
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(p))


def check_supported(p: float, number: int) -> None:
    """Refuse a claim that a sample can't support.

    Raises:
        SettingError: There are too few samples. The message says how many it takes.
    """
    if number >= needed(p):
        return
    most = math.floor(100 * (1 - CONFIDENCE) ** (1 / number)) if number else 0
    raise SettingError(
        f"p{100 * p:.6g} of {number} samples can't be told: it takes {needed(p)} samples for a confidence of"
        f" {CONFIDENCE:.0%}" + (f"; {number} samples support p{most} at most" if most else "")
    )


def _probability(number: int, p: float, below: int) -> float:
    """The binomial probability of `below` successes in `number` trials."""
    ways = math.lgamma(number + 1) - math.lgamma(below + 1) - math.lgamma(number - below + 1)
    return math.exp(ways + below * math.log(p) + (number - below) * math.log1p(-p))
