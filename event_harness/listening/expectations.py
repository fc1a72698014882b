"""Asserts the number of results of an input: an exact number, or none."""

from event_harness.errors import SettingError, UnexpectedResultError, WaitTimeoutError
from event_harness.listening.outcomes import NoResult
from event_harness.listening.waiting import Waiting, seconds, whole_number
from event_harness.results.failures import Failure
from event_harness.results.result import Result
from event_harness.results.sent import Sent

SETTLE = 2.0
"""Seconds for which `expect_exactly` goes on looking for one result too many."""


class Expectations(Waiting):
    """The part of a `Listener` that counts results."""

    def expect_exactly(
        self, sent: Sent, n: int, *, settle: float = SETTLE, timeout: float | None = None
    ) -> list[Result]:
        """Wait for `n` results of an input, and check that no more come.

        A second event with the same content counts. A redelivery of one event doesn't.

        Args:
            sent: What a producer returned.
            n: The number of results, 1 or more. For none use `expect_none`.
            settle: Seconds to go on looking after n results have come.
            timeout: Seconds for the n results to come; the SLA by default.

        Returns:
            The results, in `Result.order`.

        Raises:
            UnexpectedResultError: More results came.
            WaitTimeoutError: Fewer results came.
            InputFailedError: An on-failure queue holds the input.
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
        """Check that an input has no result.

        Silence proves something only if a result would have come by now. There are two proofs:

        - A window: nothing came within it. Make it as long as a result may take. Add a `sentinel`, another
          input that you sent later to the same component: it must come, and so shows that the system works.
        - A sentinel on an ordered path: it ends the wait as soon as it arrives. Say `ordered=True` only if
          the whole path keeps order, from the component through the system to the listener. FIFO queues and
          topics keep order within one message group, Kinesis and DynamoDB streams within one partition key.
          S3, standard SQS and SNS, and EventBridge don't. If the listener has several sources, the sentinel
          must come from each of them; otherwise the window decides.

        Args:
            sent: What a producer returned.
            within: Seconds from now; the SLA by default.
            sentinel: Another input, sent later to the same component.
            ordered: Whether the whole path keeps order.

        Returns:
            The kind of proof, and how long it took.

        Raises:
            UnexpectedResultError: A result came.
            WaitTimeoutError: The sentinel didn't come, so the system may be broken and nothing is proven.
            InputFailedError: An on-failure queue holds the sentinel.
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
                # A result before the sentinel may have been written while the sentinel's page was being read.
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
                " so the silence proves nothing"
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
