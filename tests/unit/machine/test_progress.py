import pytest

from event_harness.machine.progress import EVERY, Progress, harmless


def test_progress_is_few_lines_and_ends_with_the_whole():
    said, now = [], [0.0]
    progress = Progress(said.append, "apply", clock=lambda: now[0])
    progress("Plan: 4 to add, 0 to change, 0 to destroy.")
    for n in range(4):
        now[0] += EVERY / 2
        progress(f"aws_sqs_queue.q{n}: Creation complete after 0s [id=x]")
    assert said == [
        "apply: 2 of 4 resources, last aws_sqs_queue.q1",
        "apply: all 4 resources, 6.0 s",
    ]


def test_other_lines_are_not_progress():
    said = []
    Progress(said.append, "apply")("aws_sqs_queue.q: Still creating... [10s elapsed]")
    assert said == []


@pytest.mark.parametrize("error", [BrokenPipeError, ValueError("I/O operation on closed file")])
def test_a_line_that_nobody_reads_any_more_is_no_error(error):
    said = []

    def say(line):
        said.append(line)
        raise error

    harmless(say)("destroying")
    harmless(None)("destroying")
    assert said == ["destroying"]
