import pytest

from event_harness.machine.progress import EVERY, Progress, harmless


def test_progress_says_what_is_planned_how_much_is_done_and_what_is_slow():
    said, now = [], [0.0]
    progress = Progress(said.append, "apply", clock=lambda: now[0])
    progress("Plan: 4 to add, 0 to change, 0 to destroy.")
    for n in range(4):
        progress(f"aws_sqs_queue.q{n}: Creating...")
    assert str(progress) == "0 of 4 resources"
    for n in range(4):
        now[0] += EVERY / 2
        progress(f"aws_sqs_queue.q{n}: Creation complete after 0s [id=x]")
    assert said == [
        "apply: planned: 4 to create",
        "apply: 2 of 4 resources, 3.00 s; under way: aws_sqs_queue.q2 for 3.00 s and 1 more",
        "apply: all 4 resources, 6.00 s; slowest: aws_sqs_queue.q3, 6.00 s",
    ]


def test_a_resource_that_takes_long_is_told_while_nothing_ends():
    said, now = [], [0.0]
    progress = Progress(said.append, "destroy", clock=lambda: now[0])
    progress("Plan: 0 to add, 0 to change, 2 to destroy.")
    progress("aws_sqs_queue.q: Destroying... [id=http://x]")
    now[0] = 10.0
    progress("aws_sqs_queue.q: Still destroying... [id=http://x, 10s elapsed]")
    assert said == [
        "destroy: planned: 2 to destroy",
        "destroy: 0 of 2 resources, 10.0 s; under way: aws_sqs_queue.q for 10.0 s",
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


def test_changed_resources_count_and_a_replaced_one_counts_twice():
    said = []
    progress = Progress(said.append, "apply")
    for line in (
        "Plan: 1 to add, 2 to change, 1 to destroy.",
        "aws_lambda_function.a: Modifying... [id=a]",
        "aws_lambda_function.b: Modifying... [id=b]",
        "aws_lambda_layer_version.l: Destroying... [id=l]",
        "aws_lambda_layer_version.l: Destruction complete after 0s",
        "aws_lambda_layer_version.l: Creation complete after 0s [id=m]",
        "aws_lambda_function.a: Modifications complete after 1s [id=a]",
    ):
        progress(line)
    assert str(progress) == "3 of 4 resources"
    progress("aws_lambda_function.b: Modifications complete after 1s [id=b]")
    assert said[0] == "apply: planned: 1 to create, 2 to change, 1 to destroy"
    assert said[-1].startswith("apply: all 4 resources, ")
