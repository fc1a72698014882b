"""Customers: a table, its stream, Lambda, and a second table; the listener reads its stream."""

import json

import pytest

ADA = {"name": "Ada  Lovelace ", "email": "Ada@Example.com"}


def test_customer_is_projected_with_a_clean_address(producer, listener):
    sent = producer.send(ADA)
    change = listener.wait_for(sent).json()
    assert change["eventName"] == "INSERT"
    assert change["new_image"]["name"] == "Ada Lovelace"
    assert change["new_image"]["email"] == "ada@example.com"


def test_changes_of_a_customer_arrive_in_order(producer, listener):
    names = ["Ada Byron", "Ada King", "Ada Lovelace"]
    first = producer.send(ADA | {"name": names[0]})
    for name in names[1:]:
        producer.send(ADA | {"name": name}, correlation_id=first.correlation_id)
    changes = listener.wait_for(first, count=3)
    assert [change.json()["new_image"]["name"] for change in changes] == names


def test_deleted_customer_is_removed(producer, listener, deployment):
    sent = producer.send(ADA)
    customers = deployment.target.client("dynamodb")
    customers.delete_item(
        TableName=deployment.outputs["customers_table"], Key={"customer_id": {"S": sent.correlation_id}}
    )
    changes = listener.wait_for(sent, count=2)
    assert [change.json()["eventName"] for change in changes] == ["INSERT", "REMOVE"]


def test_customer_who_is_written_twice_unchanged_is_projected_once(producer, listener):
    sent = producer.send(ADA)
    listener.wait_for(sent)
    producer.send(ADA, correlation_id=sent.correlation_id)
    listener.expect_exactly(sent, 1, settle=3)


def test_old_change_that_is_delivered_again_changes_nothing(producer, listener, deployment):
    """A stream delivers at least once: an older change must not overwrite a newer one."""
    sent = producer.send(ADA)
    listener.wait_for(sent)
    image = {name: {"S": text} for name, text in (ADA | {"customer_id": sent.correlation_id}).items()}
    old = {
        "eventName": "INSERT",
        "dynamodb": {
            "Keys": {"customer_id": {"S": sent.correlation_id}},
            "NewImage": image | {"name": {"S": "Ada Byron"}},
            "SequenceNumber": "1",
        },
    }
    function = deployment.outputs["project_customer_function"]
    answer = deployment.target.client("lambda").invoke(
        FunctionName=function, Payload=json.dumps({"Records": [old]})
    )
    assert "FunctionError" not in answer
    assert listener.expect_exactly(sent, 1, settle=2)[0].json()["new_image"]["name"] == "Ada Lovelace"


@pytest.mark.parametrize("address", ["ada", "", 7, None])
def test_customer_without_an_address_reaches_the_failure_queue(address, producer, listener):
    sent = producer.send(ADA | {"email": address})
    failure = listener.wait_for_failure(sent)
    assert failure.error_message == "the customer has no e-mail address"
    assert failure.event["dynamodb"]["NewImage"]["name"] == {"S": ADA["name"]}


def test_bad_change_does_not_block_the_changes_after_it(producer, listener):
    bad = producer.send(ADA | {"email": "ada"})
    good = producer.send(ADA)
    listener.wait_for(good)
    assert listener.expect_none(bad, within=2).proof == "window"
