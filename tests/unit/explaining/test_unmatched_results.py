"""Results that nobody awaited: of another id, without an id, or of other inputs."""

import json
from dataclasses import replace

import pytest
from explained import REQUEST, explain, explainer, finding, told_of
from listener_fakes import MAP, World

from event_harness.producers import S3Producer


@pytest.fixture
def world():
    return World()


def test_a_result_under_an_id_that_differs_is_the_cause(world):
    sent = world.send()
    other = sent.correlation_id.replace("input.txt", "output.txt")
    world.table.record(other)
    report = told_of(world, lambda: world.listener.wait_for(sent, timeout=1))
    assert finding(report, "unmatched result").text == f"a result came under an id that differs: {other}"
    assert report.cause == f"destination: a result came under an id that differs: {other}"


def test_what_is_awaited_under_an_id_that_nobody_sent_is_the_cause(world):
    world.table.record("run/before the send", "HELLO")
    world.clock.sleep(10)
    sent = world.send()
    world.table.record("run/nobody's", "HELLO")
    world.table.record("run/nobody's either", "HELL")
    report = told_of(world, lambda: world.listener.wait_for(sent, timeout=1, until="HELLO"))
    assert report.cause == "destination: what is awaited came under an id that differs: run/nobody's"
    assert "before the send" not in report.full()


def test_the_nearest_of_the_unmatched_results_is_shown_beside_what_is_awaited(world):
    sent = world.send()
    world.table.record("run/far", "AN ALTOGETHER DIFFERENT ONE", event_id="far")
    world.table.record("run/nearest", "HELLO THERE", event_id="nearest")
    world.table.record("run/not text", b"\xff", event_id="bytes")
    report = told_of(world, lambda: world.listener.wait_for(sent, timeout=1, until="HELLO, THERE"))
    details = finding(report, "unmatched result").details
    assert "nearest, nearest, differs from line 1, column 6 on (expected 12 characters, got 11)" in details[3]
    assert details[4:] == ("- expected, + got:", "- HELLO, THERE", "+ HELLO THERE")


def test_a_predicate_is_not_asked_about_results_of_other_ids(world):
    sent = world.send()
    world.table.record("run/nobody's", "HELLO")
    asked = []
    told_of(world, lambda: world.listener.wait_for(sent, timeout=1, until=asked.append))
    assert asked == []


def test_results_without_a_correlation_id_are_shown_beside_what_is_awaited(world):
    sent = world.send()
    world.table.record(None, "HELLO")
    report = told_of(world, lambda: world.listener.wait_for(sent, timeout=1, until="HELLO"))
    details = finding(report, "uncorrelated").details
    assert "the content is what is awaited (destination:0)" in details
    assert 'its shape: "HELLO"' in details
    assert details[-1] == "looked for: the key (destination)"


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"correlation_error": "no key"}, "no key"),
        ({"record_error": "no list of records"}, "no list of records"),
        ({}, "none in the event"),
    ],
)
def test_why_a_result_has_no_correlation_id_is_part_of_the_cause(world, metadata, reason):
    sent = world.send()
    world.table.record(None, "HELLO", metadata=json.dumps(metadata))
    report = told_of(world, lambda: world.listener.wait_for(sent, timeout=1))
    assert report.cause == f"destination: 1 result came without a correlation id ({reason})"


def test_results_of_other_inputs_are_no_unmatched_results(world):
    sent, other = world.send(), world.send()
    by_other_means = world.producer.new_key()
    for key in (other.correlation_id, by_other_means):
        world.table.record(key, "HELLO")
    report = told_of(world, lambda: world.listener.wait_for(sent, timeout=1, until="HELLO"))
    assert not [item for item in report.findings if item.component == "unmatched result"]
    assert finding(report, "others").text == (
        f"2 results of other inputs since the send, one with the awaited content: {by_other_means}"
    )
    assert finding(report, "others").details[0] == f"{other.case_id}: 5 bytes from destination"


def test_what_the_system_puts_behind_another_inputs_id_is_that_inputs(world):
    sent, other = world.send(), world.send()
    world.table.record(other.correlation_id.replace("input.txt", "summary.txt"))
    of_no_bound = S3Producer(world.resources.component("source"), world.target, "run").send("unbound")
    world.table.record(of_no_bound.correlation_id)
    report = told_of(world, lambda: world.listener.wait_for(sent, timeout=1))
    assert not [item for item in report.findings if item.component == "unmatched result"]


def test_an_input_whose_id_only_begins_like_it_is_another(world):
    sent, other = (world.send(correlation_id=f"run/order-{number}") for number in (1, 10))
    line = {"level": "INFO", "message": "processing", "correlation_id": other.correlation_id}
    world.logs.invoked("/processor", REQUEST, line)
    world.logs.write("/processor", f"plain, of {other.correlation_id}")
    world.buckets.put_object(Bucket="destination-bucket", Key=other.correlation_id, Body=b"TEN")
    report = told_of(world, lambda: world.listener.wait_for(sent, timeout=1))
    assert finding(report, "destination").state == "not reached"
    assert report.cause.startswith("processor was not reached")


def test_inputs_under_ids_of_their_own_are_no_unmatched_results(world):
    sent, other = world.send(), world.send(correlation_id="order-2")
    by_other_means = replace(other, correlation_id="run/order-3")
    for one in (other, by_other_means):
        world.table.record(one.correlation_id)
        world.listener.wait_for(one)
    report = told_of(world, lambda: world.listener.wait_for(sent, timeout=1))
    assert not [item for item in report.findings if item.component == "unmatched result"]


def test_a_large_result_that_nobody_awaits_is_not_fetched(world):
    sent = world.send()
    world.table.record("run/nobody's", "HELLO", size=2**20 + 1)
    report = told_of(world, lambda: world.listener.wait_for(sent, timeout=1, until="HELLO"))
    assert finding(report, "unmatched result").text == "a result came under an id that differs: run/nobody's"


def with_error(world, text, reason="no text at 'order.id'"):
    at = {"type": "sqs", "correlation": {"from": "body", "at": "order.id"}}
    world.resources = type(world.resources).from_mapping(MAP | {"sources": {"confirmed": at}}, "the map")
    world.table.record(None, text, source="confirmed", metadata=json.dumps({"correlation_error": reason}))


def test_the_shape_of_an_event_without_an_id_is_shown_and_where_it_was_looked_for(world):
    sent = world.send()
    with_error(world, '{"order": {"number": "secret", "lines": []}}')
    report = explain(world, sent)
    details = finding(report, "uncorrelated").details
    assert "its shape: {order: {number: text of 6, lines: list of 0}}" in details
    assert details[-1] == "looked for: the JSON body, at 'order.id' (confirmed)"
    assert "secret" not in report.full()
    assert report.cause == "confirmed: 1 result came without a correlation id (no text at 'order.id')"


def test_values_are_shown_only_where_the_test_asks_for_contents(world):
    sent = world.send()
    with_error(world, '{"number": "value"}')
    report = explainer(world).explain(sent, contents=True)
    assert 'its shape: {number: "value"}' in finding(report, "uncorrelated").details


def test_the_envelope_of_sns_in_a_queue_is_recognised(world):
    sent = world.send()
    envelope = {"Type": "Notification", "TopicArn": "arn:aws:sns:r:1:t", "MessageId": "1", "Message": "{}"}
    with_error(world, json.dumps(envelope))
    report = explain(world, sent)
    assert "it is the envelope of SNS: set raw_message_delivery = true" in report.cause
    assert "it is the envelope of SNS" in finding(report, "uncorrelated").details[-1]


def test_the_body_of_a_large_event_without_an_id_is_not_fetched(world):
    sent = world.send()
    world.table.record(None, "HELLO", size=2**20 + 1)
    details = finding(explain(world, sent), "uncorrelated").details
    assert not [line for line in details if line.startswith("its shape")]
