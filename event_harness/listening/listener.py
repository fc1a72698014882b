"""Waits for the results and failures of inputs."""

from typing import overload

from event_harness.aws.errors import can_heal, message_of
from event_harness.errors import ResultsUnavailableError, SettingError, WaitTimeoutError
from event_harness.listening.counting import check_source, whole_number
from event_harness.listening.matching import Matcher, Until
from event_harness.listening.measuring import Measuring
from event_harness.listening.recording import recorded
from event_harness.results.failures import Failure
from event_harness.results.look_interval import SHORTEST
from event_harness.results.reader import STALLED
from event_harness.results.result import Result, by_source
from event_harness.results.sent import Sent


class Listener(Measuring):
    """Waits for results and failures of the inputs of one test session. Threads may share it.

    See `Waiting` for its arguments and for how often it reads.
    """

    @overload
    def wait_for(
        self,
        sent: Sent,
        *,
        timeout: float | None = None,
        until: Until = None,
        source: str | None = None,
        fail_early: bool = True,
    ) -> Result: ...

    @overload
    def wait_for(
        self,
        sent: Sent,
        *,
        count: int,
        timeout: float | None = None,
        until: Until = None,
        source: str | None = None,
        fail_early: bool = True,
    ) -> list[Result]: ...

    @recorded
    def wait_for(
        self,
        sent: Sent,
        *,
        timeout: float | None = None,
        until: Until = None,
        count: int | None = None,
        source: str | None = None,
        fail_early: bool = True,
    ) -> Result | list[Result]:
        """Wait for the result of an input.

        Args:
            sent: What a producer returned.
            timeout: Seconds from now; the SLA by default. With 0 the table is read once.
            until: Which results count: all (None), those that a predicate accepts, or those with exactly this
                content (text, bytes or JSON). See `Matcher` for predicates that raise.
            count: Wait for this many results and return them as a list.
            source: Only results of this source count.
            fail_early: End the wait as soon as a failure queue holds this input. With `source`, only the
                failure of a component counts that may lead to the source.

        Returns:
            The result; with `count` a list of results, sorted by `in_order`. If more have come, the first.

        Raises:
            WaitTimeoutError: No such result came. The message says how far the event came. The last look
                begins at the deadline, so the call may end later: by that Query, and by the explanation (5 s
                at most).
            InputFailedError: A failure queue holds the input.
            ResultsUnavailableError: The table is gone, or access is denied.
            SettingError: The listener has no such source, or another argument can't be used.
        """
        self._check(sent)
        source = check_source(source, self.resources.sources)
        timeout = self._timeout("timeout", timeout)
        wanted = 1 if count is None else whole_number("count", count, 1)
        matcher, awaited = Matcher(until), [source] if source else None
        began, looks, after = self.clock(), self.reader.looks, self.failures.begun

        def found() -> list[Result] | Failure | None:
            """The results once there are enough, or a failure; None to look again."""
            accepted = self.accepted(sent, source, matcher)
            if len(accepted) >= wanted:
                return accepted[:wanted]
            return self.failure_of(sent, after, awaited) if fail_early else None

        results = self.settled(sent, found, began + timeout, awaited)
        if results is None:
            came = len(self.accepted(sent, source, matcher))
            what = "no result" if wanted == 1 else f"{came} of {wanted} results"
            origin = f" from {source}" if source else ""
            headline = f"{what}{origin} for {sent.description} within {timeout:g} s"
            lines = [headline, self._looked(sent, looks)]
            raise self.explained(WaitTimeoutError, lines, sent, matcher, awaited=awaited)
        return results[0] if count is None else results

    @recorded
    def wait_for_failure(self, sent: Sent, *, timeout: float | None = None) -> Failure:
        """Wait until a failure queue holds an input. The message stays in the queue.

        Args:
            sent: What a producer returned.
            timeout: Seconds from now; the SLA by default. AWS retries the function before it gives up, which
                may take minutes.

        Raises:
            WaitTimeoutError: No failure queue got the input.
            ResultsUnavailableError: A queue is gone, or access is denied.
            SettingError: The resource map names no failure queue.
        """
        self._check(sent)
        timeout = self._timeout("timeout", timeout)
        queues = self.failures.queues
        if not queues:
            raise SettingError(
                f"{self.resources.origin}: no component has a failure_queue_url, so no failure can be awaited"
            )
        began, looks, after = self.clock(), self.failures.looks, self.failures.begun
        try:
            while True:
                now = self.clock()
                self.look_into_queues(lambda: self.failure_of(sent, after))
                if (failure := self.failure_of(sent, after)) and failure.queue_url:
                    failure = self._explainer.completed(sent, failure)
                    self._let_look_end()
                    return failure
                self._check_queues()
                if now >= began + timeout:
                    break
                pause = min(max(0.1, 0.1 * (now - began)), 1.0)
                self._sleep(min(pause, max(began + timeout - self.clock(), 0.001)))
        finally:
            self.inflight.leave(sent.correlation_id)
        names = ", ".join(name.replace(" or ", ", ") for name in dict.fromkeys(queues.values()))
        self.reader.look()
        raise self.explained(
            WaitTimeoutError,
            [
                f"no failure of {sent.description} within {timeout:g} s",
                f"looked {self.failures.looks - looks} times into the failure queues of {names}",
            ],
            sent,
            cause=self._results_instead(sent),
        )

    def _let_look_end(self) -> None:
        """Wait until the messages of a look are back in their queue, for `STALLED` seconds at most."""
        until = self.clock() + STALLED
        while self.failures.looking and self.clock() < until:
            self._sleep(SHORTEST)

    def _check_queues(self) -> None:
        for url, error in list(self.failures.errors.items()):
            if not can_heal(error):
                raise ResultsUnavailableError(
                    f"failure queue {url} can't be read ({message_of(error)}); is it still deployed,"
                    " and have you sqs:ReceiveMessage and sqs:ChangeMessageVisibility on it?"
                ) from error

    def _results_instead(self, sent: Sent) -> str | None:
        """Say that an input did not fail; None if that isn't known."""
        results = self.reader.of(sent.correlation_id)
        came = {result.source for result in results}
        silent = [name for name in self.resources.sources if name not in came]
        if not results or silent:
            return None  # the explanation says which sources have none
        return f"no failure: every source has a result{by_source(results, self.resources.sources)}"
