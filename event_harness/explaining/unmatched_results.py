"""Looks among results that are not the input's for one that may be: another id, none, the awaited content."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from event_harness.aws.errors import AWS_ERRORS
from event_harness.errors import HarnessError
from event_harness.explaining.causes import headline
from event_harness.explaining.report import Finding
from event_harness.explaining.shapes import decoded, is_sns_envelope, shape
from event_harness.results.result import Result
from event_harness.results.sent import Sent
from event_harness.system.correlation import ULID, UNCORRELATED
from event_harness.system.resources import ResourceMap, Source

UNMATCHED = "unmatched result"
"""Name of the finding about results whose correlation id no input has."""

Misses = Sequence[tuple[Result, str]]
Compare = Callable[[Sequence[Result]], Misses]

# The beginning of every case id that a producer makes.
_FRESH = re.compile(ULID)
_COMPARED = 10  # so many of the newest other results are compared with the awaited content
_FETCHED = 1024 * 1024  # bytes of a result up to which its shape is shown
_ENVELOPE = (
    "it is the envelope of SNS: set raw_message_delivery = true on the queue's subscription,"
    " or look for the id inside of `Message` with the source's `correlation`"
)


class Results(Protocol):
    """What has been read of the results table."""

    def all(self) -> list[Result]:
        """Every result of this session."""

    def other(self, session_id: str) -> list[Result]:
        """Every result of another session, read now."""


class UnmatchedResults:
    """Results of no input, or of another one.

    Args:
        resources: The deployed system.
        results: Holds the results that were read.
        sent: The input that is explained.
        since: Results before it don't count.
        was_sent: Tells whether an input of this session has this correlation id.
        compare: Compares results with the awaited content.
        contents: The test asks for contents, so values may be shown.
    """

    def __init__(
        self,
        resources: ResourceMap,
        results: Results,
        sent: Sent,
        since: datetime,
        *,
        was_sent: Callable[[str | None], bool],
        compare: Compare,
        contents: bool,
    ) -> None:
        self._resources = resources
        self._results = results
        self._sent = sent
        self._since = since
        self._was_sent = was_sent
        self._compare = compare
        self._contents = contents

    def uncorrelated(self) -> Finding:
        """Results without a correlation id since the send, with the shape of the newest."""
        found = [item for item in self._results.other(UNCORRELATED) if item.received_at >= self._since]
        name = "uncorrelated"
        if not found:
            return Finding(name, "", "no result without a correlation id since the send")
        newest = found[-1]
        reason = self._reason(newest)
        many = "1 result" if len(found) == 1 else f"{len(found)} results"
        text = f"{many} without a correlation id since the send: {reason}"
        body = self._body(newest)
        envelope = is_sns_envelope(body)
        told = [f"its shape: {shape(body, values=self._contents)}"] if body is not None else []
        looked = self._looked(newest)
        details = (
            *map(str, found),
            *_beside(self._compare(found[-_COMPARED:])),
            *told,
            *([f"looked for: {looked}"] if looked else []),
            *([_ENVELOPE] if envelope else []),
        )
        advice = f"; {_ENVELOPE}" if envelope else ""
        cause = f"{newest.source}: {many} came without a correlation id ({reason}){advice}"
        return Finding(name, "", text, details, cause=cause)

    def _reason(self, result: Result) -> str:
        told = result.metadata.get("correlation_error") or result.metadata.get("record_error")
        return str(told or "none in the event")

    def _body(self, result: Result) -> object | None:
        if result.size > _FETCHED:
            return None
        try:
            return decoded(result.body)
        except (HarnessError, *AWS_ERRORS):
            return None

    def _looked(self, result: Result) -> str:
        source = self._resources.sources.get(result.source)
        return expression(source) if source else ""

    def has_others(self) -> bool:
        """Whether there is anything that `others` could tell."""
        return bool(self._near() or self._recent())

    def others(self) -> Finding:
        """Results under an id that no input has; else those of other inputs since the send."""
        near = self._near()
        return self._unmatched(near) if near else self._of_others(self._recent())

    def _near(self) -> list[Result]:
        """Results of this session whose id no input has: ids like the input's, else all since its send.

        An id that a producer made, with more behind it, belongs to that producer's input.
        """
        case = self._sent.case_id.partition("/")[0]
        strange = [
            item
            for item in self._results.all()
            if not self._was_sent(item.correlation_id)
            and ((own := item.case_id.partition("/")[0]) == case or not _FRESH.fullmatch(own))
        ]
        alike = [item for item in strange if case.lower() in (item.correlation_id or "").lower()]
        return alike or [item for item in strange if item.received_at >= self._since]

    def _recent(self) -> list[Result]:
        others = (item for item in self._results.all() if item.correlation_id != self._sent.correlation_id)
        return [item for item in others if item.received_at >= self._since]

    def _unmatched(self, near: Sequence[Result]) -> Finding:
        compared = self._compare(near[-_COMPARED:])
        nearest = compared[-1][0] if compared else near[-1]
        what = "what is awaited" if compared and not compared[-1][1] else "a result"
        text = f"{what} came under an id that differs: {nearest.correlation_id}"
        told = (f"{item.correlation_id}: {item.size:,} bytes from {item.source}" for item in near)
        cause = f"{nearest.source}: {text}"
        return Finding(UNMATCHED, "", text, (*told, *_beside(compared)), cause=cause)

    def _of_others(self, recent: Sequence[Result]) -> Finding:
        """Results of other inputs. One with the awaited content may be right, or mixed up."""
        many = "1 result" if len(recent) == 1 else f"{len(recent)} results"
        text = f"{many} of other inputs since the send"
        compared = self._compare(recent[-_COMPARED:])
        if compared and not compared[-1][1]:
            text += f", one with the awaited content: {compared[-1][0].correlation_id}"
        lines = (f"{item.case_id}: {item.size:,} bytes from {item.source}" for item in recent)
        return Finding("others", "", text, (*lines, *_beside(compared)))


def expression(source: Source) -> str:
    """Where a source looks for the correlation id, in words."""
    at = f" {source.at!r}" if source.at else ""
    words = {"key": "the key", "attribute": "the message attribute", "body": "the JSON body, at"}
    return f"{words[source.correlation]}{at} ({source.name})"


def _beside(compared: Misses) -> list[str]:
    """The nearest result, compared with the awaited content: equal, or the difference."""
    if not compared:
        return []
    nearest, differs = compared[-1]
    if not differs:
        return [f"the content is what is awaited ({nearest.event_id})"]
    return [f"the nearest, {nearest.event_id}, {headline(differs)}", *differs.splitlines()[1:]]
