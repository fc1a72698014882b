"""A batch of a stream is retried, halved and given up as its mapping says."""

import pytest

from event_harness.aws.front.stream_batches import StreamBatches, failure_message

FUNCTION = {"config": {"FunctionArn": "arn:aws:lambda:eu-west-1:000000000000:function:orders"}}
STREAM = "arn:aws:kinesis:eu-west-1:000000000000:stream/orders"


def record(number, arrived=100.0):
    return {
        "eventSource": "aws:kinesis",
        "eventID": f"shardId-0:{number}",
        "kinesis": {"sequenceNumber": number, "approximateArrivalTimestamp": arrived, "data": number},
    }


def change(number):
    return {
        "eventSource": "aws:dynamodb",
        "dynamodb": {"SequenceNumber": number, "ApproximateCreationDateTime": 100},
    }


class Poller:
    """Delivers batches as MiniStack's poller does: one that failed comes again.

    Args:
        bad: numbers of records that make the function raise.
        answer: what the function returns for its records; by default nothing.
    """

    def __init__(self, bad=(), answer=lambda _numbers: None, now=lambda: 100.0, **mapping):
        self.bad, self.answer = set(bad), answer
        self.calls, self.given_up = [], []
        self.mapping = {"UUID": "m", "EventSourceArn": STREAM, **mapping}
        self.batches = StreamBatches(self.give_up, now)
        self.iterate = self.batches.noted(lambda: iter([("0", "eu-west-1", self.mapping)]))
        self.execute = self.batches.in_parts(self.function)

    def give_up(self, _mapping, _function, records, condition, attempts, _request):
        self.given_up.append(([number(one) for one in records], condition, attempts))

    def function(self, _function, event):
        numbers = [number(one) for one in event["Records"]]
        self.calls.append("".join(numbers))
        if self.bad & set(numbers):
            return {"error": True, "body": {"errorType": "ValueError"}}
        return {"body": self.answer(numbers)}

    def deliver(self, records):
        """Once; whether the batch is done with."""
        for _ in self.iterate():
            done = not self.execute(FUNCTION, {"Records": records}).get("error")
        return done


def number(one):
    return (one.get("kinesis") or {}).get("sequenceNumber") or one["dynamodb"]["SequenceNumber"]


def batch(numbers, make=record):
    return [make(one) for one in numbers]


@pytest.mark.parametrize("make", [record, change])
def test_batch_is_given_up_after_its_retries(make):
    poller = Poller(bad="b", MaximumRetryAttempts=2)
    assert [poller.deliver(batch("abc", make)) for _ in range(3)] == [False, False, True]
    assert poller.calls == ["abc"] * 3
    assert poller.given_up == [(["a", "b", "c"], "RetryAttemptsExhausted", 3)]


def test_batch_without_a_number_of_retries_is_tried_for_ever():
    poller = Poller(bad="b")
    assert not any(poller.deliver(batch("abc")) for _ in range(9))
    assert poller.given_up == []


def test_bad_record_is_found_by_halving_and_all_others_are_processed_once():
    poller = Poller(bad="c", MaximumRetryAttempts=0, BisectBatchOnFunctionError=True)
    assert poller.deliver(batch("abcd"))
    assert poller.calls == ["abcd", "ab", "cd", "c", "d"]
    assert poller.given_up == [(["c"], "RetryAttemptsExhausted", 1)]


def test_records_that_come_while_a_batch_is_retried_wait_for_it():
    poller = Poller(bad="b", MaximumRetryAttempts=1)
    assert not poller.deliver(batch("ab"))
    assert poller.deliver(batch("abcd"))
    assert poller.calls == ["ab", "ab", "cd"]


def test_partial_response_brings_back_what_follows_its_first_failure():
    poller = Poller(
        answer=lambda numbers: {"batchItemFailures": [{"itemIdentifier": "c"}]} if "c" in numbers else None,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        MaximumRetryAttempts=1,
    )
    assert [poller.deliver(batch("abcd")) for _ in range(2)] == [False, True]
    assert poller.calls == ["abcd", "cd"]
    assert poller.given_up == [(["c", "d"], "RetryAttemptsExhausted", 2)]


def test_partial_response_counts_only_if_the_mapping_asks_for_it():
    poller = Poller(answer=lambda _: {"batchItemFailures": [{"itemIdentifier": "a"}]})
    assert poller.deliver(batch("ab"))


@pytest.mark.parametrize("failures", [[{"itemIdentifier": "x"}], [{"itemIdentifier": None}], [{}], ["a"]])
def test_response_that_names_no_record_of_the_batch_fails_all_of_it(failures):
    poller = Poller(
        answer=lambda _: {"batchItemFailures": failures}, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    assert not poller.deliver(batch("ab"))
    assert not poller.deliver(batch("ab"))
    assert poller.calls == ["ab", "ab"]


def test_records_that_are_too_old_are_given_up():
    poller = Poller(bad="a", now=lambda: 161.0, MaximumRecordAgeInSeconds=60)
    assert poller.deliver(batch("a"))
    assert poller.given_up == [(["a"], "MaximumRecordAgeExceeded", 1)]


def test_refused_invocation_is_no_attempt():
    poller = Poller(MaximumRetryAttempts=0)
    poller.function = lambda *_: {"error": True, "throttle": True}
    poller.execute = poller.batches.in_parts(lambda *_: poller.function())
    assert not any(poller.deliver(batch("a")) for _ in range(3))
    assert poller.given_up == []


def test_function_that_a_poller_does_not_call_is_left_alone():
    poller = Poller(bad="a", MaximumRetryAttempts=0)
    assert poller.execute(FUNCTION, {"Records": batch("a")})["error"]
    assert poller.given_up == []


def test_message_of_a_failure_tells_the_position_of_its_records():
    message = failure_message(
        {"EventSourceArn": STREAM}, FUNCTION, batch("ab"), "RetryAttemptsExhausted", 3, "r"
    )
    assert message["requestContext"] == {
        "requestId": "r",
        "functionArn": FUNCTION["config"]["FunctionArn"],
        "condition": "RetryAttemptsExhausted",
        "approximateInvokeCount": 3,
    }
    assert message["KinesisBatchInfo"] == {
        "shardId": "shardId-0",
        "startSequenceNumber": "a",
        "endSequenceNumber": "b",
        "approximateArrivalOfFirstRecord": "1970-01-01T00:01:40.000Z",
        "approximateArrivalOfLastRecord": "1970-01-01T00:01:40.000Z",
        "batchSize": 2,
        "streamArn": STREAM,
    }
