"""Asks every component about an input, within five seconds in all, and makes one report of the answers."""

import json
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from event_harness.aws.errors import message_of
from event_harness.aws.targets import Target
from event_harness.explaining.causes import headline, likely_cause
from event_harness.explaining.concurrent_work import gathered
from event_harness.explaining.emulator_notes import NAME as EMULATOR
from event_harness.explaining.emulator_notes import emulator_notes
from event_harness.explaining.failure_details import completed, functions_behind
from event_harness.explaining.function_logs import Patience
from event_harness.explaining.injected_faults import Injected, injected_faults
from event_harness.explaining.path import account, told_aside
from event_harness.explaining.platform_log import PlatformLog, platform_log
from event_harness.explaining.probes.asking import Question, Seen, count
from event_harness.explaining.probes.components import ask, ask_listener, listener_of
from event_harness.explaining.report import Finding, Report
from event_harness.explaining.shapes import without_content
from event_harness.explaining.unmatched_results import Compare, Misses, UnmatchedResults
from event_harness.explaining.ways import of_later_passes, sources_reached, ways_from, with_links
from event_harness.machine.clock import monotonic
from event_harness.results.failure import Failure
from event_harness.results.failures import FailureReader
from event_harness.results.reader import Clock, Reader, Sleep
from event_harness.results.result import Result, by_source
from event_harness.results.sent import Sent
from event_harness.system.known_ids import KnownIds
from event_harness.system.resources import ResourceMap

BUDGET = 5.0
"""Seconds that an explanation may take."""
_LOOK = 0.3  # part of the budget for the first look into the failure queues
_SETTLE = 1.5  # seconds that logs are read again for lines that must still come; twice that on an account


class Explainer:
    """Finds out how far an input got.

    Args:
        resources: The deployed system.
        target: Makes the AWS clients.
        reader: Holds the results that were read.
        failures: Reads the failure queues.
        ids: Those of all inputs so far.
        budget: Seconds that an explanation may take; anything later is reported as not known.
        emulator_log: Reads the emulator's own log; by default that of the target, if it has one.
        clock: Seconds, monotonic.
        sleep: Replaces the real pause between two readings of a log.
    """

    def __init__(
        self,
        resources: ResourceMap,
        target: Target,
        reader: Reader,
        failures: FailureReader,
        *,
        ids: KnownIds,
        budget: float = BUDGET,
        emulator_log: PlatformLog | None = None,
        clock: Clock = monotonic,
        sleep: Sleep = time.sleep,
    ) -> None:
        self._resources = resources
        self._target = target
        self._reader = reader
        self._failures = failures
        self._ids = ids
        self._budget = budget
        self._emulator_log = emulator_log or platform_log(target.emulator_log)
        self._clock = clock
        self._sleep = sleep

    def explain(
        self,
        sent: Sent,
        misses: Misses = (),
        compare: Compare = lambda _results: (),
        *,
        contents: bool = False,
        known: Sequence[Failure] = (),
        awaited: Collection[str] | None = None,
    ) -> Report:
        """Ask every component about an input; never raises, and never takes longer than the budget.

        Args:
            sent: The input.
            misses: Its results that were not accepted, each with the reason.
            compare: Compares results of another id, or of none, with the awaited content.
            contents: The test asks for contents, so values of events may be shown.
            known: Failures of the input that the caller has seen.
            awaited: The sources whose results are awaited; None for all.
        """
        try:
            return self._explain(sent, misses, compare, contents, known, awaited)
        except Exception as error:
            return Report(f"no cause is known: the explanation itself failed ({message_of(error)})", ())

    def completed(self, sent: Sent, failure: Failure) -> Failure:
        """A failure of an input with what the function's log tells of it: its error, its attempts."""
        deadline = monotonic() + self._budget
        return self._completed(self._question(sent, deadline), failure)

    def completed_by_input(self, failed: Sequence[tuple[Sent, Failure]]) -> dict[str, Failure]:
        """Correlation id -> failure, each as `completed` makes it, within the budget of one explanation."""
        work = [
            (str(number), partial(self.completed, sent, failure))
            for number, (sent, failure) in enumerate(failed)
        ]
        told = gathered(work, self._budget, lambda number, _error: failed[int(number)][1])
        return {sent.correlation_id: failure for (sent, _), failure in zip(failed, told, strict=True)}

    def _question(self, sent: Sent, deadline: float) -> Question:
        others = [item for item in self._failures.all() if not item.concerns(sent.correlation_id)]
        came = {result.source for result in self._reader.of(sent.correlation_id)}
        settle = _SETTLE * (2 if self._target.skew else 1)
        return Question(
            self._resources,
            self._target,
            sent,
            resulted=bool(came) and came.issuperset(sources_reached(self._resources, sent.component)),
            ids=self._ids,
            deadline=deadline,
            foreign={item.request_id for item in others} - {None},
            patience=Patience(self._clock() + min(settle, self._budget / 2), self._clock, self._sleep),
            platform_log=self._emulator_log,
        )

    def _completed(self, question: Question, failure: Failure) -> Failure:
        return completed(question, failure, functions_behind(self._resources.components, failure))

    def _explain(
        self,
        sent: Sent,
        misses: Misses,
        compare: Compare,
        contents: bool,
        known: Sequence[Failure],
        awaited: Collection[str] | None,
    ) -> Report:
        deadline = monotonic() + self._budget
        look = [("failure queues", partial(self._failed, sent, deadline, known))]
        failed = gathered(look, self._budget * _LOOK, lambda _name, _error: self._seen(sent, known))[0]
        mine = self._reader.of(sent.correlation_id)
        came = {result.source for result in mine}
        wanted = set(self._resources.sources if awaited is None else awaited)
        expected = sources_reached(self._resources, sent.component) & wanted
        silent = [name for name in self._resources.sources if name in expected - came] if mine else []
        question = replace(
            self._question(sent, deadline),
            message_ids=[item.message_id for item in failed if item.redriven],
        )
        ways = ways_from(self._resources, sent.component, listener_of(self._resources))
        path = ways.path
        since = datetime.fromtimestamp(question.since, UTC)
        unmatched = UnmatchedResults(
            self._resources,
            self._reader,
            sent,
            since,
            was_sent=self._ids.__contains__,
            compare=compare,
            contents=contents,
        )
        # A list, not a mapping: a component may have any name, also one of these.
        probes = [(component.name, partial(ask, question, component)) for component in path[:-1]]
        probes.append(("event_listener", partial(ask_listener, question)))
        remarks: list[tuple[str, Callable[[], Seen]]] = [
            ("failure queues", lambda: Seen(self._queues(failed, since))),
            ("uncorrelated", lambda: Seen(unmatched.uncorrelated())),
            ("results", lambda: Seen(self._accepted(mine, misses))),
        ]
        if self._emulator_log:
            remarks.insert(0, (EMULATOR, lambda: Seen(self._of_emulator(question))))
        if unmatched.has_others():
            remarks.append(("others", lambda: Seen(unmatched.others())))
        answers = gathered([*probes, *remarks], max(0.0, deadline - monotonic()), self._unknown)
        seen, told = answers[: len(path)], [answer.finding for answer in answers[len(path) :]]
        ways = with_links(ways, seen, forked=len(self._resources.sources) > 1)
        seen = of_later_passes(ways, seen)
        by_component = {item.component: item for item in failed}
        findings = account(ways, seen, by_component, resulted=question.resulted)
        aside = {
            one.name for one in path[:-1] if wanted.isdisjoint(sources_reached(self._resources, one.name))
        }
        findings = [told_aside(one, wanted) if one.component in aside else one for one in findings]
        # Results under another id tell more than results without one, and both more than a tally.
        by_weight = [*reversed(told)]
        cause = likely_cause(
            findings,
            path,
            by_weight,
            failed=failed,
            mine=mine,
            misses=misses,
            silent=silent,
            branched=ways.branched,
            aside=aside | {findings[one].component for one in ways.called if _tells_nothing(findings[one])},
        )
        if struck := self._injected(question):
            cause = f"{struck.text}; {cause}"
            told.append(Finding("injected", "", struck.text.removeprefix("injected: ")))
        whole = [item for item in failed if item.event is not None]
        events = (json.dumps(without_content(item.event), indent=2, default=str) for item in whole)
        appendix = (
            f"the event in {item.queue_url}:\n{event}" for item, event in zip(whole, events, strict=True)
        )
        return Report(cause, (*findings, *told), tuple(appendix), sent.correlation_id)

    def _of_emulator(self, question: Question) -> Finding:
        log = self._emulator_log() if self._emulator_log else ""
        return emulator_notes(
            self._resources, log, question.since, question.sent.component, resulted=question.resulted
        )

    def _injected(self, question: Question) -> Injected | None:
        """What the test's own faults have struck."""
        if question.platform_log is None:
            return None
        log, id_ = question.platform_log(), question.sent.correlation_id
        return injected_faults(log, question.since, id_, self._resources.owners)

    def _unknown(self, name: str, error: Exception | None) -> Seen:
        late = f"no answer within {self._budget:g} s"
        return Seen(Finding(name, "unknown", f"not known: {message_of(error) if error else late}"))

    def _failed(self, sent: Sent, deadline: float, known: Sequence[Failure]) -> list[Failure]:
        """The failures of the input, those that the caller knows among them."""
        self._failures.look()
        question = self._question(sent, deadline)
        return [self._completed(question, item) for item in self._seen(sent, known)]

    def _seen(self, sent: Sent, known: Sequence[Failure]) -> list[Failure]:
        """The failures of the input that some look has seen."""
        seen = [*known, *self._failures.of(sent.correlation_id)]
        return list({item.message_id: item for item in seen}.values())

    def _queues(self, failed: Sequence[Failure], since: datetime) -> Finding:
        queues, name = self._failures.queues, "failure queues"
        if not queues:
            return Finding(name, "", "not known: the resource map names none")
        if failed := [item for item in failed if item.queue_url]:
            where = ", ".join(dict.fromkeys(item.queue_url for item in failed))
            return Finding(name, "", f"{count(len(failed), 'message')} of this input in {where}")
        if self._failures.errors:
            url, error = next(iter(self._failures.errors.items()))
            return Finding(name, "unknown", f"not known of {queues[url]}: {message_of(error)}")
        kept = [item for item in self._failures.all() if item.queue_url]
        others = [item for item in kept if item.failed_at and item.failed_at >= since]
        text = f"no message of this input, {len(others)} of others since the send"
        if self._failures.unread:
            url, read = next(iter(self._failures.unread.items()))
            text += f"; only the first {read:,} messages of {queues[url]}'s were read"
        return Finding(name, "", text, tuple(str(item) for item in others))

    def _accepted(self, mine: Sequence[Result], misses: Misses) -> Finding:
        if self._reader.last_error:
            text = f"the last look failed: {self._reader.last_error}"
            return Finding("results", "failed", text, cause=f"the results table could not be read: {text}")
        tally = f"{len(mine)} of this input{by_source(mine, self._resources.sources)}"
        if not misses:
            return Finding("results", "", tally)
        details: list[str] = []
        for result, reason in misses:
            when = (result.event_time or result.first_received_at).strftime("%H:%M:%S.%f")[:-3]
            details.append(f"from {result.source} at {when}, {result.size:,} bytes: {headline(reason)}")
        details += misses[-1][1].splitlines()[1:]  # of the nearest: the difference itself
        return Finding("results", "failed", f"{tally}, {len(misses)} not accepted", tuple(details))


def _tells_nothing(called: Finding) -> bool:
    """Whether a function that a state machine calls doesn't tell why nothing came: it is on no way."""
    return called.state not in ("failed", "running")
