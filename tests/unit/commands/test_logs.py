"""The command `logs` finds the lines that belong to an id."""

from datetime import UTC, datetime

import pytest

from event_harness.commands.logs import _Printer
from event_harness.explaining.log_lines import Line
from event_harness.tracing.invocations import Invocation

PROBE = "s1m8b5vdjr6v2a/01JD5T3Y8Q0000000000000000"


@pytest.mark.parametrize(("text", "field"), [(f"got {PROBE}", None), ("got it", PROBE)])
def test_lines_with_an_id_that_no_input_of_the_journal_has_are_found(capsys, text, field):
    at = datetime(2026, 11, 26, 8, tzinfo=UTC)
    named, other = (Line(at, text, "r", False, field, False), Line(at, "other", "q", False, None, False))
    printer = _Printer(["f"], PROBE, lambda _name, line: [line.text], colour=False)
    printer.show([Invocation("f", "r", lines=[named]), Invocation("f", "q", lines=[other])])
    heading, line = capsys.readouterr().out.splitlines()
    assert heading == PROBE
    assert line.endswith(text)
    assert printer.shown == 1
