"""The explanation of a timeout, for each fault between an input and its result."""

import threading
from dataclasses import replace

import pytest
from explained import REQUEST, explain, explainer, finding, processed, written
from listener_fakes import MAP, World, client_error, envelope, s3_event

from event_harness.errors import WaitTimeoutError
from event_harness.explaining.diagnosis import Explainer
from event_harness.explaining.given_up import given_up


@pytest.fixture
def world():
    return World()


def test_every_component_is_asked_in_the_order_of_the_way(world):
    report = explain(world, world.send())
    assert [item.component for item in report.findings] == [
        "source",
        "processor",
        "destination",
        "event_listener",
        "failure queues",
        "uncorrelated",
        "results",
    ]


def test_an_input_that_was_deleted_is_the_cause(world):
    sent = world.send()
    world.buckets.objects["source-bucket"].clear()
    report = explain(world, sent)
    assert finding(report, "source").state == "failed"
    assert report.cause == "source: the input was deleted from it"


def test_a_bucket_that_is_gone_is_the_cause(world):
    sent = world.send()
    world.buckets.head_object = lambda **_: (_ for _ in ()).throw(client_error("NoSuchBucket", status=404))
    assert explain(world, sent).cause == "source: source-bucket isn't there; was it destroyed?"


def test_an_output_under_another_prefix_is_found_where_the_source_says(world):
    at = replace(world.resources.sources["destination"], at="out/*.json")
    world.resources = replace(world.resources, sources={"destination": at})
    sent = world.send()
    processed(world, sent, "processing")
    missed = finding(explain(world, sent), "destination")
    assert missed.state == "not reached"
    assert missed.text == "no object of this id (looked for keys that begin with out/<id>)"
    world.buckets.put_object(
        Bucket="destination-bucket", Key=f"out/{sent.correlation_id}.json", Body=b"HELLO"
    )
    assert finding(explain(world, sent), "destination").text == (
        f"the output is there: out/{sent.correlation_id}.json, 5 bytes"
    )


def test_a_function_that_was_not_invoked_is_the_cause(world):
    report = explain(world, world.send())
    assert finding(report, "source").text == "the input is there, 5 bytes"
    assert finding(report, "processor").state == "not reached"
    assert report.cause == (
        "processor was not reached: not invoked since the send, though the notification of source leads to it"
        "; source saw it last"
    )


def test_a_function_that_was_invoked_for_others_only_is_the_cause(world):
    other, sent = world.send(), world.send(name="no-suffix")
    processed(world, other, "processing")
    report = explain(world, sent)
    assert "for other inputs only" in finding(report, "processor").text
    assert report.cause.startswith(
        "processor was not reached: ran 1 time since the send, for other inputs only"
    )


def test_a_function_that_raised_is_the_cause_with_its_request(world):
    sent = world.send()
    processed(world, sent, "processing", "[ERROR] ValueError: no")
    world.logs.groups["/processor"][2]["message"] = "[ERROR] ValueError: no"
    report = explain(world, sent)
    assert report.cause == "processor failed: ValueError: no"
    assert any(REQUEST in line for line in finding(report, "processor").details)


def test_a_function_that_cannot_start_is_the_cause(world):
    sent = world.send()
    world.logs.write("/processor", "[ERROR] Runtime.ImportModuleError: Unable to import module 'app'")
    report = explain(world, sent)
    assert report.cause == "processor can't start: Runtime.ImportModuleError: Unable to import module 'app'"
    assert [item.state for item in report.findings[:4]] == ["ok", "failed", "not reached", "not reached"]


def test_errors_that_may_be_another_inputs_are_told_as_that(world):
    sent = world.send()
    world.logs.invoked("/processor", REQUEST, "[ERROR] ValueError: no", stream="one")
    world.logs.invoked("/processor", "2" + REQUEST[1:], stream="two")
    report = explain(world, sent)
    assert finding(report, "processor").state == "unknown"
    assert report.cause == "processor logged an error, perhaps of another input: ValueError: no"


def test_errors_of_requests_that_ended_in_a_failure_queue_for_another_input_are_not_the_cause(world):
    sent = world.send()
    world.logs.invoked("/processor", REQUEST, "[ERROR] ValueError: no")
    world.queues.put("queue/processor", envelope(s3_event("run/other")), sent_ms=1_000_500)
    world.listener.failures.look()
    report = explain(world, sent)
    assert "ValueError" not in report.cause
    assert report.cause.startswith("processor was not reached")


def test_a_function_that_wrote_nothing_is_the_cause_with_its_last_line():
    way = [MAP["components"][0], MAP["components"][1]]
    world = World(resources=MAP | {"components": way})
    sent = world.send()
    processed(world, sent, f"{sent.correlation_id} is empty")
    cause = explain(world, sent).cause
    assert cause.startswith(
        "processor ran without an error, but nothing of it came to event_listener; its last line:"
    )
    assert "is empty" in cause
    world.logs.write("/listener", "[ERROR] Runtime.ImportModuleError: no")
    assert explain(world, sent).cause == "event_listener can't start: Runtime.ImportModuleError: no"


def test_an_explanation_on_this_machine_looks_no_further_back_than_the_send(world):
    world.target.skew = 0.0
    sent = world.send()
    world.logs.write("/processor", "[ERROR] KeyError: just before", at=sent.sent_at - 0.5)
    assert "just before" not in explain(world, sent).cause


def test_results_are_counted_by_source_where_there_are_several():
    two = MAP["sources"] | {"ledger": {"type": "dynamodb", "correlation": {"from": "key", "at": None}}}
    world = World(resources=MAP | {"sources": two})
    sent = world.send()
    world.table.record(sent.correlation_id, source="ledger")
    world.listener.results()
    assert finding(explain(world, sent), "results").text == "1 of this input (destination 0, ledger 1)"


def test_a_function_that_is_silent_may_be_why_nothing_follows(world):
    sent = world.send()
    world.logs.invoked("/processor", REQUEST)
    assert explain(world, sent).cause == (
        "processor: ran 1 time since the send without an error, no line names an input;"
        " nothing of this input came to destination"
    )


def test_a_function_that_is_silent_did_its_part_if_the_output_is_there(world):
    sent = world.send()
    world.logs.invoked("/processor", REQUEST)
    written(world, sent)
    report = explain(world, sent)
    assert finding(report, "processor").state == "ok"
    assert report.cause.startswith("event_listener was not reached")


def test_an_input_that_was_cleared_away_after_it_was_processed_is_not_the_cause(world):
    sent = world.send()
    world.buckets.objects["source-bucket"].clear()
    processed(world, sent, "written")
    written(world, sent)
    assert explain(world, sent).cause.startswith("event_listener was not reached")


def test_an_error_from_before_the_send_is_not_the_cause_but_clocks_may_differ(world):
    sent = world.send()
    world.logs.write("/processor", "[ERROR] KeyError: long ago", at=sent.sent_at - 4)
    assert "long ago" not in explain(world, sent).cause
    world.logs.write("/processor", "[ERROR] KeyError: now", at=sent.sent_at - 2)
    assert "KeyError: now" in explain(world, sent).cause


def test_a_function_that_wrote_nothing_is_followed_by_a_component_without_output(world):
    sent = world.send()
    processed(world, sent, "processing")
    report = explain(world, sent)
    assert finding(report, "processor").state == "ok"
    assert finding(report, "destination").state == "not reached"
    assert report.cause.startswith(
        "processor ran without an error, but nothing of it came to destination; its last line: 00:16:40"
    )


def test_a_listener_that_was_not_invoked_is_the_cause(world):
    sent = world.send()
    processed(world, sent, "written")
    written(world, sent)
    report = explain(world, sent)
    assert finding(report, "destination").state == "ok"
    assert report.cause.startswith("event_listener was not reached")


def test_a_listener_that_raised_is_the_cause(world):
    sent = world.send()
    processed(world, sent, "written")
    written(world, sent)
    error = {
        "level": "ERROR",
        "message": "not recorded",
        "correlation_id": sent.correlation_id,
        "error": "AccessDenied",
    }
    processed(world, sent, error, group="/listener")
    assert explain(world, sent).cause == "event_listener failed: not recorded: AccessDenied"


def test_a_listener_that_recorded_it_under_another_id_is_the_cause(world):
    sent = world.send()
    processed(world, sent, "written")
    written(world, sent)
    other = {"level": "INFO", "message": "recorded", "correlation_id": f"out/{sent.correlation_id}"}
    processed(world, sent, other, group="/listener")
    assert explain(world, sent).cause == (
        f"event_listener has it under another correlation id: out/{sent.correlation_id}"
    )


def test_a_message_in_a_failure_queue_is_the_cause_before_all_others(world):
    sent = world.send()
    world.queues.put("queue/processor", envelope(s3_event(sent.correlation_id)))
    report = explain(world, sent)
    assert report.cause.startswith("processor failed after 3 attempts: NotUtf8Error: not UTF-8")
    assert finding(report, "failure queues").text == "1 message of this input in queue/processor"
    assert '"key": "run/' in report.full()


def test_what_the_emulator_tells_to_be_given_up_lies_in_no_queue(world, tmp_path):
    sent = world.send()
    log = tmp_path / "emulator.log"
    log.write_text(
        f"2999-01-01 00:00:00 INFO [x] event given up by p after 3 attempts for {sent.correlation_id}\n"
    )
    world.listener.failures._given_up = given_up(log, {"p": "processor"})
    report = explain(world, sent)
    assert report.cause == "processor failed after 3 attempts: no error given (RetriesExhausted)"
    assert finding(report, "failure queues").text == "no message of this input, 0 of others since the send"
    assert report.appendix == ()


def test_failures_of_other_inputs_are_told_but_are_not_the_cause(world):
    sent = world.send()
    world.queues.put("queue/processor", envelope(s3_event("run/other")), sent_ms=1_000_500)
    report = explain(world, sent)
    assert finding(report, "failure queues").text == "no message of this input, 1 of others since the send"
    assert "NotUtf8Error" not in report.cause


def test_results_without_a_correlation_id_are_listed_and_named_as_the_cause(world):
    sent = world.send()
    processed(world, sent, "written")
    written(world, sent)
    world.logs.invoked("/listener", REQUEST, {"level": "INFO", "message": "recorded"})
    world.table.record(None, metadata='{"correlation_error": "order.id is not in the body"}')
    report = explain(world, sent)
    assert "order.id is not in the body" in finding(report, "uncorrelated").text
    assert report.cause == (
        "destination: 1 result came without a correlation id (order.id is not in the body)"
    )


def test_results_without_a_correlation_id_from_before_the_send_are_not_told(world):
    world.table.record(None)
    world.clock.sleep(10)
    assert finding(explain(world, world.send()), "uncorrelated").cause is None


def test_everything_well_but_slow_says_so(world):
    sent = world.send()
    processed(world, sent, "written")
    written(world, sent)
    processed(world, sent, "recorded", group="/listener")
    assert explain(world, sent).cause == (
        "event_listener, the last component, has seen it; no fault is known; the result may need longer"
    )


def test_what_may_not_be_asked_is_not_known_and_hides_nothing_else(world):
    sent = world.send()
    world.logs.error = client_error("AccessDeniedException", "no logs:FilterLogEvents")
    report = explain(world, sent)
    assert finding(report, "processor").text == "not known: AccessDeniedException: no logs:FilterLogEvents"
    assert finding(report, "source").state == "ok"


def test_what_does_not_answer_in_time_is_not_known_and_does_not_hold_up_the_rest(world):
    sent = world.send()
    forever = threading.Event()
    world.logs.filter_log_events = lambda **_: forever.wait(60)
    for budget in (0.05, 1, 20):  # a slow machine needs longer for the rest
        report = explainer(world, budget=budget).explain(sent)
        if finding(report, "source").state == "ok":
            break
    forever.set()
    assert finding(report, "processor").text == f"not known: no answer within {budget:g} s"
    assert finding(report, "source").state == "ok"


def test_an_explanation_that_breaks_never_hides_the_timeout(world, monkeypatch):
    monkeypatch.setattr(Explainer, "_explain", lambda *_: 1 / 0)
    with pytest.raises(WaitTimeoutError, match="no result for s3://") as caught:
        world.listener.wait_for(world.send(), timeout=1)
    assert "the explanation itself failed (ZeroDivisionError" in str(caught.value)


def test_a_table_that_cannot_be_read_meanwhile_is_not_known(world):
    sent = world.send()
    world.table.gone = True
    assert "not known" in finding(explain(world, sent), "uncorrelated").text


BODIES = MAP | {"sources": {"orders": {"type": "s3", "correlation": {"from": "body", "at": "id"}}}}


def test_keys_that_need_not_carry_the_id_are_looked_through():
    world = World(resources=BODIES)
    sent = world.send()
    processed(world, sent, "written")
    found = finding(explain(world, sent), "destination")
    assert found.state == "unknown"
    assert found.text == "not known: none of its keys carries the id, and they needn't"


def test_object_whose_key_carries_the_id_is_there_whatever_the_settings_say():
    world = World(resources=BODIES)
    sent = world.send()
    world.buckets.put_object(Bucket="destination-bucket", Key=f"done/{sent.correlation_id}", Body=b"{}")
    found = finding(explain(world, sent), "destination")
    assert found.state == "ok"
    assert found.text == f"an object of this id is there: done/{sent.correlation_id}, 2 bytes"
