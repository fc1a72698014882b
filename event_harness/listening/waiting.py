"""The machinery that all waits of a listener share."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Self, TypeVar, cast

from event_harness.aws.targets import Target
from event_harness.errors import InputFailedError, ResultsUnavailableError, SettingError, WaitError
from event_harness.explaining.diagnosis import Explainer
from event_harness.explaining.report import Report, printable
from event_harness.listening.matching import Matcher
from event_harness.producers.inflight import InFlight
from event_harness.results.failure_watch import FailureWatch, in_thread
from event_harness.results.failures import Failure, FailureReader
from event_harness.results.reader import Clock, Reader, Sleep
from event_harness.results.result import BodyStore, Result, by_source
from event_harness.results.results_table import ResultsTable
from event_harness.results.sent import Sent
from event_harness.system.correlation import check_session_id
from event_harness.system.resources import ResourceMap

E = TypeVar("E", bound=WaitError)
T = TypeVar("T")

PATIENCE = 15.0
"""Seconds to go on looking where only a look that saw the table will do."""
# The look law is itself a retry: few of botocore's own, so that a look can't outlast its deadline by much.
_QUICK = {
    "retries": {"mode": "standard", "total_max_attempts": 3},
    "connect_timeout": 2,
    "read_timeout": 5,
}


class Waiting:
    """Reads for one run; threads may share it.

    All waits of a listener share one reader (see `Reader`), so they cost one Query per look together. Once
    the table has been silent for a second, the on-failure queues are looked into as well, every 1.5 s, beside
    the looks and not between them: an input that failed ends its wait then, long before its timeout.

    IAM: dynamodb:Query on the index, dynamodb:GetItem on the table, s3:GetObject on the overflow bucket,
    sqs:ReceiveMessage and sqs:ChangeMessageVisibility on the on-failure queues.

    Args:
        resources: The deployed system.
        target: Makes the AWS clients.
        session_id: The run whose results are awaited.
        sla: Seconds within which an input must have its output: the default of every timeout.
        in_flight: Bounds the inputs on their way at once, for the producers of this listener.
        clock: Seconds, monotonic.
        sleep: Replaces the real pause between two looks.
        spawn: Runs a look into the failure queues beside the waiting thread.
    """

    def __init__(
        self,
        resources: ResourceMap,
        target: Target,
        session_id: str,
        *,
        sla: float,
        in_flight: InFlight | None = None,
        clock: Clock = time.monotonic,
        sleep: Sleep | None = None,
        spawn: Callable[[Callable[[], None]], None] = in_thread,
    ) -> None:
        self.resources = resources
        self.target = target
        self.session_id = check_session_id(session_id)
        self.sla = seconds("sla", sla)
        self.clock = clock
        self._sleep = sleep or time.sleep
        bodies = BodyStore(resources.results, target.client("dynamodb"), target.client("s3"))
        table = ResultsTable(resources.results, target.client("dynamodb", **_QUICK), bodies)
        self.reader = Reader(table, session_id, clock=clock, sleep=sleep)
        self.failures = FailureReader(resources.failure_queues, target.client("sqs", **_QUICK))
        self._watch = FailureWatch(
            self.failures, silence=self.reader.silence, noticed=self._failed, clock=clock, spawn=spawn
        )
        self.inflight = in_flight or InFlight(None)
        self.inflight.attach(
            wait=self.look_until, noticed=self.reader.notice, expiry=max(self.sla, 1.0), clock=clock
        )
        self.reader.subscribe(lambda result: self.inflight.leave(result.correlation_id))
        self._explainer = Explainer(
            resources, target, self.reader, self.failures, was_sent=self.inflight.knows
        )

    def with_sla(self, sla: float) -> Self:
        """The same listener with another default for its timeouts; reader and bounds are shared.

        Raises:
            SettingError: It is no number of seconds.
        """
        other = copy.copy(self)
        other.sla = seconds("sla", sla)
        return other

    def results(self, session_id: str | None = None) -> list[Result]:
        """All results of a run (this one by default), in order of event time, read now.

        `uncorrelated` gives the events that carried no correlation id.

        Raises:
            ResultsUnavailableError: The table can't be read.
        """
        if session_id is None or session_id == self.session_id:
            self.reader.look()
            self.see_table()
            return self.reader.all()
        return self.reader.other(session_id)

    def explain(self, sent: Sent) -> Report:
        """How far an input came; takes at most five seconds. For IAM actions see `Probes`."""
        self._check(sent)
        return self._explainer.explain(sent)

    def look_until(self, found: Callable[[], T | None], deadline: float) -> T | None:
        """Look at the table, and when it is silent at the failure queues, until `found` returns something."""

        def judged() -> T | None:
            value = found()
            if value is None:
                self._watch.nudge()
            return value

        return self.reader.wait(judged, deadline)

    def see_table(self) -> None:
        """Return once a look has seen the whole run; what isn't there then, isn't.

        The last look may have seen nothing because AWS could not answer: then go on for a while.

        Raises:
            ResultsUnavailableError: AWS still can't answer.
        """
        if self.reader.last_error is None:
            return
        self.reader.wait(lambda: None if self.reader.last_error else True, self.clock() + PATIENCE)
        self.reader.look()
        if self.reader.last_error:
            raise ResultsUnavailableError(
                f"results table {self.resources.results.table} could not be read for {PATIENCE:g} s"
                f" ({self.reader.last_error}), so what isn't there can't be known"
            )

    def settled(
        self, sent: Sent, found: Callable[[], list[Result] | Failure | None], deadline: float
    ) -> list[Result] | None:
        """Wait; a failure of the input ends it with an error, and its slot is free afterwards in any case."""
        try:
            # mypy would join the union to `object`.
            outcome = cast("list[Result] | Failure | None", self.look_until(found, deadline))
        finally:
            self.inflight.leave(sent.correlation_id)
        if not isinstance(outcome, Failure):
            return outcome
        headline = f"{sent.description} failed, so no (further) result will come"
        raise self.explained(InputFailedError, [headline, f"the event lies in {outcome.queue_url}"], sent)

    def failure_of(self, sent: Sent, after: int) -> Failure | None:
        """The newest failure of an input that looks after number `after` saw in a failure queue."""
        failures = self.failures.of(sent.correlation_id, after)
        return failures[-1] if failures else None

    def _failed(self, news: list[Failure]) -> None:
        for correlation_id in self.inflight.ids() if news else ():
            if any(failure.concerns(correlation_id) for failure in news):
                self.inflight.leave(correlation_id)
        self.reader.wake()

    def _looked(self, sent: Sent, before: int) -> str:
        """How often the table was read since then, and what it shows."""
        mine = self.reader.of(sent.correlation_id)
        others = len(self.reader.all()) - len(mine)
        return (
            f"looked {self.reader.looks - before} times; results in this run: {len(mine)} of this input"
            f"{by_source(mine, self.resources.sources)}, {others} of others"
        )

    def explained(
        self,
        error: type[E],
        lines: list[str],
        sent: Sent,
        matcher: Matcher | None = None,
        cause: str | None = None,
    ) -> E:
        """An error of these lines, with how far the event came below them, and whole in `report`.

        Args:
            error: Its type.
            lines: What was awaited.
            sent: The input.
            matcher: Knows why results of the input were not accepted.
            cause: What the caller knows to be the cause.
        """
        if matcher:
            misses = matcher.misses(self.reader.of(sent.correlation_id))
            report = self._explainer.explain(sent, misses, matcher.compared)
        else:
            report = self._explainer.explain(sent)
        if cause:
            report = replace(report, cause=cause)
        headline, *others = [*lines, f"sent: {sent.size:,} bytes, correlation id {sent.correlation_id}"]
        text = "\n  ".join([*map(printable, [headline, *others]), *report.terminal().split("\n")])
        explained = error(text)
        explained.report = report
        return explained

    def _check(self, sent: object) -> None:
        if not isinstance(sent, Sent):
            raise SettingError(f"{sent!r} is not a Sent; pass what a producer's send() returned")
        if sent.session_id != self.session_id:
            raise SettingError(
                f"{sent.correlation_id!r} belongs to run {sent.session_id!r}, this listener reads {self.session_id!r}"
            )
        self.inflight.note(sent.correlation_id)  # not every input goes through a producer

    def _timeout(self, name: str, value: float | None) -> float:
        return self.sla if value is None else seconds(name, value)


def seconds(name: str, value: object) -> float:
    """A number of seconds, or an error that names the argument.

    Raises:
        SettingError: It is none, negative, or has no end.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise SettingError(f"{name} is {value!r}: must be a number of seconds, 0 or more")
    return float(value)


def whole_number(name: str, value: object, least: int = 1) -> int:
    """A whole number, or an error that names the argument.

    Raises:
        SettingError: It is none, or less than `least`.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SettingError(f"{name} is {value!r}: must be a whole number from {least}")
    return value
