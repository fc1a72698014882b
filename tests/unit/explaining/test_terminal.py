"""Explanations in pytest's own output."""

from types import SimpleNamespace

import pytest

from event_harness.explaining.terminal import PROPERTY, present

pytest_plugins = ["pytester"]

TEST = """
from event_harness.errors import WaitTimeoutError
from event_harness.explaining.report import Finding, Report

def test_total_of_an_order_with_a_long_name():
    report = Report(
        "confirm_order failed: KeyError: 'amount'",
        (
            Finding("placed", "ok", "there"),
            Finding("confirm_order", "failed", "KeyError"),
            Finding("shop", "not reached", "x"),
        ),
    )
    lines = [*report.headline(), "no result for https://queue", *report.body()]
    error = WaitTimeoutError("\\n  ".join(lines))
    error.report = report
    raise error
"""


@pytest.fixture
def run(pytester, monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "PY_COLORS", "CI", "BUILD_NUMBER"):  # CI gets whole lines
        monkeypatch.delenv(name, raising=False)
    pytester.makepyfile(test_orders=TEST)
    monkeypatch.setenv("COLUMNS", "80")
    return lambda *arguments: pytester.runpytest_inprocess("-p", "no:cacheprovider", *arguments).stdout.str()


def test_the_short_summary_tells_the_cause_within_80_columns(run):
    summary = next(line for line in run().splitlines() if line.startswith("FAILED"))
    assert len(summary) <= 80
    assert summary.startswith("FAILED test_orders.py::test_total_of_an_order_with_a_long_name - confirm_or")


def test_states_are_coloured_where_pytest_colours(run):
    shown = run("--color=yes")
    assert "E         \x1b[32mok\x1b[0m           placed" in shown
    assert "\x1b[1;31mfailed\x1b[0m       confirm_order" in shown
    assert "\x1b[36mnot reached\x1b[0m  shop" in shown


@pytest.mark.parametrize("arguments", [("--color=no",), ("--color=auto",)])
def test_there_is_no_colour_where_pytest_has_none(run, arguments):
    shown = run(*arguments)
    assert "\x1b" not in shown
    assert "E         ok           placed         there" in shown


def test_no_color_is_heeded(run, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run("--color=auto")


def test_a_junit_report_is_plain_and_begins_with_the_cause(run, pytester):
    run("--color=yes", "--junitxml=report.xml")
    report = (pytester.path / "report.xml").read_text()
    assert "\x1b" not in report
    assert "#x1B" not in report
    assert "message=\"confirm_order failed: KeyError: 'amount'\"" in report


def test_workers_send_their_explanations_to_the_terminal(run):
    shown = run("--color=yes", "-n1")
    assert "\x1b[32mok\x1b[0m           placed" in shown
    assert "FAILED" in shown


def test_the_cause_is_cut_once_also_where_a_worker_and_its_controller_present_it():
    crash = SimpleNamespace(
        message="event_harness.errors.InputFailedError: a failed: ValueError: bad\n  more"
    )
    report = SimpleNamespace(user_properties=[(PROPERTY, "whole")], longrepr=SimpleNamespace(reprcrash=crash))
    for _ in range(2):
        present(report)
    assert crash.message == "a failed: ValueError: bad"
