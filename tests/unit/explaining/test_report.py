"""The text of a report: for a terminal, in colour, and whole."""

import types

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_harness.explaining.report import LINES, Finding, Report, for_stream, width

STATES = ["ok", "failed", "running", "not reached", "unknown", ""]
FINDINGS = st.builds(
    Finding,
    component=st.text("abc_", min_size=1, max_size=30),
    state=st.sampled_from(STATES),
    text=st.text(max_size=300),
    details=st.lists(st.text(max_size=300), max_size=30).map(tuple),
)


@pytest.fixture(autouse=True)
def _wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "106")


def test_a_report_tells_the_cause_first_and_then_each_component_with_its_state_in_words():
    report = Report(
        "processor was not invoked",
        (
            Finding("source", "ok", "the input is there"),
            Finding("processor", "not reached", "not invoked", ("line 1", "line 2")),
            Finding("destination", "unknown", "not known: no answer"),
            Finding("results", "", "0 of this input"),
        ),
    )
    assert report.terminal().splitlines() == [
        "processor was not invoked",
        "ok           source       the input is there",
        "not reached  processor    not invoked",
        "                          line 1",
        "                          line 2",
        "unknown      destination  not known: no answer",
        "             results      0 of this input",
    ]


def test_each_state_has_a_colour_of_its_own_where_colour_is_asked_for():
    findings = tuple(Finding("name", state, "text ok failed") for state in STATES)
    plain, coloured = (Report("cause", findings).terminal(colour=on) for on in (False, True))
    assert "\x1b" not in plain
    codes = [line.split("m", 1)[0] for line in coloured.splitlines()[1:-1]]
    assert len(set(codes)) == len(codes) == 5
    assert all(code.startswith("\x1b[") for code in codes)
    assert "\x1b" not in coloured.splitlines()[-1]  # a remark


@given(st.text(), st.lists(FINDINGS, max_size=3), st.lists(st.text(), max_size=2))
def test_a_whole_report_does_nothing_to_a_terminal(cause, findings, appendix):
    told = Report(f"{cause}\x1b[2J\u202e", tuple(findings), tuple(appendix)).full()
    assert all(character == "\n" or character.isprintable() for character in told)


def test_a_whole_report_keeps_the_lines_of_its_appendix_and_no_others():
    finding = Finding("price", "failed", "a\nb", ("c\nd",))
    assert Report("one\ntwo", (finding,), ("x\n  y",)).full().splitlines() == [
        "one two",
        "[failed] price: a b",
        "     c d",
        "x",
        "  y",
    ]


@pytest.mark.parametrize(
    ("terminal", "no_color", "painted"), [(True, None, True), (True, "1", False), (False, None, False)]
)
def test_a_stream_gets_colour_only_if_it_is_a_terminal(monkeypatch, terminal, no_color, painted):
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", no_color)
    stream = types.SimpleNamespace(isatty=lambda: terminal)
    text = for_stream("demo: lost\n  ok           source  there", stream)
    assert ("  \x1b[32mok\x1b[0m           source" in text) == painted
    assert ("\x1b" in text) == painted


def test_the_id_of_the_input_is_cut_short_in_lines_but_not_in_the_whole():
    id_ = "run/01MINE/input.txt"
    report = Report(f"lost {id_}", (Finding("source", "failed", "x", (f"put {id_}",)),), correlation_id=id_)
    assert report.terminal().splitlines()[0] == "lost <id>"
    assert "put <id>" in report.terminal()
    assert f"lost {id_}" in report.full()


@settings(max_examples=100)
@given(st.text(max_size=500), st.lists(FINDINGS, max_size=12), st.sampled_from([60, 80, 106, 250]))
def test_a_report_fits_a_terminal_whatever_it_says(cause, findings, columns):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(columns))
        text = Report(cause, tuple(findings)).terminal()
        assert len(text.splitlines()) <= LINES
        assert max(map(len, text.splitlines()), default=0) <= width()
    assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize(("columns", "takes"), [("80", 70), ("120", 110), ("20", 56), ("500", 150)])
def test_a_report_takes_the_width_of_the_terminal_less_what_pytest_puts_before_it(
    monkeypatch, columns, takes
):
    monkeypatch.setenv("COLUMNS", columns)
    assert width() == takes


def test_a_long_line_has_two_rows_and_room_for_what_it_says():
    said = f"12:00:00.000 ERROR in/run/{'x' * 60}.csv: {'word ' * 30}(request 11111111)"
    report = Report("cause", (Finding("processor", "failed", "failed", (said,)),), (), f"run/{'x' * 60}")
    shown = report.terminal().splitlines()[2:]
    assert len(shown) == 2
    assert shown[0].startswith(" " * 24 + "12:00:00.000 ERROR in/<id>.csv: word word")
    assert shown[1].endswith("… (request 11111111)")
    assert "x" * 60 in report.full()


def test_the_whole_report_leaves_nothing_out():
    details = tuple(f"line {number} {'x' * 300}" for number in range(100))
    report = Report("cause", (Finding("processor", "failed", "text", details),), ("the event: {}",))
    assert all(detail in report.full() for detail in details)
    assert report.full().endswith("the event: {}")
    assert "[failed] processor: text" in report.full()
    assert "line 99" in report.terminal()
    assert "line 0 " not in report.terminal()
