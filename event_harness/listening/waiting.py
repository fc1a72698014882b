"""The parts that all waits of a listener share."""

import copy
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Self, TypeVar, cast

from event_harness.aws.targets import Target
from event_harness.errors import InputFailedError, ResultsUnavailableError, SettingError, WaitError
from event_harness.explaining.diagnosis import Explainer
from event_harness.explaining.given_up import given_up
from event_harness.explaining.platform_log import inputs_of
from event_harness.explaining.report import Report, printable
from event_harness.explaining.ways import sources_reached
from event_harness.listening.debugged import wait_of
from event_harness.listening.durations import seconds
from event_harness.listening.matching import Matcher
from event_harness.listening.wait_line import WaitLine
from event_harness.machine.clock import monotonic, timestamp
from event_harness.producers.inflight import InFlight
from event_harness.results.background import Spawn, in_thread
from event_harness.results.body_store import BodyStore
from event_harness.results.failure_watch import FailureWatch
from event_harness.results.failures import Failure, FailureReader
from event_harness.results.look_interval import SHORTEST
from event_harness.results.reader import STALLED, STALLED_ON_EMULATOR, Clock, Reader, Sleep
from event_harness.results.result import Result, by_source
from event_harness.results.results_table import ResultsTable
from event_harness.results.sent import Sent
from event_harness.system.correlation import check_session_id
from event_harness.system.resources import ResourceMap
from event_harness.tracing.journal import Journal

E = TypeVar("E", bound=WaitError)
T = TypeVar("T")

PATIENCE = 15.0
"""Seconds for which a wait goes on looking if its last look could not read the table."""
# The next look is a retry already. Few retries by botocore: one look must not last long past its deadline.
_QUICK = {
    "retries": {"mode": "standard", "total_max_attempts": 3},
    "connect_timeout": 2,
}


class Waiting:
    """Reads the results of one test session. Threads may share it.

    All waits of a listener share one reader (see `Reader`): one Query per look serves them all. After one
    second without a send or an arrival, a second thread also reads the failure queues, every 1.5 s. So an
    input that failed ends its wait long before the timeout.

    IAM: dynamodb:Query on the index, dynamodb:GetItem on the table, s3:GetObject on the overflow bucket,
    sqs:ReceiveMessage and sqs:ChangeMessageVisibility on the failure queues.

    Args:
        resources: The deployed system.
        target: Makes the AWS clients.
        session_id: The test session whose results are awaited.
        sla: Seconds within which an input must have its output. The default of every timeout.
        in_flight: Limits how many inputs of this listener's producers are in flight at once.
        clock: Seconds, monotonic.
        sleep: Replaces the real pause between two looks.
        spawn: Runs a look in another thread.
        now: Epoch seconds.
        debugged: Whether a debugger is attached to a function now; None if none can be. Deadlines then stand
            still.
    """

    def __init__(
        self,
        resources: ResourceMap,
        target: Target,
        session_id: str,
        *,
        sla: float,
        in_flight: InFlight | None = None,
        clock: Clock = monotonic,
        sleep: Sleep | None = None,
        spawn: Spawn = in_thread,
        now: Clock = timestamp,
        debugged: Callable[[], bool] | None = None,
    ) -> None:
        self.resources = resources
        self.target = target
        self.session_id = check_session_id(session_id)
        self.made: dict[str, float] = {}  # id that a test has asked for -> epoch seconds
        self.sla = seconds("sla", sla)
        self.clock = clock
        self._sleep = sleep or time.sleep
        bodies = BodyStore(resources.results, target.client("dynamodb"), target.client("s3"))
        stalled = STALLED_ON_EMULATOR if target.endpoint_url else None
        quick = _QUICK | {"read_timeout": stalled or STALLED}
        table = ResultsTable(resources.results, target.client("dynamodb", **quick), bodies)
        self.reader = Reader(table, session_id, clock=clock, sleep=sleep, spawn=spawn, stalled=stalled)
        self._wait = wait_of(self.reader, debugged, clock, self._sleep)
        self.inflight = in_flight or InFlight(None)
        for source in resources.sources.values():
            self.inflight.ids.learn(source.at if source.correlation == "key" else None)
        self.journal = Journal(None, session_id)  # records nothing until a session sets its own
        self.wait_line = WaitLine()
        self.failures = FailureReader(
            resources.failure_queues,
            target.client("sqs", **quick),
            owners=resources.owners,
            ids=self.inflight.ids,
            inputs_of=inputs_of(target.emulator_log),
            given_up=given_up(target.emulator_log, resources.owners),
        )
        self._watch = FailureWatch(
            self.failures, silence=self.reader.silence, noticed=self._failed, clock=clock, spawn=spawn
        )
        self.inflight.attach(
            wait=self.look_until,
            noticed=self.reader.notice,
            expiry=max(self.sla, 1.0),
            clock=clock,
            recorded=lambda *sent: self.journal.sent(*sent),
        )
        self.now = now
        self.seen_at: dict[str, float] = {}  # event id -> when a look had read its result, by `clock`
        self.reader.subscribe(self._arrived)
        self.reader.subscribe(lambda result: self.journal.seen(result))
        self._explainer = Explainer(
            resources,
            target,
            self.reader,
            self.failures,
            ids=self.inflight.ids,
            clock=clock,
            sleep=self._sleep,
        )

    def with_sla(self, sla: float) -> Self:
        """The same listener with another default timeout. Both share the reader and the in-flight limit.

        Raises:
            SettingError: `sla` isn't a number of seconds.
        """
        other = copy.copy(self)
        other.sla = seconds("sla", sla)
        return other

    def results(self, session_id: str | None = None) -> list[Result]:
        """Read all results of a test session now (of this one by default), sorted by `in_order`.

        The session `uncorrelated` holds the events that carried no correlation id.

        Raises:
            ResultsUnavailableError: The table can't be read.
        """
        if session_id is None or session_id == self.session_id:
            since = self.clock()
            self.reader.look()
            self.see_table(since)
            return self.reader.all()
        return self.reader.other(session_id)

    def explain(self, sent: Sent) -> Report:
        """Find out how far an input came, in 5 seconds at most. docs/reference.md lists the IAM actions."""
        self._check(sent)
        self.reader.look()
        return self._explainer.explain(sent)

    def explain_misses(
        self,
        sent: Sent,
        matcher: Matcher,
        known: Sequence[Failure] = (),
        awaited: Collection[str] | None = None,
    ) -> Report:
        """Find out how far an input came, and why a matcher did not accept its results."""
        misses = matcher.misses(self.reader.of(sent.correlation_id))
        return self._explainer.explain(
            sent,
            misses,
            matcher.compared,
            contents=matcher.awaits_content,
            known=known,
            awaited=awaited,
        )

    def look_until(
        self, found: Callable[[], T | None], deadline: float, ids: Collection[str] | None = None
    ) -> T | None:
        """Look into the table, in silence into the queues, too, until `found` returns something on `ids`."""

        def judged() -> T | None:
            """Look once; after silence, let the queues be looked into."""
            value = found()
            if value is None:
                self._watch.nudge()
            return value

        return self._wait(judged, deadline, ids)

    def see_table(self, since: float) -> None:
        """Return once a look that began at `since` or later has read the whole session.

        A result that this look didn't see wasn't there at `since`. If AWS doesn't answer, look again for
        `PATIENCE` seconds.

        Args:
            since: Seconds of the listener's clock.

        Raises:
            ResultsUnavailableError: AWS still doesn't answer.
        """
        if not self.reader.see(since, PATIENCE):
            raise ResultsUnavailableError(
                f"results table {self.resources.results.table} could not be read for {PATIENCE:g} s"
                f" ({self.reader.last_error}), so it isn't known which results are missing"
            )

    def settled(
        self,
        sent: Sent,
        found: Callable[[], list[Result] | Failure | None],
        deadline: float,
        awaited: Collection[str] | None = None,
        remarks: Sequence[str] = (),
        others: Iterable[Sent] = (),
    ) -> list[Result] | None:
        """Wait until `found` returns something; raise if it is a failure. Free the input's slot.

        The error tells the `remarks`, too, below its cause. `found` asks about the `others`, too.
        """
        ids = {sent.correlation_id, *(other.correlation_id for other in others)}
        try:
            # mypy would join the union to `object`.
            outcome = cast("list[Result] | Failure | None", self.look_until(found, deadline, ids))
        finally:
            self.inflight.leave(sent.correlation_id)
        if not isinstance(outcome, Failure):
            return outcome
        headline = f"{sent.description} failed, so no further result will come"
        what = "the event" if outcome.event is not None else "its place in the stream"
        kept = (
            f"{what} lies in {outcome.queue_url}" if outcome.queue_url else "no failure queue keeps the event"
        )
        lines = [headline, kept, *remarks]
        raise self.explained(InputFailedError, lines, sent, known=[outcome], awaited=awaited)

    def accepted(self, sent: Sent, source: str | None, matcher: Matcher | None = None) -> list[Result]:
        """The results of an input from one source, or from all, that a matcher accepts; in order."""
        results = self.reader.of(sent.correlation_id)
        mine = (result for result in results if source is None or result.source == source)
        return [result for result in mine if matcher is None or matcher.accepts(result)]

    def look_into_queues(self, found: Callable[[], object] = lambda: None) -> bool:
        """Look into the failure queues once, now, in another thread.

        Returns:
            True once the look has ended, or `found` has returned something. False if SQS has not answered
            within `STALLED` seconds.
        """
        number, until = self.failures.begun + 1, self.clock() + STALLED
        while self.failures.looks < number and not found():
            self._watch.start()
            if self.failures.looks >= number:
                break
            if self.clock() >= until:
                return False
            self._sleep(SHORTEST)
        return True

    def failure_of(self, sent: Sent, after: int, awaited: Collection[str] | None = None) -> Failure | None:
        """The newest failure of an input that keeps a result from the awaited sources (None: from any).

        Only looks after look number `after` count.
        """
        failures = self.failures.of(sent.correlation_id, after)
        return next((one for one in reversed(failures) if self.matters(one, awaited)), None)

    def matters(self, failure: Failure, awaited: Collection[str] | None) -> bool:
        """Whether the component that failed may lead to one of the awaited sources; None stands for all."""
        return awaited is None or not sources_reached(self.resources, failure.component).isdisjoint(awaited)

    def _arrived(self, result: Result) -> None:
        self.seen_at[result.event_id] = self.clock()
        self.inflight.leave(result.correlation_id)

    def _failed(self, news: list[Failure]) -> None:
        for correlation_id in self.inflight.holders() if news else ():
            if any(failure.concerns(correlation_id) for failure in news):
                self.inflight.leave(correlation_id)
        self.reader.wake(everybody=bool(self.failures.all(self.failures.begun - 1)))

    def _looked(self, sent: Sent, before: int) -> str:
        """How often the table was read since look number `before`, and what it holds."""
        mine = self.reader.of(sent.correlation_id)
        others = self.reader.count() - len(mine)
        unreadable = self.reader.unreadable
        skipped = f"; skipped {len(unreadable)} items: {unreadable[0]}" if unreadable else ""
        return (
            f"looked {self.reader.looks - before} times; results in this session: {len(mine)} of this input"
            f"{by_source(mine, self.resources.sources)}, {others} of others{skipped}"
        )

    def explained(
        self,
        error: type[E],
        lines: list[str],
        sent: Sent,
        matcher: Matcher | None = None,
        cause: str | None = None,
        known: Sequence[Failure] = (),
        awaited: Collection[str] | None = None,
    ) -> E:
        """Make an error. Its first line is the cause, then come these lines, then one line per component.

        Nothing else stands on the first line: pytest's short summary shows only that line, cut. `report`
        holds everything.

        Args:
            error: The type of the error.
            lines: What the wait was for.
            sent: The input.
            matcher: Knows why it did not accept results of the input.
            cause: The cause, if the caller knows it.
            known: Failures of the input that the wait has seen.
            awaited: The sources whose results are awaited; None for all.
        """
        if matcher:
            report = self.explain_misses(sent, matcher, known, awaited)
        else:
            report = self._explainer.explain(sent, known=known, awaited=awaited)
        if cause:
            report = replace(report, cause=cause)
        told = [*lines, f"sent: {sent.told}"]
        explained = error("\n  ".join([*report.headline(), *map(printable, told), *report.body()]))
        explained.report = report
        explained.uncut = "\n".join(map(printable, [report.cause, *told]))
        return explained

    def _check(self, sent: object) -> None:
        if not isinstance(sent, Sent):
            raise SettingError(f"{sent!r} is not a Sent; pass what a producer's send() returned")
        if sent.session_id != self.session_id:
            raise SettingError(
                f"{sent.correlation_id!r} belongs to test session {sent.session_id!r};"
                f" this listener reads session {self.session_id!r}"
            )
        if sent.correlation_id not in self.inflight.ids:  # not every input goes through a producer
            self.inflight.note(sent.correlation_id)
            self.journal.sent(sent)

    def _timeout(self, name: str, value: float | None) -> float:
        return self.sla if value is None else seconds(name, value)
