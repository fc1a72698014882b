"""Inputs whose processing fails, as docs/failures.md defines it.

No input is lost: it ends as output, or whole in a failure queue.
"""

import socket

import pytest

from event_harness.results.redrive import redrive


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({"detail": {}}, "no list Records"),
        ({"Records": "none"}, "no list Records"),
        ({"Records": ["text"]}, "record has no text in eventName"),
        ({"Records": [{"eventName": "ObjectCreated:Put", "s3": {}}]}, "no text in s3.bucket.name"),
        ({"Records": [{"eventName": "ObjectRemoved:Delete"}]}, "only ObjectCreated"),
    ],
    ids=["no records", "records that are text", "record that is text", "record without bucket", "deletion"],
)
def test_event_that_names_no_new_object_ends_whole_in_the_failure_queue(breakable, event, error):
    sent, _ = breakable.put(b"")
    event = event | {"marker": sent.correlation_id}
    with breakable.broken():
        breakable.invoke(event)
        failure = breakable.listener.wait_for_failure(sent)
    assert error in failure.error_message
    assert failure.event == event


def test_function_that_is_too_slow_ends_in_the_failure_queue(breakable):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and never answers
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with breakable.broken(timeout=1, AWS_ENDPOINT_URL=endpoint):
            sent = breakable.producer.send("slow")
            failure = breakable.listener.wait_for_failure(sent)
    assert "timed out" in failure.error_message.lower()
    assert breakable.outputs(sent) is None


def test_function_that_can_not_even_start_ends_in_the_failure_queue(breakable):
    with breakable.broken(DESTINATION_BUCKET=None):
        sent = breakable.producer.send("never started")
        failure = breakable.listener.wait_for_failure(sent)
    assert "DESTINATION_BUCKET" in failure.error_message


def test_function_that_is_denied_access_ends_in_the_failure_queue(breakable, injected):
    denied = {"code": "AccessDenied", "status": 403, "message": "not authorized to perform: s3:PutObject"}
    injected.inject({"service": "s3", "operation": "PutObject", "error": denied})
    with breakable.broken(AWS_ENDPOINT_URL=injected.url):
        sent = breakable.producer.send("denied")
        failure = breakable.listener.wait_for_failure(sent)
    assert "AccessDenied" in failure.error_message
    assert "s3:PutObject" in failure.error_message


def test_input_outlives_the_destination_bucket_and_comes_out_once_that_is_back(breakable):
    s3, bucket = breakable.s3, breakable.destination.bucket
    notification = s3.get_bucket_notification_configuration(Bucket=bucket)
    for found in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        s3.delete_object(Bucket=bucket, Key=found["Key"])
    with breakable.broken():
        s3.delete_bucket(Bucket=bucket)
        try:
            sent = breakable.producer.send("patient")
            failure = breakable.listener.wait_for_failure(sent)
        finally:
            s3.create_bucket(
                Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": breakable.target.region}
            )
            s3.put_bucket_notification_configuration(
                Bucket=bucket,
                NotificationConfiguration={
                    "LambdaFunctionConfigurations": notification["LambdaFunctionConfigurations"]
                },
            )
    assert "NoSuchBucket" in failure.error_message or "Not Found" in failure.error_message
    assert redrive(breakable.system.resources, breakable.target, say=lambda _line: None) == 0
    assert breakable.listener.wait_for(sent).text == "PATIENT"


def test_duplicate_event_is_processed_once(breakable):
    sent, etag = breakable.put(b"once")
    event = {"Records": [breakable.record(sent, etag, "00A1")]}
    for _ in range(3):
        breakable.invoke(event)
    assert [r.text for r in breakable.listener.expect_exactly(sent, 1, settle=2)] == ["ONCE"]


def test_two_records_of_the_same_version_are_processed_once(breakable):
    sent, etag = breakable.put(b"once")
    record = breakable.record(sent, etag, "00A1")
    breakable.invoke({"Records": [record, record]})
    assert [r.text for r in breakable.listener.expect_exactly(sent, 1, settle=2)] == ["ONCE"]


def test_older_event_that_comes_late_does_not_overwrite_the_newer_one(breakable):
    sent, _ = breakable.put(b"old")
    _, new = breakable.put(b"new", key=sent.correlation_id)
    breakable.invoke({"Records": [breakable.record(sent, new, "00A2")]})
    assert breakable.listener.wait_for(sent).text == "NEW"
    breakable.invoke({"Records": [breakable.record(sent, "0" * 32, "00A1")]})
    breakable.listener.expect_exactly(sent, 1, settle=2)
    assert breakable.outputs(sent) == "NEW"
    assert breakable.failed() == 0


def test_redelivery_after_a_partial_failure_does_not_process_the_good_records_again(breakable):
    (good, good_etag), (bad, bad_etag) = breakable.put(b"good"), breakable.put(b"\xff")
    event = {"Records": [breakable.record(bad, bad_etag, "00A1"), breakable.record(good, good_etag, "00A2")]}
    with breakable.broken(retries=2):
        breakable.invoke(event)
        failure = breakable.listener.wait_for_failure(bad)
    assert breakable.attempts(bad) == 3
    assert failure.event == event
    assert "1 of 2 records failed" in failure.error_message
    assert [r.text for r in breakable.listener.expect_exactly(good, 1, settle=1)] == ["GOOD"]


def test_event_of_an_object_that_was_deleted_meanwhile_ends_in_the_failure_queue(breakable):
    sent, etag = breakable.put(b"short-lived")
    breakable.s3.delete_object(Bucket=breakable.source.bucket, Key=sent.correlation_id)
    with breakable.broken():
        breakable.invoke({"Records": [breakable.record(sent, etag, "00A1")]})
        failure = breakable.listener.wait_for_failure(sent)
    assert "SourceDeletedError" in failure.error_message
    assert etag in failure.error_message


def test_object_overwritten_before_it_was_read_comes_out_as_its_newest_version(breakable):
    sent, old = breakable.put(b"first version")
    _, new = breakable.put(b"second version", key=sent.correlation_id)
    with breakable.broken():
        breakable.invoke({"Records": [breakable.record(sent, old, "00A1")]})
        failure = breakable.listener.wait_for_failure(sent)
    assert "SourceOverwrittenError" in failure.error_message
    assert breakable.outputs(sent) is None
    breakable.invoke({"Records": [breakable.record(sent, new, "00A2")]})
    assert breakable.listener.wait_for(sent, fail_early=False).text == "SECOND VERSION"
    # Replayed, the older event finds a newer output and leaves it alone.
    assert redrive(breakable.system.resources, breakable.target, say=lambda _line: None) == 0
    breakable.listener.expect_exactly(sent, 1, settle=2)
    assert breakable.outputs(sent) == "SECOND VERSION"
    assert breakable.failed() == 0
