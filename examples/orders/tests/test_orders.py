"""Orders: SNS -> SQS -> Lambda -> EventBridge."""

import pytest

from event_harness.producers import SnsProducer


def order(*lines):
    return {"lines": [{"sku": sku, "quantity": quantity, "price": price} for sku, quantity, price in lines]}


def test_order_is_confirmed_with_its_total(producer, listener):
    sent = producer.send(order(("tea", 2, "4.50"), ("pot", 1, "19.90")))
    confirmed = listener.wait_for(sent)
    assert confirmed.metadata["detail-type"] == "order confirmed"
    assert confirmed.json() == {"order_id": sent.correlation_id, "lines": 2, "total": "28.90"}


def test_order_that_is_sent_twice_is_confirmed_once(producer, listener):
    sent = producer.send(order(("tea", 1, "4.50")))
    listener.wait_for(sent)
    producer.send(order(("tea", 1, "4.50")), correlation_id=sent.correlation_id)
    listener.expect_exactly(sent, 1, settle=3)


def test_every_order_of_a_rush_is_confirmed(producer, listener):
    rush = producer.send_many(order(("tea", quantity, "1.00")) for quantity in range(1, 13))
    collected = listener.collect(rush)
    assert not collected.missing, collected
    assert len({result.json()["total"] for results in collected.arrived.values() for result in results}) == 12


@pytest.mark.parametrize("message", ["tea, please", "{", '{"lines": []'])
def test_message_that_is_not_json_becomes_a_dead_letter_whole(message, listener):
    sent = SnsProducer.on(listener, "placed").send(message)
    failure = listener.wait_for_failure(sent)
    assert failure.error_type == "MalformedOrderError"
    assert failure.event == message


def test_order_without_a_quantity_is_refused_and_says_why(producer, listener):
    failure = listener.wait_for_failure(producer.send(order(("tea", 0, "4.50"))))
    assert failure.error_message == "line tea has no quantity or price to charge"


def test_order_id_used_again_for_other_goods_is_refused(producer, listener):
    first = producer.send(order(("tea", 1, "4.50")))
    listener.wait_for(first)
    other = producer.send(order(("gold", 1, "4.50")), correlation_id=first.correlation_id)
    assert listener.wait_for_failure(other).error_type == "IdempotencyValidationError"
    listener.expect_exactly(first, 1, settle=2)
