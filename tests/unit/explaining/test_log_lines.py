"""One line of a log: what it says, of which request, and whether it is an error."""

import json

import pytest

from event_harness.explaining.log_lines import parsed, why_not_started

R1, R2 = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"


def lines(*messages, stream="stream"):
    events = [
        {"timestamp": number, "message": message, "logStreamName": stream}
        for number, message in enumerate(messages)
    ]
    return parsed(events)


def test_a_line_without_an_id_is_of_the_request_that_its_stream_works_on():
    found = lines(f"START RequestId: {R1} Version: 1", "one", f"END RequestId: {R1}")
    assert [line.request_id for line in found] == [R1] * 3
    assert [(line.starts, line.ends) for line in found] == [(True, False), (False, False), (False, True)]


PLACE = '  File "/var/task/app.py", line 14, in handler'


def test_the_place_of_an_error_is_that_of_its_traceback():
    at_once = f"[ERROR] KeyError: 'a'\rTraceback (most recent call last):\r{PLACE}\r    event['a']"
    by_line = ("Traceback (most recent call last):", PLACE, "    event['a']", "KeyError: 'a'", "after it")
    assert [line.raised_at for line in lines(at_once, "after it")] == ["app.py:14", None]
    assert [line.raised_at for line in lines(*by_line)][3:] == ["app.py:14", None]
    logged = {"level": "ERROR", "message": "no", "exception": f"Traceback (most…):\n{PLACE}\nKeyError: 'a'"}
    raised = {"errorType": "KeyError", "errorMessage": "'a'", "stackTrace": [PLACE]}
    assert [line.raised_at for line in lines(json.dumps(logged), json.dumps(raised))] == ["app.py:14"] * 2


def test_the_place_of_an_error_is_never_in_the_runtime():
    emulated = "/p/.event-harness/deployments/d1/aws/tmp/ministack-lambda-orders-x1"
    ours = f'  File "{emulated}/code/_worker.py", line 14, in handler'
    raised_by = f'  File "{emulated}/_worker.py", line 42, in _no_debugger'
    raised = {"errorType": "RuntimeError", "errorMessage": "no", "stackTrace": [ours, raised_by]}
    assert [line.raised_at for line in lines(json.dumps(raised))] == ["_worker.py:14"]


def test_lines_of_two_streams_that_come_in_turn_are_told_apart():
    events = [
        {"timestamp": 1, "message": f"START RequestId: {R1}", "logStreamName": "a"},
        {"timestamp": 2, "message": f"START RequestId: {R2}", "logStreamName": "b"},
        {"timestamp": 3, "message": "of the first", "logStreamName": "a"},
        {"timestamp": 4, "message": "of the second", "logStreamName": "b"},
    ]
    assert [line.request_id for line in parsed(events)] == [R1, R2, R1, R2]


def test_lines_are_sorted_by_their_time():
    events = [{"timestamp": 2, "message": "later"}, {"timestamp": 1, "message": "earlier"}]
    assert [line.text for line in parsed(events)] == ["earlier", "later"]


@pytest.mark.parametrize(
    "message",
    [
        f"RequestId: {R2} Error: out",
        f"2026-11-22T10:00:00Z {R2} Task timed out after 3.00 seconds",
        f"[ERROR]\t2026-11-22T10:00:00Z\t{R2}\tno amount",
        f'{{"message": "x", "function_request_id": "{R2}"}}',
        f'{{"type": "platform.report", "record": {{"requestId": "{R2}"}}}}',
    ],
)
def test_a_line_that_names_its_request_is_of_that(message):
    assert lines(f"START RequestId: {R1}", message)[1].request_id == R2


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("KeyError: 'amount'", True),
        ("app.NoNumber: none", False),
        ("app.NoNumberError: none", True),
        ("[ERROR] anything", True),
        ("[CRITICAL] anything", True),
        ("[WARNING] an Error: was handled", False),
        ("Task timed out after 3.00 seconds", True),
        ("RequestId: x Error: Runtime exited with error: signal: killed", True),
        (f"REPORT RequestId: {R1} Duration: 3 ms Status: timeout", True),
        (f"REPORT RequestId: {R1} Duration: 3 ms", False),
        ("no error at all", False),
        ("Worker process died", True),
        ("Worker returned no response", True),
        ("Worker 7 has begun", False),
        ('{"level": "ERROR", "message": "x"}', True),
        ('{"level": "info", "message": "x"}', False),
        ('{"level": "INFO", "message": "x", "errorType": "KeyError"}', True),
        ('{"type": "platform.runtimeDone", "record": {"status": "success"}}', False),
        ('{"type": "platform.runtimeDone", "record": {"status": "error", "errorType": "KeyError"}}', True),
    ],
)
def test_a_line_is_an_error_if_it_says_so(message, error):
    assert lines(message)[0].is_error == error


def test_a_correlation_id_is_read_from_its_own_field_only():
    found = lines('{"message": "x", "correlation_id": "s/1"}', '{"message": "s/1"}', "s/1")
    assert [line.correlation_id for line in found] == ["s/1", None, None]


def test_a_message_of_several_lines_is_told_on_one():
    assert lines("one\ntwo")[0].text == "one | two"


def test_of_what_the_platform_says_of_a_start_that_fails_the_most_telling_line_is_told():
    found = why_not_started(
        lines(
            "INIT_REPORT Init Duration: 9 ms Phase: init Status: error",
            "[ERROR] Runtime.ImportModuleError: Unable to import module 'app': No module named 'x'",
            "RequestId: y Error: Runtime exited with error: exit status 1 Runtime.ExitError",
        )
    )
    assert found is not None
    assert found.told_error == "Runtime.ImportModuleError: Unable to import module 'app': No module named 'x'"
    assert why_not_started(lines("all is well")) is None


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (f"[INFO]\t2026-11-22T10:00:00.123Z\t{R1}\ttaking in s/1", "[INFO] taking in s/1"),
        (f"2026-11-22T10:00:00.123Z\t{R1}\tWARN\tlow", "[WARN] low"),
        (
            f"[ERROR]\t2026-11-22T10:00:00.123Z\t{R1}\tfailed\nTraceback (most recent call last):\n  File",
            "[ERROR] failed",
        ),
        ("[INFO] my own format", "[INFO] my own format"),
    ],
)
def test_time_and_request_of_a_loggers_line_do_not_stand_before_what_it_says(message, text):
    (line,) = lines(message)
    assert line.text == text
    assert line.request_id == (R1 if R1 in message else None)


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (
            "Unknown parameter: 'x'",
            "ParamValidationError: Parameter validation failed: Unknown parameter: 'x'",
        ),
        (f"END RequestId: {R1}", "ParamValidationError: Parameter validation failed:"),
    ],
)
def test_message_of_several_lines_is_told_whole_where_a_traceback_comes_line_by_line(after, told):
    found = lines(
        f"START RequestId: {R1} Version: 1",
        "Traceback (most recent call last):",
        PLACE,
        "botocore.exceptions.ParamValidationError: Parameter validation failed:",
        after,
        "a line that says more",
    )
    assert [line.told_error for line in found if line.is_error] == [told]
