"""A denied call is told by action, resource and role."""

from datetime import datetime

import pytest
from explained import Anything, explain, finding, processed, question
from listener_fakes import World, client_error

from event_harness.explaining.denied_calls import denied_calls
from event_harness.explaining.probes.components import ask
from event_harness.results.denied_call import denied_call
from event_harness.results.sent import Sent
from event_harness.system.resources import Component

USER = "User: arn:aws:sts::000000000000:assumed-role/confirm/orders is not authorized to perform: "
NOW = datetime(2026, 11, 26, 0, 42, 2).timestamp()
LINE = "2026-11-26 00:42:02 WARNING [event_harness] permission denied: "


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            "sqs:SendMessage on resource: arn:aws:sqs:r:1:q because no identity-based policy allows it",
            "the role confirm may not sqs:SendMessage on arn:aws:sqs:r:1:q (access denied)",
        ),
        (
            's3:PutObject on resource: "arn:aws:s3:::b/a" because no',
            "the role confirm may not s3:PutObject on arn:aws:s3:::b/a (access denied)",
        ),
        (
            's3:PutObject on resource: "arn:aws:s3:::b/a b+ü.txt" because no',
            "the role confirm may not s3:PutObject on arn:aws:s3:::b/a b+ü.txt (access denied)",
        ),
        (
            "s3:GetObject on resource: arn:aws:s3:::b/a b.txt because no identity-based policy",
            "the role confirm may not s3:GetObject on arn:aws:s3:::b/a b.txt (access denied)",
        ),
        (
            "sqs:SendMessage on resource: arn:aws:sqs:r:1:q",
            "the role confirm may not sqs:SendMessage on arn:aws:sqs:r:1:q (access denied)",
        ),
        (
            "s3:ListAllMyBuckets on resource: * because",
            "the role confirm may not s3:ListAllMyBuckets (access denied)",
        ),
        (
            "dynamodb:PutItem with an explicit deny",
            "the role confirm may not dynamodb:PutItem (access denied)",
        ),
    ],
)
def test_the_error_of_aws_names_the_call(said, expected):
    error = f"ClientError: An error occurred (AccessDenied) when calling the X operation: {USER}{said}"
    assert denied_call(error) == expected


def test_other_errors_tell_of_no_denied_call():
    assert denied_call("ValueError: the user is not authorized to perform: tricks") is None
    assert (
        denied_call("An error occurred (AccessDenied) when calling the PutObject operation: Access Denied")
        is None
    )


LOG = "\n".join(
    [
        f"{LINE}role confirm may not sqs:SendMessage on arn:q (function orders)",
        f"{LINE}role confirm may not sqs:SendMessage on arn:q (function orders)",
        f"{LINE}role confirm may not s3:GetObject on arn:b/a b.txt (function spaces)",
        f"{LINE}role other may not sqs:SendMessage on arn:q (function orders-2)",
    ]
)


def test_the_emulators_log_names_the_calls_of_a_function_since_the_send():
    assert denied_calls(LOG, "orders", NOW) == [
        "the role confirm may not sqs:SendMessage on arn:q (access denied)"
    ]
    assert denied_calls(LOG, "orders", NOW + 5) == []


def test_a_denied_call_is_the_cause_where_the_function_ran_for_the_input_and_nothing_else_is_known():
    world = World()
    sent = world.send()
    processed(world, sent, "working")
    log = f"2999-01-01 00:00:00 {LINE[20:]}role confirm may not sqs:SendMessage on arn:q (function processor)"
    assert explain(world, sent, emulator_log=lambda: log).cause == (
        "processor: a call was denied, perhaps for another input: "
        "the role confirm may not sqs:SendMessage on arn:q (access denied)"
    )


def test_a_denied_call_whose_resource_names_the_input_is_its_own():
    world = World()
    sent = world.send()
    processed(world, sent, "working")
    call = f"s3:PutObject on arn:aws:s3:::out/{sent.correlation_id}"
    log = f"2999-01-01 00:00:00 {LINE[20:]}role confirm may not {call} (function processor)"
    assert explain(world, sent, emulator_log=lambda: log).cause == (
        f"processor: the role confirm may not {call} (access denied)"
    )


def test_each_denied_call_is_told_where_the_function_failed_by_one_of_them():
    world = World()
    sent = world.send()
    send = f"{USER.replace('orders is', 'processor is')}sqs:SendMessage on resource: arn:q"
    error = {"level": "ERROR", "message": f"ClientError: {send}", "correlation_id": sent.correlation_id}
    processed(world, sent, "working", error)
    stamp = f"2999-01-01 00:00:00 {LINE[20:]}role confirm may not"
    calls = ("s3:GetObject on arn:b/a", "sqs:SendMessage on arn:q")
    log = "\n".join(f"{stamp} {call} (function processor)" for call in calls)
    report = explain(world, sent, emulator_log=lambda: log)
    assert (
        report.cause == "processor failed: the role confirm may not sqs:SendMessage on arn:q (access denied)"
    )
    told = [one for one in finding(report, "processor").details if one.startswith("denied")]
    assert told == ["denied since the send: the role confirm may not s3:GetObject on arn:b/a (access denied)"]


FUNCTION = Component("orders", "lambda", function="orders", log_group="/orders")


def test_a_denied_call_that_the_function_swallowed_is_a_cause_but_not_a_certain_one():
    world = World()
    world.target.clients["logs"] = Anything(filter_log_events=client_error("ResourceNotFoundException"))
    asked = question(world, Sent("run/1", "orders", NOW, "somewhere", 1), platform_log=lambda: LOG)
    found = ask(asked, FUNCTION).finding
    assert found.cause == (
        "orders: a call was denied, perhaps for another input: "
        "the role confirm may not sqs:SendMessage on arn:q (access denied)"
    )
    assert not found.certain
    assert found.details[-1].startswith("denied since the send: the role confirm may not")
