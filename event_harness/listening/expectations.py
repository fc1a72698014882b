"""Asserts how many results an input has: exactly so many, or none."""

from event_harness.errors import SettingError, UnexpectedResultError, WaitTimeoutError
from event_harness.listening.outcomes import NoResult
from event_harness.listening.waiting import Waiting, seconds, whole_number
from event_harness.results.failures import Failure
from event_harness.results.result import Result
from event_harness.results.sent import Sent

SETTLE = 2.0
"""Seconds that `expect_exactly` goes on looking for one too many."""


class Expectations(Waiting):
    """The counting half of a `Listener`."""

    def expect_exactly(
        self, sent: Sent, n: int, *, settle: float = SETTLE, timeout: float | None = None
    ) -> list[Result]:
        """Wait for `n` results of an input, and see that no more come.

        A redelivery of one event isn't counted, a second event with the same content is.

        Args:
            sent: What a producer returned.
            n: How many, at least 1 (for none there is `expect_none`).
            settle: Seconds to go on looking once there are n.
            timeout: Seconds for the n to come; the SLA by default.

        Returns:
            The results, in order of event time.

        Raises:
            UnexpectedResultError: More came.
            WaitTimeoutError: Fewer came.
            InputFailedError: The input lies in an on-failure queue.
            ResultsUnavailableError: The table is gone, or access is denied.
        """
        self._check(sent)
        whole_number("n (for none use expect_none)", n)
        settle, timeout = seconds("settle", settle), self._timeout("timeout", timeout)
        began, looks, after = self.clock(), self.reader.looks, self.failures.begun

        def enough() -> list[Result] | Failure | None:
            results = self.reader.of(sent.correlation_id)
            return results if len(results) >= n else self.failure_of(sent, after)

        def too_many() -> list[Result] | None:
            results = self.reader.of(sent.correlation_id)
            return results if len(results) > n else None

        results = self.settled(sent, enough, began + timeout)
        if results is None:
            came = len(self.reader.of(sent.correlation_id))
            headline = f"{came} of {n} results for {sent.description} within {timeout:g} s"
            raise self.explained(WaitTimeoutError, [headline, self._looked(sent, looks)], sent)
        extra = too_many() or self.look_until(too_many, self.clock() + settle)
        if not extra:
            self.see_table()
            extra = too_many()
        if extra:
            listed = "".join(f"\n  {result}" for result in extra)
            raise UnexpectedResultError(
                f"{len(extra)} results for {sent.description} where exactly {n} must come:{listed}"
            )
        return self.reader.of(sent.correlation_id)

    def expect_none(
        self,
        sent: Sent,
        *,
        within: float | None = None,
        sentinel: Sent | None = None,
        ordered: bool = False,
    ) -> NoResult:
        """See that an input has no result.

        That nothing came proves something only if it would have come by now. There are two proofs:

        - The window: nothing came within it, which must be as long as a result may take. A `sentinel`,
          another input sent afterwards to the same component, shows besides that the way was alive; it must
          come too.
        - A sentinel on an ordered way, which ends the wait at its arrival. Only you can know that the way is
          ordered, and say so with `ordered=True`: what is sent first arrives first, from the component through
          the system to the listener. FIFO queues and topics (in one message group), and Kinesis and DynamoDB
          streams (for one partition key) keep order; S3, standard SQS and SNS, and EventBridge don't. Where
          the listener has several sources the sentinel must come from each of them, else the window decides.

        Args:
            sent: What a producer returned.
            within: Seconds from now; the SLA by default.
            sentinel: An input sent after it to the same component.
            ordered: The whole way keeps order.

        Returns:
            Which proof it was, and how long it took.

        Raises:
            UnexpectedResultError: A result came.
            WaitTimeoutError: The sentinel didn't come: the way may be dead, so nothing is proven.
            InputFailedError: The sentinel lies in an on-failure queue.
            ResultsUnavailableError: The table is gone, or access is denied.
        """
        self._check(sent)
        within = self._timeout("within", within)
        self._check_sentinel(sent, sentinel, ordered)
        began, looks, after = self.clock(), self.reader.looks, self.failures.begun

        def overtaken() -> list[Result] | Failure | None:
            results = self.reader.of(sent.correlation_id)
            if results or sentinel is None:
                return results or None
            came = self.reader.of(sentinel.correlation_id)
            if not came:
                return self.failure_of(sentinel, after)
            everywhere = {result.source for result in came}.issuperset(self.resources.sources)
            return came if ordered and everywhere else None

        try:
            proven = self.settled(sentinel or sent, overtaken, began + within)
            if proven:
                # What came before the sentinel may have been written while its page was being read.
                self.reader.look()
            self.see_table()
        finally:
            self.inflight.leave(sent.correlation_id)
        results = self.reader.of(sent.correlation_id)
        if results:
            listed = "".join(f"\n  {result}" for result in results)
            raise UnexpectedResultError(f"{sent.description} has results where none must come:{listed}")
        alive = self.reader.of(sentinel.correlation_id) if sentinel else []
        if sentinel and not alive:
            headline = (
                f"the sentinel {sentinel.description} didn't come within {within:g} s either,"
                " so that nothing came proves nothing"
            )
            raise self.explained(WaitTimeoutError, [headline, self._looked(sentinel, looks)], sentinel)
        return NoResult(
            proof="sentinel" if proven else "window",
            waited=self.clock() - began,
            looks=self.reader.looks - looks,
            sentinel=alive[0] if alive else None,
        )

    def _check_sentinel(self, sent: Sent, sentinel: Sent | None, ordered: bool) -> None:
        if sentinel is None:
            if ordered:
                raise SettingError("ordered=True says that a sentinel can't overtake; give the sentinel too")
            return
        self._check(sentinel)
        if sentinel.correlation_id == sent.correlation_id or sentinel.sent_at < sent.sent_at:
            raise SettingError(
                "the sentinel must be another input, sent after the one that must have no result"
            )
        if sentinel.component != sent.component:
            raise SettingError(
                f"the sentinel was sent to {sentinel.component}, not to {sent.component}: it must go the same way"
            )
