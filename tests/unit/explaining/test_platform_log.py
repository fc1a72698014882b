"""The emulator's own log, where it says why a function can't start."""

from datetime import datetime

from event_harness.explaining.platform_log import platform_log, running_since, why_not_started

FAILED = "ERROR [lambda] Warm worker execution error for {}: Worker init failed: {}"
NOW = datetime(2026, 11, 26, 0, 42, 2).timestamp()


def log(*lines):
    return "\n".join(f"2026-11-26 00:42:0{number} {line}" for number, line in enumerate(lines, 2))


def test_the_reason_stands_in_the_emulators_log():
    text = log(FAILED.format("orders", "No module named 'nothere'"), "INFO [lambda] other")
    assert why_not_started(text, "orders", NOW) == "No module named 'nothere'"
    assert why_not_started(text, "orders-other", NOW) is None


def test_a_worker_that_exits_at_once_is_told_too():
    text = log(
        "ERROR [lambda] Warm worker execution error for orders: "
        "Worker process exited immediately. stderr: bye"
    )
    assert why_not_started(text, "orders", NOW) == "Worker process exited immediately. stderr: bye"


def test_a_worker_that_exits_without_a_word_is_told_without_an_empty_one():
    text = log(
        "ERROR [lambda] Warm worker execution error for orders: Worker process exited immediately. stderr: "
    )
    assert why_not_started(text, "orders", NOW) == "Worker process exited immediately."


def test_what_happened_before_the_send_or_was_put_right_is_no_reason():
    failed = FAILED.format("orders", "No module named 'nothere'")
    spawned = "INFO [lambda_runtime] Lambda worker spawned for orders (python3.11, cold start)"
    assert why_not_started(log(failed), "orders", NOW + 5) is None
    assert why_not_started(log(failed, spawned), "orders", NOW) is None
    assert why_not_started(log(spawned, failed), "orders", NOW) == "No module named 'nothere'"


def test_only_the_newest_reason_is_told():
    text = log(FAILED.format("orders", "first"), FAILED.format("orders", "second"))
    assert why_not_started(text, "orders", NOW) == "second"


INVOCATION = "INFO [event_harness] invocation {} of {} {}"


def test_an_invocation_that_has_not_ended_runs():
    lines = [INVOCATION.format("a", "orders", "begins"), INVOCATION.format("b", "other", "begins")]
    assert running_since(log(*lines), "orders", NOW).strftime("%H:%M:%S") == "00:42:02"
    assert running_since(log(*lines, INVOCATION.format("a", "orders", "ends")), "orders", NOW) is None
    assert running_since(log(*lines), "orders", NOW + 5) is None
    assert running_since(log(*lines), "third", NOW) is None


def test_the_end_of_the_emulators_log_is_read(tmp_path):
    path = tmp_path / "emulator.log"
    assert platform_log(None) is None
    assert platform_log(path)() == ""
    path.write_bytes(b"x" * 600_000 + b"\xff the end")
    assert len(platform_log(path)()) == 512 * 1024
    assert platform_log(path)().endswith("the end")
