from hypothesis import given, settings
from hypothesis import strategies as st

from event_harness.explaining.report import LINES, WIDTH, Finding, Report

FINDINGS = st.builds(
    Finding,
    component=st.text("abc_", min_size=1, max_size=30),
    state=st.sampled_from(["ok", "bad", "open", "unknown"]),
    text=st.text(max_size=300),
    details=st.lists(st.text(max_size=300), max_size=30).map(tuple),
)


def test_a_report_names_the_cause_and_each_component():
    report = Report(
        "it was not invoked",
        (
            Finding("source", "ok", "the input is there"),
            Finding("processor", "bad", "not invoked", ("line 1", "line 2")),
            Finding("destination", "unknown", "not known: no answer"),
        ),
    )
    assert report.terminal().splitlines() == [
        "likely cause: it was not invoked",
        "ok  source       the input is there",
        "NO  processor    not invoked",
        "                 line 1",
        "                 line 2",
        "??  destination  not known: no answer",
    ]


def test_the_id_of_the_input_is_cut_short_in_lines_but_not_in_the_whole():
    id_ = "run/01MINE/input.txt"
    report = Report(f"lost {id_}", (Finding("source", "bad", "x", (f"put {id_}",)),), correlation_id=id_)
    assert report.terminal().splitlines()[0] == "likely cause: lost <id>"
    assert "put <id>" in report.terminal()
    assert f"lost {id_}" in report.full()


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=500), st.lists(FINDINGS, max_size=12))
def test_a_report_fits_a_terminal_whatever_it_says(cause, findings):
    text = Report(cause, tuple(findings)).terminal()
    assert len(text.splitlines()) <= LINES
    assert max(map(len, text.splitlines())) <= WIDTH
    assert text.replace("\n", "").isprintable()


def test_a_long_line_has_two_rows_and_room_for_what_it_says():
    said = f"12:00:00.000 ERROR in/run/{'x' * 60}.csv: {'word ' * 30}(request 11111111)"
    report = Report("cause", (Finding("processor", "bad", "failed", (said,)),), (), f"run/{'x' * 60}")
    assert report.terminal().splitlines()[2:] == [
        "               12:00:00.000 ERROR in/<id>.csv: word word word word word word word word word word",
        "                 word word word word word word word word w… (request 11111111)",
    ]
    assert "x" * 60 in report.full()


def test_the_whole_report_leaves_nothing_out():
    details = tuple(f"line {number} {'x' * 300}" for number in range(100))
    report = Report("cause", (Finding("processor", "bad", "text", details),), ("the event: {}",))
    assert all(detail in report.full() for detail in details)
    assert report.full().endswith("the event: {}")
    assert "line 99" in report.terminal()
    assert "line 0 " not in report.terminal()
