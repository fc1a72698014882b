"""Decides which results a wait accepts, and says how the others differ."""

import difflib
import inspect
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from event_harness.aws.errors import AWS_ERRORS
from event_harness.errors import BodyError, HarnessError, ResultsUnavailableError, SettingError
from event_harness.explaining.json_difference import json_difference
from event_harness.results.result import Result

Until = Callable[[Result], object] | str | bytes | Mapping[str, Any] | Sequence[Any] | None
"""The awaited result: any (None), one that a predicate accepts, or one with exactly this content: text,
bytes, or JSON (a mapping or a list)."""

# Waiting can't fix these. BaseExceptions (KeyboardInterrupt, pytest.fail) pass anyway.
_HOPELESS = (ImportError, MemoryError, NameError, ResultsUnavailableError, SettingError)
# A difference shows so many lines per side, characters per line, and characters before the first difference.
# A predicate's message shows so many lines.
_LINES, _WIDTH, _BEFORE, _RAISED = 4, 88, 30, 12
_COMPARED = 1024 * 1024  # bytes; larger results of other inputs are not compared


class Matcher:
    """Judges each result once. If the judgement raises, it judges again at the next look.

    A predicate that raises doesn't accept the result; its message is kept. Waiting can't fix these errors, so
    they end the wait at once: a results table or bucket that can't be read, a missing module or name, no
    memory, a predicate that returns a coroutine, function or method, any `BaseException` (Ctrl-C,
    `pytest.fail`), and the body of an object that was deleted before the listener could read it. The body of
    an overwritten object ends no wait: the newer object's result is still to come.
    """

    def __init__(self, until: Until) -> None:
        self._until = until
        self._judged: dict[str, bool] = {}  # event id -> verdict
        self._reasons: dict[str, str] = {}  # event id -> why it isn't accepted
        self._nearness: dict[str, float] = {}  # event id -> how much of it is as awaited

    def accepts(self, result: Result) -> bool:
        """Whether this is the awaited result."""
        if self._until is None:
            return True
        if result.event_id not in self._judged:
            verdict = self._judge(result)
            if verdict is None:
                return False
            self._judged[result.event_id] = verdict
        return self._judged[result.event_id]

    @property
    def awaits_content(self) -> bool:
        """Whether the test gave the content itself: its values may be shown."""
        return isinstance(self._until, str | bytes | Mapping | Sequence)

    def misses(self, results: Iterable[Result]) -> list[tuple[Result, str]]:
        """The results that weren't accepted, each with the reason. The most similar one is last."""
        missed = [
            (item, self._reasons[item.event_id]) for item in results if self._reasons.get(item.event_id)
        ]
        return sorted(missed, key=lambda miss: self._nearness.get(miss[0].event_id, 0.0))

    def compared(self, results: Iterable[Result]) -> list[tuple[Result, str]]:
        """Compare results of other inputs with the awaited content; each comes with its difference, if any.

        The most similar one is last. If the test awaits a predicate, the list is empty: the predicate was not
        written for these results. Results that are large or can't be read are left out.
        """
        if not isinstance(self._until, str | bytes | Mapping | Sequence):
            return []
        found = []
        for result in results:
            if result.size > _COMPARED:
                continue
            try:
                differs = "\n".join(_differences(self._until, result))
                found.append((_nearness(self._until, result), result, differs))
            except (HarnessError, *AWS_ERRORS):
                continue
        return [(result, differs) for _, result, differs in sorted(found, key=lambda one: one[0])]

    def _judge(self, result: Result) -> bool | None:
        """The verdict; None if judging raised."""
        try:
            different = _differences(self._until, result)
        except _HOPELESS:
            raise
        except Exception as error:
            if isinstance(error, BodyError) and result.gone_reason == "deleted":
                raise
            self._reasons[result.event_id] = f"the predicate raised {_shortened(error)}"
            return None
        self._reasons[result.event_id] = "\n".join(different)
        if different and isinstance(self._until, str | bytes | Mapping | Sequence):
            self._nearness[result.event_id] = _nearness(self._until, result)
        return not different


def difference(expected: str, got: str) -> list[str]:
    """Say in a few short lines where and how two texts differ; no line if they are equal."""
    if expected == got:
        return []
    wanted, had = expected.splitlines(keepends=True), got.splitlines(keepends=True)
    line = _first_difference(wanted, had)
    column = _first_difference(*(lines[line] if line < len(lines) else "" for lines in (wanted, had)))
    headline = (
        f"differs from line {line + 1}, column {column + 1} on"
        f" (expected {len(expected):,} characters, got {len(got):,})"
    )
    cut = max(0, column - _BEFORE)
    left, right = wanted[line : line + _LINES], had[line : line + _LINES]
    bare = [[text.rstrip("\r\n") for text in lines] for lines in (left, right)]
    if bare[0] != bare[1]:  # otherwise only the line ends differ: show them
        left, right = bare
    left, right = ([_excerpt(text, cut) for text in lines] for lines in (left, right))
    changes = [text for text in difflib.ndiff(left, right) if not text.startswith("?")]
    return [headline, "- expected, + got:", *changes[: 2 * _LINES]]


def _nearness(expected: str | bytes | Mapping[str, Any] | Sequence[Any], result: Result) -> float:
    """How much is equal, counted from both ends: 0 to 1."""
    if isinstance(expected, str):
        return _same(expected, result.text)
    if isinstance(expected, bytes):
        return _same(expected, result.body)
    return _same(_pretty(expected), _pretty(result.json()))


def _same(expected: Sequence[Any], got: Sequence[Any]) -> float:
    longest, shortest = sorted((len(expected), len(got)), reverse=True)
    begin = _first_difference(expected, got)
    low, high = 0, shortest - begin
    while low < high:
        middle = (low + high + 1) // 2
        if expected[len(expected) - middle : len(expected) - low] == got[len(got) - middle : len(got) - low]:
            low = middle
        else:
            high = middle - 1
    return (begin + low) / longest if longest else 1.0


def _differences(expected: Until, result: Result) -> list[str]:
    if callable(expected):
        said_no = ["the predicate said no (use assert in it, and its message stands here)"]
        return [] if _verdict(expected(result)) else said_no
    if isinstance(expected, str):
        return difference(expected, result.text)
    if isinstance(expected, bytes):
        return _difference_of_bytes(expected, result.body)
    return json_difference(expected, result.json())


def _verdict(answer: object) -> bool:
    """What a predicate says. Some answers are always true, and so are mistakes.

    Raises:
        SettingError: The answer is a coroutine, a generator, or something to be called.
    """
    if inspect.iscoroutine(answer):
        answer.close()  # or Python warns that nobody has awaited it
    if inspect.isawaitable(answer) or inspect.isasyncgen(answer):
        what, remedy = "a coroutine, which is always true", "write it with `def`, not with `async def`"
    elif inspect.isgenerator(answer):
        what, remedy = "a generator, which is always true", "put any(...) or all(...) around it"
    elif callable(answer):
        name = getattr(answer, "__qualname__", None) or type(answer).__name__
        kind = "method" if inspect.ismethod(answer) else "function"
        what, remedy = f"the {kind} {name}, which is always true", "call it: add parentheses"
    else:
        return bool(answer)
    raise SettingError(f"until: the predicate returned {what}; {remedy}")


def _difference_of_bytes(expected: bytes, got: bytes) -> list[str]:
    if expected == got:
        return []
    at = _first_difference(expected, got)
    return [
        f"differs from byte {at:,} on (expected {len(expected):,} bytes, got {len(got):,})",
        f"- {expected[at : at + 16].hex(' ')}",
        f"+ {got[at : at + 16].hex(' ')}",
    ]


def _first_difference(left: Sequence[Any], right: Sequence[Any]) -> int:
    """Find the first difference of two sequences. It compares slices, so 200 MB take milliseconds."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _excerpt(text: str, cut: int) -> str:
    cut = cut if len(text) > _WIDTH else 0
    shown = text[cut : cut + _WIDTH]
    return f"{'…' if cut else ''}{repr(shown)[1:-1]}{'…' if len(text) > cut + _WIDTH else ''}"


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, default=str)


def _shortened(error: Exception) -> str:
    lines = (f"{type(error).__name__}: {error}" if str(error) else type(error).__name__).splitlines()
    kept = [line[:_WIDTH] for line in lines[:_RAISED]]
    left_out = len(lines) - len(kept)
    return "\n".join([*kept, f"… {left_out} more lines"] if left_out else kept)
