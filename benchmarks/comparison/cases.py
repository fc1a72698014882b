"""Cases with one input: what does each way say of it, and is it what ours guarantees?"""

import uuid
from collections.abc import Callable
from functools import partial

from benchmarks.comparison.bench import Bench
from benchmarks.comparison.faults import faulty, gone
from benchmarks.comparison.verdicts import Row, Verdict, at_once
from benchmarks.sample.polling import LIMIT
from event_harness.errors import InputFailedError, ResultsUnavailableError, UnexpectedResultError

TRIALS, AT_ONCE = 8, 2  # of what depends on chance; each at once is processes on the local AWS emulator
SETTLE = 2.0  # seconds that ours looks for one result too many


def normal(bench: Bench) -> Row:
    """A text comes back; the functions are warm."""
    sample, ours = both(bench, "a normal text")
    return Row("normal result", sample, ours, ours.passed)


def plus(bench: Bench) -> Row:
    """Two objects that are confused by who takes keys as events have them."""
    folder = uuid.uuid4()
    bodies = {f"{folder}/x y.txt": "with a space", f"{folder}/x+y.txt": "with a plus"}
    sample, ours = (
        at_once(way.target, [partial(way.test, body, body.upper(), key) for key, body in bodies.items()])
        for way in (bench.sample, bench.ours)
    )
    return Row("keys x y.txt and x+y.txt", sample, ours, ours.passed)


def unicode(bench: Bench) -> Row:
    """A key of other letters."""
    sample, ours = both(bench, "a text", f"{uuid.uuid4()}/größe 日本語.txt")
    return Row("key größe 日本語.txt", sample, ours, ours.passed)


def large(bench: Bench) -> Row:
    """A result that doesn't fit into an item."""
    sample, ours = both(bench, "half a megabyte " * 32_768)
    return Row("result of 512 KB", sample, ours, ours.passed)


def not_text(bench: Bench) -> Row:
    """Bytes that aren't UTF-8, so that no result comes."""
    sample, ours = both(bench, b"good until \xff here")
    return Row("bytes that aren't UTF-8", sample, ours, explained(ours, InputFailedError, "byte offset 11"))


def crash(bench: Bench) -> Row:
    """A function that can't be imported."""
    with faulty(bench.sample.target, bench.processors, "import"):
        sample, ours = both(bench, "a text")
    kept = explained(ours, InputFailedError, "library_that_was_not_packed")
    return Row("function crashes at import", sample, ours, kept)


def wrong(bench: Bench) -> Row:
    """A result, but not the right one."""
    with faulty(bench.sample.target, bench.processors, "wrong"):
        bench.warm_up()
        sample, ours = both(bench, "wrong content")
    return Row("wrong content", sample, ours, explained(ours, AssertionError, "'Wrong Content'"))


def late(bench: Bench) -> Row:
    """The right result, and half a second later a wrong one in its place."""
    return one_too_many(bench, "wrong write 0.5 s after the right one", "late")


def duplicate(bench: Bench) -> Row:
    """The right result twice."""
    return one_too_many(bench, "result written twice", "twice")


def no_table(bench: Bench) -> Row:
    """Both results tables are deleted."""
    table = bench.ours.system.resources.results.table
    with gone(bench.sample.target, bench.sample.system.table, table):
        sample, ours = both(bench, "a text")
    return Row("results table gone", sample, ours, explained(ours, ResultsUnavailableError, table))


def both(bench: Bench, body: str | bytes, key: str | None = None) -> tuple[Verdict, Verdict]:
    """One input, both ways, one after the other."""
    expected = body.upper() if isinstance(body, str) else "nothing can come"
    return bench.sample.test(body, expected, key), bench.ours.test(body, expected, key)


def explained(said: Verdict, error: type[BaseException], cause: str) -> bool:
    """Whether it is this error, names the cause, and came before the limit that the sample waits for."""
    return isinstance(said.error, error) and cause in said.says and (said.seconds or 0) < LIMIT


def one_too_many(bench: Bench, case: str, fault: str) -> Row:
    """Several tests of a system that writes twice, each of which should fail."""
    with faulty(bench.sample.target, bench.processors, fault):
        bench.warm_up()
        test = partial(bench.sample.test, "a text", "A TEXT")
        sample = at_once(bench.sample.target, [test] * TRIALS, workers=AT_ONCE)
        expect = partial(bench.ours.expect_one, "a text", SETTLE)
        ours = at_once(bench.ours.target, [expect] * TRIALS, workers=AT_ONCE)
    kept = ours.says.startswith(UnexpectedResultError.__name__) and f"({TRIALS} of {TRIALS})" in ours.says
    return Row(case, sample, ours, kept)


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
