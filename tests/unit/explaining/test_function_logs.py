import pytest
from listener_fakes import Logs

from event_harness.errors import HarnessError
from event_harness.explaining.function_logs import Patience, read_log, view
from event_harness.explaining.log_lines import told

MINE, OTHER = "run/01MINE/input.txt", "run/01OTHER/input.txt"
R1, R2 = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"


def said(message, correlation_id=None, level="INFO", request_id=R1, **more):
    line = {"level": level, "message": message, "function_request_id": request_id} | more
    return line | ({"correlation_id": correlation_id} if correlation_id else {})


@pytest.fixture
def logs():
    return Logs()


def read(logs, since=990.0, correlation_id=MINE):
    return read_log(logs, "/fn", since, correlation_id)


def test_a_log_without_lines_says_nothing(logs):
    found = read(logs)
    assert (found.invocations, found.mine, found.errors, found.elsewhere) == (0, [], [], None)


def test_lines_of_this_input_are_told_from_others(logs):
    logs.invoked("/fn", R1, said("processing", MINE), said("written", MINE))
    logs.invoked("/fn", R2, said("processing", OTHER, request_id=R2))
    found = read(logs)
    assert [line.text for line in found.mine] == ["INFO processing", "INFO written"]
    assert found.mine[0].request_id == R1
    assert (found.invocations, found.for_others) == (2, 1)


def test_lines_before_the_send_are_not_read(logs):
    logs.invoked("/fn", R1, said("processing", MINE), at=980)
    assert read(logs).mine == []


def test_a_log_of_many_pages_is_read(logs):
    for _ in range(6):
        logs.write("/fn", "noise")
    logs.write("/fn", said("written", MINE))
    assert len(read(logs).mine) == 1


def test_empty_pages_on_the_way_are_gone_through(logs):
    logs.write("/fn", said("written", MINE))
    whole, pages = logs.filter_log_events, iter(range(8))

    def filter_log_events(nextToken=None, **more):  # noqa: N803
        empty = next(pages, None)
        return whole(**more) if empty is None else {"events": [], "nextToken": f"empty {empty}"}

    logs.filter_log_events = filter_log_events
    assert len(read(logs).mine) == 1


def test_reading_ends_with_the_time_of_the_explanation_and_what_came_counts(logs):
    logs.write("/fn", said("written", MINE))
    for _ in range(100):
        logs.write("/fn", "noise")
    asked, whole = [], logs.filter_log_events
    logs.filter_log_events = lambda **more: asked.append(1) or whole(**more)
    found = read_log(logs, "/fn", 990.0, MINE, deadline=0.0)
    assert [line.text for line in found.mine] == ["INFO written"]
    assert len(asked) == 1


def test_a_log_that_is_too_long_to_be_read_says_nothing_rather_than_something_wrong(logs):
    for _ in range(300):
        logs.write("/fn", "noise")
    with pytest.raises(HarnessError, match="too many lines since the send"):
        read(logs)
    logs.groups["/fn"].insert(0, logs.groups["/fn"].pop())
    logs.write("/fn", said("never read", MINE))
    logs.groups["/fn"].insert(0, {"timestamp": 1_000_000, "message": MINE, "logStreamName": "stream"})
    assert [line.text for line in read(logs).mine] == [MINE]


def test_an_error_of_the_same_request_is_of_this_input_even_if_it_names_none(logs):
    logs.invoked(
        "/fn", R1, said("processing", MINE), "2026-11-22T10:00:00Z Task timed out after 3.00 seconds"
    )
    found = read(logs)
    assert found.my_errors[0].text.endswith("Task timed out after 3.00 seconds")
    assert found.my_errors[0].request_id == R1


def test_an_error_of_another_input_is_not_of_this_one(logs):
    logs.invoked("/fn", R1, said("processing", MINE))
    logs.invoked("/fn", R2, said("failed", OTHER, "ERROR", R2), "[ERROR] ValueError: no", stream="other")
    found = read(logs)
    assert found.my_errors == []
    assert found.errors == []


def test_an_error_of_a_batch_that_holds_this_input_is_not_taken_for_anothers(logs):
    logs.invoked(
        "/fn", R1, said("processing", OTHER), said("processing", MINE), said("failed", OTHER, "ERROR")
    )
    found = read(logs)
    assert found.for_others == 0
    assert [line.text for line in found.errors] == ["ERROR failed"]
    assert found.my_errors == []


def test_an_error_before_any_input_was_known_is_nobodys(logs):
    logs.write("/fn", "[ERROR] Runtime.ImportModuleError: Unable to import module 'app': No module named 'x'")
    found = read(logs)
    assert found.mine == []
    assert "No module named 'x'" in found.errors[0].text


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (said("failed", MINE, "ERROR", error="NotUtf8Error: byte 3"), "ERROR failed: NotUtf8Error: byte 3"),
        (
            said("failed", MINE, "ERROR", exception="Traceback\n  ...\nKeyError: 'x'"),
            "ERROR failed: KeyError: 'x'",
        ),
        (said("failed", MINE, "CRITICAL"), "CRITICAL failed"),
        (
            {"errorType": "KeyError", "errorMessage": "'x' of " + MINE, "requestId": R1},
            "'x' of " + MINE + ": KeyError",
        ),
        (f"[ERROR] KeyError: 'x' {MINE}", f"[ERROR] KeyError: 'x' {MINE}"),
        (f"app.NotUtf8Error: {MINE}", f"app.NotUtf8Error: {MINE}"),
    ],
)
def test_errors_of_any_logger_are_errors(logs, line, text):
    logs.invoked("/fn", R1, line)
    assert [error.text for error in read(logs).my_errors] == [text]


@pytest.mark.parametrize(
    "named", ["run/01OTHER", "in%2Frun%2F01OTHER.csv", "s1m86p1qsytdxp/01M86P1RSVNAB3HV8JNHXGJTZ3"]
)
def test_a_plain_log_that_names_another_input_is_of_that_with_all_its_errors(logs, named):
    logs.invoked("/fn", R2, f"working on {named}", "ValueError: no")
    found = read(logs)
    assert (found.for_others, found.unclear) == (1, 0)
    assert found.errors == []


def test_a_path_that_begins_with_a_session_id_names_no_input(logs):
    logs.invoked("/fn", R2, "ValueError: in /tmp/s1m86p1qsytdxp/aws/app.py")
    assert len(read(logs).errors) == 1


def test_errors_of_requests_known_to_be_anothers_are_left_out(logs):
    logs.invoked("/fn", R2, "ValueError: no")
    assert len(read(logs).errors) == 1
    assert read_log(logs, "/fn", 990.0, MINE, {R2, None}).errors == []


def test_an_invocation_that_says_nothing_is_unclear(logs):
    logs.invoked("/fn", R1)
    logs.invoked("/fn", R2, "ValueError: no", stream="other")
    assert read(logs).unclear == 1


def test_a_traceback_that_comes_line_by_line_ends_with_what_was_raised(logs):
    traceback = [
        "Traceback (most recent call last):",
        '  File "app.py", line 1, in handler',
        "    total += float(value)",
        "app.NoNumber: a row has none",
        "",
        "The above exception was the direct cause of the following exception:",
        "",
        "Traceback (most recent call last):",
        '  File "app.py", line 2, in handler',
        "app.BadReading: of " + MINE,
    ]
    logs.invoked("/fn", R1, *traceback)
    assert [line.text for line in read(logs).my_errors] == [
        "app.NoNumber: a row has none",
        "app.BadReading: of " + MINE,
    ]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (
            "[ERROR] BadReading: none\nTraceback (most recent call last):\n  File x",
            "[ERROR] BadReading: none",
        ),
        ("Traceback (most recent call last):\n  File x\nBadReading: none", "BadReading: none"),
    ],
)
def test_of_a_traceback_in_one_event_what_was_raised_is_shown(logs, message, text):
    logs.write("/fn", message)
    assert [line.text for line in read(logs).errors] == [text]


def test_a_request_is_named_once_behind_its_last_line(logs):
    logs.invoked("/fn", R1, said("one", MINE), said("two", MINE), said("three", MINE, request_id=R2))
    shown = [line.partition(" ")[2] for line in told(read(logs).mine)]
    assert shown == ["INFO one", f"INFO two (request {R1})", f"INFO three (request {R2})"]


def test_platform_lines_in_json_start_an_invocation(logs):
    logs.write(
        "/fn", {"time": "t", "type": "platform.start", "record": {"requestId": R1, "version": "$LATEST"}}
    )
    logs.write("/fn", said("processing", MINE))
    logs.write("/fn", {"type": "platform.report", "record": {"requestId": R1, "status": "timeout"}})
    found = read(logs)
    assert found.invocations == 1
    assert [line.request_id for line in found.my_errors] == [R1]


def test_a_plain_log_that_names_the_input_is_enough(logs):
    logs.invoked("/fn", R1, f"working on {MINE}")
    found = read(logs)
    assert found.mine[0].request_id == R1


def test_the_input_under_another_id_is_noticed(logs):
    logs.invoked("/fn", R1, said("recorded", "out/" + MINE))
    found = read(logs)
    assert found.mine == []
    assert found.elsewhere == "out/" + MINE


@pytest.mark.parametrize("message", ["", "{", "[]", "{}", '{"level": null, "message": {"a": 1}}', "\x00"])
def test_no_line_is_an_error_of_ours(message):
    found = view([{"timestamp": 1, "message": message}], MINE)
    assert found.mine == []


class Late:
    """A log whose lines become visible one reading after the other."""

    def __init__(self, *readings):
        self.readings = list(readings)
        self.asked = 0

    def filter_log_events(self, **_):
        self.asked += 1
        logs = Logs()
        for lines in self.readings[: self.asked]:
            for line in lines:
                logs.write("/fn", line)
        return {"events": logs.groups["/fn"]}


class Time:
    def __init__(self):
        self.now = 0.0

    def patience(self, seconds):
        return Patience(seconds, lambda: self.now, self.sleep)

    def sleep(self, seconds):
        self.now += seconds


START, END = f"START RequestId: {R1} Version: $LATEST", f"END RequestId: {R1}"


def test_a_request_that_has_begun_is_read_until_its_end():
    log = Late([START, said("processing", MINE)], [said("written", MINE)], [END])
    found = read_log(log, "/fn", 990.0, MINE, patience=Time().patience(1.5))
    assert [line.text for line in found.mine] == ["INFO processing", "INFO written"]
    assert (log.asked, found.running) == (3, None)


def test_an_invocation_that_must_be_there_is_waited_for():
    log = Late([], [], [START, said("written", MINE), END])
    found = read_log(log, "/fn", 990.0, MINE, expected=True, patience=Time().patience(1.5))
    assert [line.text for line in found.mine] == ["INFO written"]
    assert read_log(Late([], [START]), "/fn", 990.0, MINE, patience=Time().patience(1.5)).invocations == 0


def test_a_request_without_an_end_is_not_waited_for_beyond_the_patience():
    log, time = Late([START, said("processing", MINE)]), Time()
    found = read_log(log, "/fn", 990.0, MINE, patience=time.patience(1.5))
    assert found.running is not None
    assert 1.4 < time.now < 1.7


def test_a_log_of_a_function_that_names_no_input_is_read_once():
    log = Late([START, END])
    read_log(log, "/fn", 990.0, MINE, expected=True, patience=Time().patience(1.5))
    assert log.asked == 1


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (
            [
                "INIT_REPORT Init Duration: 9 ms Phase: init Status: error "
                "Error Type: Runtime.ImportModuleError",
                "[ERROR] Runtime.ImportModuleError: Unable to import module 'app': No module named 'x'",
            ],
            "Runtime.ImportModuleError: Unable to import module 'app': No module named 'x'",
        ),
        (
            ["[ERROR] Runtime.HandlerNotFound: Handler 'handlr' missing on module 'app'"],
            "Runtime.HandlerNotFound",
        ),
        (["INIT_REPORT Init Duration: 9 ms Phase: init Status: timeout"], "INIT_REPORT"),
    ],
)
def test_a_function_that_cannot_start_is_told_by_the_platforms_lines(logs, lines, why):
    for line in lines:
        logs.write("/fn", line)
    assert read(logs).not_started.told_error.startswith(why)


def test_a_function_that_ran_well_since_can_start(logs):
    logs.write("/fn", "[ERROR] Runtime.ImportModuleError: Unable to import module 'app'")
    logs.invoked("/fn", R1)
    assert read(logs).not_started is None


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("[ERROR]\t2026-11-22T10:00:00.123Z\t" + R1 + "\tno amount", "no amount"),
        ("[ERROR] KeyError: 'amount'", "KeyError: 'amount'"),
        (said("failed", MINE, "ERROR", error="NotUtf8Error"), "failed: NotUtf8Error"),
        ("KeyError: 'amount'", "KeyError: 'amount'"),
    ],
)
def test_an_error_is_told_without_level_time_and_request(logs, line, error):
    logs.invoked("/fn", R1, line)
    assert read(logs).errors[-1].told_error == error


def test_lines_of_an_id_that_begins_like_this_one_are_anothers_also_if_it_was_not_sent(logs):
    logs.invoked("/fn", R1, "KeyError: s/order.txt.copy.txt has no amount")
    found = read(logs, correlation_id="s/order.txt")
    assert (found.mine, found.errors, found.for_others) == ([], [], 1)


def test_a_short_id_of_the_users_own_is_not_found_in_every_line(logs):
    logs.invoked("/fn", R1, "took order 1 of 2 to the test")
    assert read(logs, correlation_id="s/order").mine == []
    assert read(logs, correlation_id="s/1").mine == []


def test_the_same_own_id_of_another_session_is_not_this_one_changed(logs):
    logs.invoked("/fn", R1, said("recorded", "s1m86p1qsytdxp/order-7"))
    assert read(logs, correlation_id="s1m86p1qsytdxq/order-7").elsewhere is None
