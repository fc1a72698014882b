"""The figures of the comparison page are those of the results."""

from benchmarks.comparison.verdicts import Row, Verdict
from benchmarks.comparison_page import renewed
from benchmarks.figures import Figure
from benchmarks.results import Results
from benchmarks.side_by_side import cells

TEXT = """Before.

<!-- figures: {} -->
| old |
<!-- end of figures -->

After: | old |
"""


def page(name, measured):
    return renewed(TEXT.format(name), measured)


def figures(name, *some):
    return Results({name: list(some)})


def test_a_table_is_written_between_its_comments_only():
    text = page(
        "start", figures("start_up", Figure("help", "", "ms", [28.24, 30, 20], bounds={"median": 100}))
    )
    assert text == TEXT.format("start").replace(
        "| old |\n<", "\n|  | measured | at most |\n| --- | --- | --- |\n| help | 28.2 ms | 100 ms |\n\n<"
    )


def test_the_same_results_change_nothing():
    measured = figures("start_up", Figure("help", "", "ms", [28], bounds={"median": 100}))
    once = page("start", measured)
    assert renewed(once, measured) == once


def test_a_table_that_nothing_was_measured_for_stays():
    assert page("verdicts", Results()) == TEXT.format("verdicts")


def test_a_verdict_is_shown_without_the_deployments_id():
    said = Verdict("table shout-d1m8c2ftqxcq8a-results can't be read", 0.011, 1)
    row = Row("no table", Verdict("poller timed out"), said, kept=True)
    ours = ["table …-results can't be read", "0.01 s", "1", "yes"]
    assert cells(row) == ["no table", "poller timed out", "", "", *ours]


def test_verdicts_are_written_as_they_were_said():
    row = ["normal", "a | b", "0.96 s", "2", "passed", "0.03 s", "3", "yes"]
    assert "\n| normal | a \\| b | 0.96 s | 2 | passed | 0.03 s | 3 | yes |\n" in page(
        "verdicts", Results(verdicts=[row])
    )


def test_over_waits_have_their_unit_and_their_percentile():
    text = page(
        "waits",
        figures(
            "over_wait",
            Figure("over-wait", "after 1 s", "ms", [20.04, 30], [375, 4550]),
            Figure("reads of one wait", "after 1 s", "reads", [8], [2]),
        ),
    )
    assert "\n| over-wait, after 1 s | 25.0 ms | 30.0 ms | 2,462 ms | 4,550 ms |\n" in text
    assert "\n| reads of one wait, after 1 s | 8.0 | 8.0 | 2.0 | 2.0 |\n" in text


def test_reads_of_all_sides_of_a_number_are_in_one_row():
    one, many = "1 waits in flight", "1,000 waits in flight"
    text = page(
        "reads",
        figures(
            "reads",
            Figure("reads a second", one, "reads/s", [6], [7]),
            Figure("reads a second, poll loop", one, "reads/s", [6], [0.84]),
            Figure("reads a second, poll loop", many, "reads/s", [2.26], [204]),
            Figure("our reads a second", "1,000 waits / 1 wait", "reads/s", [2.26], [6]),
        ),
    )
    assert "|\n| 1 | 6.0 | 7.0 | 0.8 |\n| 1,000 | 2.3 |  | 204 |\n\n<" in text


def test_a_texts_time_and_memory_of_both_sides_are_in_one_row():
    text = page(
        "texts",
        figures(
            "text_processor",
            Figure("text processor, time", "50 MB, ASCII", "s", [0.359], [0.438]),
            Figure("text processor, memory over idle", "50 MB, ASCII", "MB", [55.8], [150]),
            Figure("processor time of the emulator", "50 MB, ASCII", "s", [0.3], [0.2]),
        ),
    )
    assert "|\n| 50 MB, ASCII | 0.359 s | 55.8 MB | 0.438 s | 150 MB |\n\n<" in text
