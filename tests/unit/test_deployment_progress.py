from event_harness.deployment import PROGRESS_EVERY, _Progress


def test_progress_is_few_lines_and_ends_with_the_whole():
    said, now = [], [0.0]
    progress = _Progress(said.append, "apply", clock=lambda: now[0])
    progress("Plan: 20 to add, 0 to change, 0 to destroy.")
    for n in range(20):
        now[0] += PROGRESS_EVERY / 10
        progress(f"aws_sqs_queue.q{n}: Creation complete after 0s [id=x]")
    assert said == [
        "apply: 10 of 20 resources, last aws_sqs_queue.q9",
        "apply: all 20 resources, 6.0 s",
    ]


def test_other_lines_are_not_progress():
    said = []
    _Progress(said.append, "apply")("aws_sqs_queue.q: Still creating... [10s elapsed]")
    assert said == []
