"""What a use of AWS costs."""

from dataclasses import fields

import pytest

from event_harness.aws.prices import PRICES, Use


def test_every_part_of_a_use_has_a_price():
    assert {one.name for one in fields(Use)} == set(PRICES)


def test_cost_is_the_sum_of_amounts_times_prices():
    use = Use(lambda_requests=1_000_000, dynamodb_writes=2_000_000, s3_puts=1_000)
    assert use.costs() == pytest.approx({"lambda_requests": 0.2, "dynamodb_writes": 1.25, "s3_puts": 0.005})
    assert use.dollars == pytest.approx(1.455)


@pytest.mark.parametrize(
    ("use", "dollars"),
    [
        (Use(lambda_requests=1_000_000), 0.20),
        (Use(lambda_gb_seconds=1_000_000), 16.6667),
        (Use(dynamodb_writes=1_000_000), 0.625),
        (Use(dynamodb_reads=1_000_000), 0.125),
        (Use(s3_puts=1_000), 0.005),
        (Use(s3_gets=1_000), 0.0004),
        (Use(sqs_requests=1_000_000), 0.40),
        (Use(log_gb=1), 0.50),
    ],
)
def test_prices_are_those_that_aws_publishes(use, dollars):
    assert use.dollars == pytest.approx(dollars)


def test_two_uses_add_up():
    assert Use(s3_gets=1, log_gb=2) + Use(s3_gets=3) == Use(s3_gets=4, log_gb=2)


def test_nothing_costs_nothing():
    assert Use().costs() == {}
    assert Use().dollars == 0
