"""Awaits what the system under test makes of an input."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar, overload

from event_harness.correlation import check_run_id
from event_harness.errors import SettingError, WaitTimeoutError
from event_harness.failures import Failure, FailureReader, InputFailedError
from event_harness.inflight import InFlight
from event_harness.matching import Matcher, Until
from event_harness.producers import Sent
from event_harness.reader import Clock, Reader, Sleep
from event_harness.resources import ResourceMap
from event_harness.results import BodyStore, Result

if TYPE_CHECKING:
    from event_harness.targets import Target

T = TypeVar("T")

# The look law is itself a retry: botocore's own few keep a look from outlasting its deadline by much.
_QUICK = {
    "retries": {"mode": "standard", "total_max_attempts": 3},
    "connect_timeout": 2,
    "read_timeout": 5,
}
_FAILURES_AFTER, _FAILURES_EVERY = 1.0, 1.5  # seconds of silence before the first look into failure queues


@dataclass(frozen=True)
class Collected:
    """What became of a batch, by correlation id.

    Attributes:
        arrived: Results of each input that has any, in order of event time.
        missing: Inputs without a result when the wait ended.
        failed: Of the missing ones those that lie in an on-failure queue.
    """

    arrived: dict[str, list[Result]]
    missing: list[Sent]
    failed: dict[str, Failure] = field(default_factory=dict)

    def __str__(self) -> str:
        total = len(self.arrived) + len(self.missing)
        text = f"{len(self.arrived)} of {total} arrived"
        if self.missing:
            names = ", ".join(sent.description for sent in self.missing[:3])
            more = f" and {len(self.missing) - 3} more" if len(self.missing) > 3 else ""
            text += f"; missing: {names}{more}"
        for failure in list(self.failed.values())[:3]:
            text += f"; {failure}"
        return text


@dataclass(frozen=True)
class NoResult:
    """That nothing came, and how it is known.

    Attributes:
        proof: `window` (nothing came while it lasted) or `sentinel` (a later input overtook nothing).
        waited: Seconds.
        looks: How often the table was read meanwhile.
        sentinel: The sentinel's result, if there was one: the way was alive.
    """

    proof: str
    waited: float
    looks: int
    sentinel: Result | None = None

    def __str__(self) -> str:
        looked = f"{self.waited:.1f} s, {self.looks} looks"
        if self.proof == "sentinel":
            return f"nothing came before the sentinel, sent later on an ordered way ({looked})"
        alive = "; the sentinel came, so the way was alive" if self.sentinel else ""
        return f"nothing came within the window ({looked}){alive}"


class Listener:
    """Awaits results and failures of the inputs of one run; threads may share it.

    All waits of a listener share one reader (see `Reader`), so they cost one Query per look together. Once
    the table has been silent for a second, the on-failure queues are looked into as well, every 1.5 s, beside
    the looks and not between them: an input that failed ends its wait then, long before its timeout.

    IAM: dynamodb:Query on the index, dynamodb:GetItem on the table, s3:GetObject on the overflow bucket,
    sqs:ReceiveMessage and sqs:ChangeMessageVisibility on the on-failure queues.

    Args:
        resources: The deployed system.
        target: Makes the AWS clients.
        run_id: The run whose results are awaited.
        sla: Seconds within which an input must have its output: the default of every timeout.
        in_flight: The most inputs on their way at once, for producers that share `inflight`; None: no bound.
        clock: Seconds, monotonic.
        sleep: Replaces the real pause between two looks.
        spawn: Runs a look into the failure queues beside the waiting thread.
    """

    def __init__(
        self,
        resources: ResourceMap,
        target: "Target",
        run_id: str,
        *,
        sla: float,
        in_flight: int | None = None,
        clock: Clock = time.monotonic,
        sleep: Sleep | None = None,
        spawn: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self.resources = resources
        self.run_id = check_run_id(run_id)
        self.sla = _seconds("sla", sla)
        self._clock = clock
        self._spawn = spawn or _in_thread
        dynamodb = target.client("dynamodb", **_QUICK)
        bodies = BodyStore(resources.results, target.client("dynamodb"), target.client("s3"))
        self.reader = Reader(resources.results, run_id, dynamodb, bodies, clock=clock, sleep=sleep)
        self.failures = FailureReader(resources.failure_queues, target.client("sqs", **_QUICK), clock=clock)
        self.inflight = InFlight(
            in_flight, expiry=self.sla, clock=clock, wait=self._wait, noticed=self.reader.notice
        )
        self.reader.subscribe(lambda result: self.inflight.leave(result.correlation_id))
        self._failures_due = clock()
        self._failures_lock = threading.Lock()

    @overload
    def wait_for(
        self, sent: Sent, *, timeout: float | None = None, until: Until = None, fail_early: bool = True
    ) -> Result: ...

    @overload
    def wait_for(
        self,
        sent: Sent,
        *,
        count: int,
        timeout: float | None = None,
        until: Until = None,
        fail_early: bool = True,
    ) -> list[Result]: ...

    def wait_for(
        self,
        sent: Sent,
        *,
        timeout: float | None = None,
        until: Until = None,
        count: int | None = None,
        fail_early: bool = True,
    ) -> Result | list[Result]:
        """Wait for the result of an input.

        Args:
            sent: What a producer returned.
            timeout: Seconds from now; the SLA by default. 0 looks once.
            until: Which results count: all (None), those that a predicate accepts, or those with this very
                content (text, bytes or JSON). See `Matcher` for predicates that raise.
            count: Wait for so many and return a list, in order of event time.
            fail_early: End at once when this input appears in an on-failure queue.

        Returns:
            The result, or with `count` a list of them. The first by event time if more have come.

        Raises:
            WaitTimeoutError: It didn't come. The last look begins at the deadline, so the call may end one
                Query (with botocore's retries, at most about 15 s when AWS doesn't answer) after it.
            InputFailedError: The input lies in an on-failure queue.
            ResultsUnavailableError: The table is gone, or access is denied.
        """
        self._check(sent)
        timeout = self._timeout("timeout", timeout)
        wanted = _whole("count", count, 1) if count is not None else 1
        matcher = Matcher(until)
        began, looks = self._clock(), self.reader.looks

        def found() -> list[Result] | None:
            accepted = [result for result in self.reader.of(sent.correlation_id) if matcher.accepts(result)]
            if len(accepted) >= wanted:
                return accepted[:wanted]
            if fail_early:
                self._raise_failure(sent, began, len(accepted), wanted)
            return None

        try:
            results = self._wait(found, began + timeout)
        finally:
            self.inflight.leave(sent.correlation_id)
        if results is None:
            raise self._timed_out(sent, timeout, looks, wanted, matcher)
        return results[0] if count is None else results

    def collect(
        self,
        sents: Iterable[Sent],
        *,
        timeout: float | None = None,
        progress: Callable[[int, int], None] | None = None,
        fail_early: bool = True,
    ) -> Collected:
        """Wait for the results of a batch, at least one each.

        Args:
            sents: What producers returned; a lazy `send_many(...)` is sent meanwhile.
            timeout: Seconds from the last send; the SLA by default.
            progress: Called with how many have arrived and how many were sent, at each change.
            fail_early: Don't wait for inputs that appear in an on-failure queue.

        Returns:
            Who arrived, who is missing, and which of these failed. It doesn't raise for missing ones.

        Raises:
            SettingError: The batch is empty.
            ResultsUnavailableError: The table is gone, or access is denied.
        """
        timeout = self._timeout("timeout", timeout)
        began = self._clock()
        batch: list[Sent] = []
        told = (-1, -1)

        def tell() -> int:
            nonlocal told
            now = (sum(bool(self.reader.of(sent.correlation_id)) for sent in batch), len(batch))
            if progress and now != told:
                progress(*now)
            told = now
            return now[0]

        def failed() -> dict[str, Failure]:
            ids = [sent.correlation_id for sent in batch if not self.reader.of(sent.correlation_id)]
            failures = {key: self.failures.of(key, began) for key in ids}
            return {key: found[-1] for key, found in failures.items() if found}

        def found() -> bool | None:
            done = tell() + (len(failed()) if fail_early else 0)
            return True if done >= len(batch) else None

        for sent in sents:
            self._check(sent)
            batch.append(sent)
            tell()
        if not batch:
            raise SettingError("collect: the batch is empty, so nothing could arrive; send something first")
        try:
            self._wait(found, self._clock() + timeout)
        finally:
            for sent in batch:
                self.inflight.leave(sent.correlation_id)
        arrived = {sent.correlation_id: self.reader.of(sent.correlation_id) for sent in batch}
        return Collected(
            arrived={key: results for key, results in arrived.items() if results},
            missing=[sent for sent in batch if not arrived[sent.correlation_id]],
            failed=failed(),
        )

    def results(self, run_id: str | None = None) -> list[Result]:
        """All results of a run (this one by default), in order of event time, read now.

        `uncorrelated` gives the events that carried no correlation id.

        Raises:
            ResultsUnavailableError: The table can't be read.
        """
        if run_id is None or run_id == self.run_id:
            self.reader.look()
            return self.reader.all()
        return self.reader.other(run_id)

    def _wait(self, found: Callable[[], T | None], deadline: float) -> T | None:
        def judged() -> T | None:
            value = found()
            if value is None:
                self._look_for_failures()
            return value

        return self.reader.wait(judged, deadline)

    def _look_for_failures(self) -> None:
        """Start a look into the failure queues if it is time for one."""
        if not self.failures.queues or self.reader.silence() < _FAILURES_AFTER:
            return
        with self._failures_lock:
            if self._clock() < self._failures_due:
                return
            self._failures_due = float("inf")  # until this look is done
        self._spawn(self._failure_look)

    def _failure_look(self) -> None:
        try:
            news = self.failures.look()
        finally:
            self._failures_due = self._clock() + _FAILURES_EVERY
        if news:
            for correlation_id in self.inflight.ids():
                if any(failure.concerns(correlation_id) for failure in news):
                    self.inflight.leave(correlation_id)
        self.reader.wake()

    def _raise_failure(self, sent: Sent, since: float, had: int, wanted: int) -> None:
        failures = self.failures.of(sent.correlation_id, since)
        if failures:
            raise InputFailedError(
                f"{sent} failed, so its result won't come ({had} of {wanted} came): {failures[-1]};"
                f" the event lies in {failures[-1].queue_url}"
            )

    def _timed_out(
        self, sent: Sent, timeout: float, looks: int, wanted: int, matcher: Matcher
    ) -> WaitTimeoutError:
        seen = self.reader.of(sent.correlation_id)
        others = len(self.reader.all()) - len(seen)
        accepted = sum(matcher.accepts(result) for result in seen)
        lines = [
            f"no result for {sent} within {timeout:g} s"
            if wanted == 1
            else f"{accepted} of {wanted} results for {sent} within {timeout:g} s",
            f"looked {self.reader.looks - looks} times; this input has {len(seen)} results,"
            f" the run has {others} of other inputs",
        ]
        if self.reader.last_error:
            lines.append(f"the last look failed: {self.reader.last_error}")
        for result in seen:
            reason = matcher.reasons.get(result.event_id)
            if reason:
                lines += [f"not accepted: {result}", *(f"  {line}" for line in reason.splitlines())]
        return WaitTimeoutError("\n  ".join(lines))

    def _check(self, sent: object) -> None:
        if not isinstance(sent, Sent):
            raise SettingError(f"{sent!r} is not a Sent; pass what a producer's send() returned")
        if sent.run_id != self.run_id:
            raise SettingError(
                f"{sent.correlation_id!r} belongs to run {sent.run_id!r}, this listener reads {self.run_id!r}"
            )

    def _timeout(self, name: str, value: float | None) -> float:
        return self.sla if value is None else _seconds(name, value)


def _seconds(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise SettingError(f"{name} {value!r}: must be a number of seconds, 0 or more")
    return float(value)


def _whole(name: str, value: object, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SettingError(f"{name} {value!r}: must be a whole number from {least}")
    return value


def _in_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="event-harness-failures", daemon=True).start()
