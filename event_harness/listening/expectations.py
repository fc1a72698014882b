"""Asserts the number of results of an input: an exact number, or none."""

from collections.abc import Mapping

from event_harness.errors import SettingError, UnexpectedResultError, WaitTimeoutError
from event_harness.listening.adopting import Adopting
from event_harness.listening.counting import Expected, check_source
from event_harness.listening.durations import seconds
from event_harness.listening.outcomes import NoResult
from event_harness.listening.recording import recorded
from event_harness.results.failures import Failure
from event_harness.results.result import Result
from event_harness.results.sent import Sent

SETTLE = 2.0
"""Seconds for which `expect_exactly` goes on looking for one result too many."""


class Expectations(Adopting):
    """The part of a `Listener` that counts results."""

    @recorded
    def expect_exactly(
        self,
        sent: Sent,
        n: int | Mapping[str, int],
        *,
        source: str | None = None,
        settle: float = SETTLE,
        timeout: float | None = None,
    ) -> list[Result]:
        """Wait for `n` results of an input, and check that no more come.

        A second event with the same content counts. A redelivery of one event doesn't.

        Args:
            sent: What a producer returned.
            n: The number of results, 1 or more; or the name of each source with its number, such as
                `{"payouts": 2, "audit": 1}`: then no other source may have a result. For none use
                `expect_none`.
            source: Only results of this source count.
            settle: Seconds to go on looking after n results have come.
            timeout: Seconds for the n results to come; the SLA by default.

        Returns:
            The results that count, sorted by `in_order`.

        Raises:
            UnexpectedResultError: More results came, or one that the listener could not store.
            WaitTimeoutError: Fewer results came.
            InputFailedError: A failure queue holds the input.
            ResultsUnavailableError: The table is gone, or access is denied.
            SettingError: The listener has no such source, or another argument can't be used.
        """
        self._check(sent)
        expected = Expected.of(n, source, self.resources.sources)
        settle, timeout = seconds("settle", settle), self._timeout("timeout", timeout)
        began, looks, after = self.clock(), self.reader.looks, self.failures.begun

        def all_of_it() -> list[Result]:
            """All results of the input so far."""
            return self.reader.of(sent.correlation_id)

        def enough() -> list[Result] | Failure | None:
            """The results once there are enough, or a failure; None to look again."""
            results = all_of_it()
            if expected.over(results) or not expected.short(results):
                return results
            return self.failure_of(sent, after, expected.awaited)

        def too_many() -> list[Result] | None:
            """The results once there are too many; None to look again."""
            results = all_of_it()
            return results if expected.over(results) else None

        if self.settled(sent, enough, began + timeout, expected.awaited) is None:
            headline = f"{expected.tally(all_of_it())} for {sent.description} within {timeout:g} s"
            lines = [headline, self._looked(sent, looks)]
            raise self.explained(WaitTimeoutError, lines, sent, awaited=expected.awaited)
        until = self.clock() + settle
        extra = too_many() or self.look_until(too_many, until, [sent.correlation_id])
        if not extra:
            self.see_table(until)
            extra = too_many()
        if extra:
            counted = expected.counted(extra)
            listed = "".join(f"\n  {result}" for result in counted)
            raise UnexpectedResultError(
                f"{len(counted)} results for {sent.description} where {expected} must come:{listed}"
            )
        self._check_stored(sent, after)
        return expected.counted(all_of_it())

    @recorded
    def expect_none(
        self,
        sent: Sent,
        *,
        source: str | None = None,
        within: float | None = None,
        sentinel: Sent | None = None,
        ordered: bool = False,
    ) -> NoResult:
        """Check that an input has no result.

        Silence proves something only if a result would have come by now. There are two proofs:

        - A window: nothing came within it. Make it as long as a result may take. Add a `sentinel`, another
          input that you sent later to the same component: it must come, and so shows that the system works.
        - A sentinel on an ordered path: it ends the wait as soon as it arrives. Say `ordered=True` only if
          the whole path keeps order, from the component through the system to the listener. FIFO queues and
          topics keep order within one message group (send both inputs with the same `group_id`), Kinesis and
          DynamoDB streams within one shard. S3, standard SQS and SNS, and EventBridge don't. If the listener
          has several sources, the sentinel must come from each of them, or from `source`; otherwise the
          window decides.

        Args:
            sent: What a producer returned.
            source: Only results of this source count, those of the sentinel too.
            within: Seconds from now; the SLA by default.
            sentinel: Another input, sent later to the same component.
            ordered: Whether the whole path keeps order.

        Returns:
            The kind of proof, and how long it took.

        Raises:
            UnexpectedResultError: A result came, or one that the listener could not store.
            WaitTimeoutError: The sentinel didn't come, so the system may be broken and nothing is proven. Or
                the listener could not store some records of a stream: the result may be among them.
            InputFailedError: A failure queue holds the sentinel.
            ResultsUnavailableError: The table is gone, or access is denied.
            SettingError: The listener has no such source, or another argument can't be used.
        """
        self._check(sent)
        source = check_source(source, self.resources.sources)
        within = self._timeout("within", within)
        self._check_sentinel(sent, sentinel, ordered)
        began, looks, after = self.clock(), self.reader.looks, self.failures.begun
        needed = {source} if source else set(self.resources.sources)
        awaited = needed if source else None

        def of(one: Sent) -> list[Result]:
            """The results of an input that count."""
            return self.accepted(one, source)

        def overtaken() -> list[Result] | Failure | None:
            """What ends the wait: a result, a failure, or the sentinel's arrival; None to look again."""
            results = of(sent)
            if results or sentinel is None:
                return results or None
            came = of(sentinel)
            if not came:
                return self.failure_of(sentinel, after, awaited)
            return came if ordered and {result.source for result in came} >= needed else None

        try:
            proven = self.settled(sentinel or sent, overtaken, began + within, awaited, others=[sent])
            since = began + within
            if proven:
                # A result before the sentinel may have been written while the sentinel's page was being read.
                since = self.clock()
                self.reader.look()
            self.see_table(since)
        finally:
            self.inflight.leave(sent.correlation_id)
        results = of(sent)
        if results:
            listed = "".join(f"\n  {result}" for result in results)
            raise UnexpectedResultError(f"{sent.description} has results where none must come:{listed}")
        alive = of(sentinel) if sentinel else []
        if sentinel and not alive:
            headline = (
                f"the sentinel {sentinel.description} didn't come within {within:g} s either,"
                " so the silence proves nothing"
            )
            lines = [headline, self._looked(sentinel, looks)]
            raise self.explained(WaitTimeoutError, lines, sentinel, awaited=awaited)
        self._check_stored(sent, after)
        self._check_streams(sent, after)
        return NoResult(
            proof="sentinel" if proven else "window",
            waited=self.clock() - began,
            looks=self.reader.looks - looks,
            sentinel=alive[0] if alive else None,
        )

    def _check_stored(self, sent: Sent, after: int) -> None:
        """See that the listener's own failure queue holds no result of an input.

        Raises:
            UnexpectedResultError: It holds one.
        """
        for failure in self._listener_failures(after):
            if failure.concerns(sent.correlation_id):
                raise UnexpectedResultError(
                    f"a result of {sent.description} came that the listener could not store: {failure};"
                    f" the event is in {failure.queue_url}"
                )

    def _check_streams(self, sent: Sent, after: int) -> None:
        """See that the listener stored all records of streams since an input was sent.

        Raises:
            WaitTimeoutError: It did not. The message in its failure queue doesn't hold the records.
        """
        since = sent.sent_at - self.target.skew
        lost = [
            failure
            for failure in self._listener_failures(after, look=False)
            if failure.event is None and (not failure.failed_at or failure.failed_at.timestamp() >= since)
        ]
        if lost:
            raise self.explained(
                WaitTimeoutError,
                [
                    "the listener could not store records of a stream, so the silence proves nothing",
                    str(lost[0]),
                ],
                sent,
            )

    def _listener_failures(self, after: int, *, look: bool = True) -> list[Failure]:
        queue = self.resources.listener.failure_queue_url
        if queue is None:
            return []
        if look:
            self.look_into_queues()
        mine = (failure for failure in self.failures.all(after) if failure.queue_url == queue)
        return [failure for failure in mine if failure.component == "event_listener"]

    def _check_sentinel(self, sent: Sent, sentinel: Sent | None, ordered: bool) -> None:
        if sentinel is None:
            if ordered:
                raise SettingError("ordered=True needs a sentinel: give the input that you sent last")
            return
        self._check(sentinel)
        if sentinel.correlation_id == sent.correlation_id or sentinel.sent_at < sent.sent_at:
            raise SettingError(
                "the sentinel must be another input, sent after the input that must have no result"
            )
        if sentinel.component != sent.component:
            raise SettingError(
                f"the sentinel was sent to {sentinel.component}: send it to {sent.component}, too"
            )
