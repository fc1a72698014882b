"""Confidence limits of percentiles."""

import math
import random

import pytest

from event_harness.errors import SettingError
from event_harness.listening.order_statistics import CONFIDENCE, check_supported, needed, percentile, ranks


@pytest.mark.parametrize(("p", "number"), [(0.5, 5), (0.9, 29), (0.95, 59), (0.99, 299), (0.999, 2995)])
def test_the_fewest_samples_are_those_of_the_tables(p, number):
    assert needed(p) == number
    assert ranks(number, p)[1] == number
    assert ranks(number - 1, p)[1] == number  # beyond the last one


@pytest.mark.parametrize(("number", "rank"), [(58, 59), (59, 59), (93, 92), (124, 122)])
def test_the_upper_limits_of_p95_are_those_of_wilks(number, rank):
    """59 samples for the largest one, 93 for the second largest, 124 for the third."""
    assert ranks(number, 0.95)[1] == rank


@pytest.mark.parametrize(("number", "p"), [(100, 0.5), (80, 0.95), (400, 0.99), (7, 0.3)])
def test_the_limits_are_the_nearest_samples_that_keep_the_confidence(number, p):
    def at_most(below):
        """The probability that at most so many samples lie below the percentile."""
        return sum(math.comb(number, n) * p**n * (1 - p) ** (number - n) for n in range(below + 1))

    low, high = ranks(number, p)
    assert at_most(high - 1) >= CONFIDENCE > at_most(high - 2)
    assert at_most(low) > 1 - CONFIDENCE >= (at_most(low - 1) if low else 0)


def test_a_limit_holds_as_often_as_it_says():
    """The 95th percentile of an exponential distribution is known: the limits must lie around it."""
    generator, tries, below, above = random.Random(7), 2000, 0, 0  # noqa: S311 (a sample)
    for _ in range(tries):
        found = percentile(sorted(generator.expovariate(1) for _ in range(80)), 0.95)
        below += found.low <= 2.995732273553991
        above += found.high >= 2.995732273553991
    assert min(below, above) / tries > CONFIDENCE - 0.015


def test_a_percentile_is_the_sample_of_the_nearest_rank():
    values = [float(number) for number in range(1, 101)]
    found = percentile(values, 0.95)
    assert (found.name, found.value, found.low, found.high) == ("p95", 95.0, 91.0, 99.0)
    assert percentile(values, 0.999).name == "p99.9"
    assert percentile([3.0], 0.5).value == 3.0


def test_a_claim_that_a_sample_cannot_support_is_refused_with_what_it_takes():
    check_supported(0.99, 299)
    with pytest.raises(SettingError) as caught:
        check_supported(0.99, 10)
    assert str(caught.value) == (
        "p99 of 10 samples can't be told: it takes 299 samples for a confidence of 95%;"
        " 10 samples support p74 at most"
    )
