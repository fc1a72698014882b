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


def test_two_uses_add_up():
    assert Use(s3_gets=1, log_gb=2) + Use(s3_gets=3) == Use(s3_gets=4, log_gb=2)


def test_nothing_costs_nothing():
    assert Use().costs() == {}
    assert Use().dollars == 0
