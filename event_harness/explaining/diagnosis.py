"""Asks every component about an input, within five seconds in all."""

import json
import queue
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from event_harness.aws.errors import message_of
from event_harness.aws.targets import Target
from event_harness.explaining.causes import UNMATCHED, headline, likely_cause
from event_harness.explaining.probes import Probes
from event_harness.explaining.report import Finding, Report
from event_harness.results.failures import Failure, FailureReader
from event_harness.results.reader import Reader
from event_harness.results.result import Result, by_source
from event_harness.results.sent import Sent
from event_harness.system.correlation import ULID, UNCORRELATED
from event_harness.system.resources import ResourceMap

BUDGET = 5.0
"""Seconds that an explanation may take."""
# Fields of events that carry content; a report shows their size only.
_CONTENT = {"body", "Message", "data", "detail", "NewImage", "OldImage"}

Misses = Sequence[tuple[Result, str]]
Compare = Callable[[Sequence[Result]], Misses]
Work = list[tuple[str, Callable[[], Finding]]]

# The beginning of every case id that a producer makes.
_FRESH = re.compile(ULID)
_COMPARED = 10  # so many of the newest other results are compared with the awaited content


class Explainer:
    """Finds out how far an input got.

    Args:
        resources: The deployed system.
        target: Makes the AWS clients.
        reader: Holds the results that were read.
        failures: Reads the on-failure queues.
        was_sent: Tells whether an input of this session has this correlation id.
        budget: Seconds that an explanation may take; anything later is reported as not known.
    """

    def __init__(
        self,
        resources: ResourceMap,
        target: Target,
        reader: Reader,
        failures: FailureReader,
        *,
        was_sent: Callable[[str | None], bool],
        budget: float = BUDGET,
    ) -> None:
        self._resources = resources
        self._target = target
        self._reader = reader
        self._failures = failures
        self._was_sent = was_sent
        self._budget = budget

    def explain(self, sent: Sent, misses: Misses = (), compare: Compare = lambda _results: ()) -> Report:
        """Ask every component about an input; never raises, and never takes longer than the budget.

        Args:
            sent: The input.
            misses: Its results that were not accepted, each with the reason.
            compare: Compares results of another id, or of none, with the awaited content.
        """
        try:
            return self._explain(sent, misses, compare)
        except Exception as error:
            return Report(f"not known: the explanation itself failed ({message_of(error)})", ())

    def _explain(self, sent: Sent, misses: Misses, compare: Compare) -> Report:
        mine = self._reader.of(sent.correlation_id)
        others = [item for item in self._failures.all() if not item.concerns(sent.correlation_id)]
        foreign = {item.request_id for item in others} - {None}
        came = {result.source for result in mine}
        silent = [name for name in self._resources.sources if name not in came] if mine else []
        resulted = bool(mine) and not silent
        probes = Probes(
            self._resources,
            self._target,
            sent,
            resulted=resulted,
            foreign=foreign,
            was_sent=self._was_sent,
            deadline=time.monotonic() + self._budget,
        )
        since = datetime.fromtimestamp(sent.sent_at - self._target.skew, UTC)
        failed: list[Failure] = []

        def failures() -> Finding:
            finding, found = self._failed(sent, since)
            failed.extend(found)
            return finding

        # A list, not a mapping: a component may have any name, also one of these.
        work: Work = [
            (component.name, partial(probes.probe, component)) for component in self._resources.components
        ]
        work += [
            ("event_listener", probes.listener),
            ("failure queues", failures),
            ("uncorrelated", lambda: self._uncorrelated(since, compare)),
            ("results", lambda: self._accepted(mine, misses)),
        ]
        near, recent = self._near(sent, since), self._recent(sent, since)
        if near:
            work.append((UNMATCHED, lambda: self._unmatched(near, compare)))
        elif recent:
            work.append(("others", lambda: self._others(recent, compare)))
        findings = _gathered(work, self._budget)
        events = (json.dumps(without_content(item.event), indent=2, default=str) for item in failed)
        appendix = (
            f"the event in {item.queue_url}:\n{event}" for item, event in zip(failed, events, strict=True)
        )
        cause = likely_cause(
            findings, self._resources.components, failed=failed, mine=mine, misses=misses, silent=silent
        )
        return Report(cause, tuple(findings), tuple(appendix), sent.correlation_id)

    def _failed(self, sent: Sent, since: datetime) -> tuple[Finding, list[Failure]]:
        queues, name = self._failures.queues, "failure queues"
        if not queues:
            return Finding(name, "unknown", "not known: the resource map names none"), []
        self._failures.look()
        mine = self._failures.of(sent.correlation_id)
        if mine:
            return Finding(name, "bad", str(mine[-1]), cause=str(mine[-1])), mine
        if self._failures.errors:
            url, error = next(iter(self._failures.errors.items()))
            return Finding(name, "unknown", f"not known of {queues[url]}: {message_of(error)}"), []
        others = [item for item in self._failures.all() if item.failed_at and item.failed_at >= since]
        text = f"no message of this input, {len(others)} of others since the send"
        return Finding(name, "open", text, tuple(str(item) for item in others)), []

    def _uncorrelated(self, since: datetime, compare: Compare) -> Finding:
        found = [item for item in self._reader.other(UNCORRELATED) if item.received_at >= since]
        if not found:
            return Finding("uncorrelated", "open", "no result without a correlation id since the send")
        reasons = (
            item.metadata.get("correlation_error") or item.metadata.get("record_error") for item in found
        )
        reason = next((str(reason) for reason in reasons if reason), "none in the event")
        return Finding(
            "uncorrelated",
            "bad",
            f"{len(found)} results without a correlation id since the send: {reason}",
            (*map(str, found), *_beside(compare(found[-_COMPARED:]))),
            cause=f"results came without a correlation id ({reason}):"
            " does the source's `correlation` setting fit?",
        )

    def _accepted(self, mine: Sequence[Result], misses: Misses) -> Finding:
        if self._reader.last_error:
            text = f"the last look failed: {self._reader.last_error}"
            return Finding("results", "bad", text, cause=f"the results table could not be read: {text}")
        tally = f"{len(mine)} of this input{by_source(mine, self._resources.sources)}"
        if not misses:
            return Finding("results", "ok" if mine else "open", tally)
        details: list[str] = []
        for result, reason in misses:
            when = (result.event_time or result.first_received_at).strftime("%H:%M:%S.%f")[:-3]
            details.append(f"from {result.source} at {when}, {result.size:,} bytes: {headline(reason)}")
        details += misses[-1][1].splitlines()[1:]  # of the nearest: the difference itself
        return Finding("results", "bad", f"{tally}, {len(misses)} not accepted", tuple(details))

    def _near(self, sent: Sent, since: datetime) -> list[Result]:
        """Results of this session whose id no input has: ids like the input's, else all since its send.

        An id that a producer made, with more behind it, belongs to that producer's input.
        """
        case = sent.case_id.partition("/")[0]
        strange = [
            item
            for item in self._reader.all()
            if not self._was_sent(item.correlation_id)
            and ((own := item.case_id.partition("/")[0]) == case or not _FRESH.fullmatch(own))
        ]
        alike = [item for item in strange if case.lower() in (item.correlation_id or "").lower()]
        return alike or [item for item in strange if item.received_at >= since]

    def _recent(self, sent: Sent, since: datetime) -> list[Result]:
        others = (item for item in self._reader.all() if item.correlation_id != sent.correlation_id)
        return [item for item in others if item.received_at >= since]

    def _unmatched(self, near: Sequence[Result], compare: Compare) -> Finding:
        compared = compare(near[-_COMPARED:])
        nearest = compared[-1][0] if compared else near[-1]
        what = "what is awaited" if compared and not compared[-1][1] else "a result"
        text = f"{what} came under an id that differs: {nearest.correlation_id}"
        told = (f"{item.correlation_id}: {item.size:,} bytes from {item.source}" for item in near)
        return Finding(UNMATCHED, "bad", text, (*told, *_beside(compared)), cause=text)

    def _others(self, recent: Sequence[Result], compare: Compare) -> Finding:
        """Results of other inputs. One with the awaited content may be right, or mixed up."""
        text = f"{len(recent)} results of other inputs since the send"
        compared = compare(recent[-_COMPARED:])
        if compared and not compared[-1][1]:
            text += f", one with the awaited content: {compared[-1][0].correlation_id}"
        lines = (f"{item.case_id}: {item.size:,} bytes from {item.source}" for item in recent)
        return Finding("others", "open", text, (*lines, *_beside(compared)))


def _beside(compared: Misses) -> list[str]:
    """The nearest result, compared with the awaited content: equal, or the difference."""
    if not compared:
        return []
    nearest, differs = compared[-1]
    if not differs:
        return [f"the content is what is awaited ({nearest.event_id})"]
    return [f"the nearest, {nearest.event_id}, {headline(differs)}", *differs.splitlines()[1:]]


def without_content(event: Any) -> Any:
    """An event that may be shown: the size stands in place of all content."""
    if isinstance(event, Mapping):
        return {
            name: f"<{len(value if isinstance(value, str) else json.dumps(value, default=str)):,} characters>"
            if name in _CONTENT
            else without_content(value)
            for name, value in event.items()
        }
    return [without_content(item) for item in event] if isinstance(event, list) else event


def _gathered(work: Work, budget: float) -> list[Finding]:
    """Do all work at once. A probe that fails, or is late, is a finding too."""
    done: queue.Queue[tuple[int, Finding]] = queue.Queue()

    def run(number: int, name: str, ask: Callable[[], Finding]) -> None:
        try:
            done.put((number, ask()))
        except Exception as error:
            done.put((number, Finding(name, "unknown", f"not known: {message_of(error)}")))

    for number, (name, ask) in enumerate(work):
        # Daemon threads: a probe that hangs must not keep the test or the process waiting.
        threading.Thread(
            target=run, args=(number, name, ask), name=f"event-harness-{name}", daemon=True
        ).start()
    findings: dict[int, Finding] = {}
    deadline = time.monotonic() + budget
    while len(findings) < len(work):
        try:
            number, finding = done.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        findings[number] = finding
    late = f"not known: no answer within {budget:g} s"
    return [findings.get(number, Finding(name, "unknown", late)) for number, (name, _) in enumerate(work)]
