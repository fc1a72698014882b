"""Cases with one input. Each compares the two verdicts, and checks what event-harness guarantees."""

import uuid
from collections.abc import Callable
from functools import partial

from benchmarks.comparison.bench import Bench
from benchmarks.comparison.faults import faulty, gone
from benchmarks.comparison.verdicts import Row, Verdict, at_once
from event_harness.errors import InputFailedError, ResultsUnavailableError, UnexpectedResultError

AT_ONCE = 2  # tests in parallel; each costs processes on the emulator


def normal(bench: Bench) -> Row:
    """A text comes back. The functions are warm."""
    sample, ours = both(bench, "a normal text")
    return Row("normal result", sample, ours, ours.passed)


def plus(bench: Bench) -> Row:
    """Two keys that look alike in an S3 event unless the reader decodes them."""
    folder = uuid.uuid4()
    bodies = {f"{folder}/x y.txt": "with a space", f"{folder}/x+y.txt": "with a plus"}
    tests = [
        partial(
            at_once, way.target, [partial(way.test, body, body.upper(), key) for key, body in bodies.items()]
        )
        for way in (bench.sample, bench.ours)
    ]
    sample, ours = bench.effort.both(*tests)
    return Row("keys x y.txt and x+y.txt", sample, ours, ours.passed)


def unicode(bench: Bench) -> Row:
    """A key with letters outside ASCII."""
    sample, ours = both(bench, "a text", f"{uuid.uuid4()}/größe 日本語.txt")
    return Row("key größe 日本語.txt", sample, ours, ours.passed)


def large(bench: Bench) -> Row:
    """A result that is too large for a DynamoDB item."""
    sample, ours = both(bench, "half a megabyte " * 32_768)
    return Row("result of 512 KB", sample, ours, ours.passed)


def not_text(bench: Bench) -> Row:
    """Bytes that aren't UTF-8: the processor refuses them, so no result comes."""
    sample, ours = both(bench, b"good until \xff here")
    return Row(
        "bytes that aren't UTF-8", sample, ours, explained(bench, ours, InputFailedError, "byte offset 11")
    )


def crash(bench: Bench) -> Row:
    """A function whose module can't be imported."""
    with faulty(bench.sample.target, bench.processors, "import"):
        sample, ours = both(bench, "a text")
    kept = explained(bench, ours, InputFailedError, "library_that_was_not_packed")
    return Row("function crashes at import", sample, ours, kept)


def wrong(bench: Bench) -> Row:
    """A result with the wrong content."""
    with faulty(bench.sample.target, bench.processors, "wrong"):
        bench.warm_up()
        sample, ours = both(bench, "wrong content")
    return Row("wrong content", sample, ours, explained(bench, ours, AssertionError, "'Wrong Content'"))


def late(bench: Bench) -> Row:
    """The right result; half a second later a wrong one overwrites it."""
    return one_too_many(bench, "wrong write 0.5 s after the right one", "late")


def duplicate(bench: Bench) -> Row:
    """The right result, written twice."""
    return one_too_many(bench, "result written twice", "twice")


def no_table(bench: Bench) -> Row:
    """Both results tables are deleted."""
    table = bench.ours.system.resources.results.table
    with gone(bench.sample.target, bench.sample.system.table, table):
        sample, ours = both(bench, "a text")
    return Row("results table gone", sample, ours, explained(bench, ours, ResultsUnavailableError, table))


def both(bench: Bench, body: str | bytes, key: str | None = None) -> tuple[Verdict, Verdict]:
    """Test one input both ways."""
    expected = body.upper() if isinstance(body, str) else "nothing can come"
    tests = [partial(way.test, body, expected, key) for way in (bench.sample, bench.ours)]
    return bench.effort.both(*tests)


def explained(bench: Bench, said: Verdict, error: type[BaseException], cause: str) -> bool:
    """Whether the error has this type, names the cause, and came within the time limit."""
    return isinstance(said.error, error) and cause in said.says and (said.seconds or 0) < bench.effort.sla


def one_too_many(bench: Bench, case: str, fault: str) -> Row:
    """Test a system that writes twice several times. Each test should fail."""
    with faulty(bench.sample.target, bench.processors, fault):
        bench.warm_up()
        trials = bench.effort.trials
        test = partial(bench.sample.test, "a text", "A TEXT")
        expect = partial(bench.ours.expect_one, "a text", bench.effort.settle)
        sample, ours = bench.effort.both(
            partial(at_once, bench.sample.target, [test] * trials, workers=AT_ONCE),
            partial(at_once, bench.ours.target, [expect] * trials, workers=AT_ONCE),
        )
    kept = ours.says.startswith(UnexpectedResultError.__name__) and f"({trials} of {trials})" in ours.says
    return Row(case, sample, ours, kept, timed=True)  # a busy machine may write after the wait has ended


CASES: dict[str, Callable[[Bench], Row]] = {
    "normal": normal,
    "plus": plus,
    "unicode": unicode,
    "large": large,
    "not-text": not_text,
    "crash": crash,
    "wrong": wrong,
    "late": late,
    "duplicate": duplicate,
    "no-table": no_table,
}
