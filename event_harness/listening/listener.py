"""Waits for the results and failures of inputs."""

from collections.abc import Callable, Iterable
from typing import overload

from event_harness.aws.errors import can_heal, message_of
from event_harness.errors import (
    ResultsUnavailableError,
    SettingError,
    WaitTimeoutError,
)
from event_harness.listening.expectations import Expectations
from event_harness.listening.matching import Matcher, Until
from event_harness.listening.outcomes import Collected
from event_harness.listening.waiting import whole_number
from event_harness.results.failures import Failure
from event_harness.results.result import Result, by_source
from event_harness.results.sent import Sent


class Listener(Expectations):
    """Waits for results and failures of the inputs of one test session. Threads may share it.

    See `Waiting` for its arguments and for how often it reads.
    """

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
            timeout: Seconds from now; the SLA by default. With 0 the table is read once.
            until: Which results count: all (None), those that a predicate accepts, or those with exactly this
                content (text, bytes or JSON). See `Matcher` for predicates that raise.
            count: Wait for this many results and return them as a list.
            fail_early: End the wait as soon as an on-failure queue holds this input.

        Returns:
            The result; with `count` a list of results. If more have come, the first in `Result.order`.

        Raises:
            WaitTimeoutError: No such result came. The message says how far the event came. The last look
                begins at the deadline, so the call may end later: by that Query, and by the explanation (5 s
                at most).
            InputFailedError: An on-failure queue holds the input.
            ResultsUnavailableError: The table is gone, or access is denied.
        """
        self._check(sent)
        timeout = self._timeout("timeout", timeout)
        wanted = 1 if count is None else whole_number("count", count, 1)
        matcher = Matcher(until)
        began, looks, after = self.clock(), self.reader.looks, self.failures.begun

        def found() -> list[Result] | Failure | None:
            accepted = [result for result in self.reader.of(sent.correlation_id) if matcher.accepts(result)]
            if len(accepted) >= wanted:
                return accepted[:wanted]
            return self.failure_of(sent, after) if fail_early else None

        results = self.settled(sent, found, began + timeout)
        if results is None:
            came = sum(matcher.accepts(result) for result in self.reader.of(sent.correlation_id))
            what = "no result" if wanted == 1 else f"{came} of {wanted} results"
            headline = f"{what} for {sent.description} within {timeout:g} s"
            raise self.explained(WaitTimeoutError, [headline, self._looked(sent, looks)], sent, matcher)
        return results[0] if count is None else results

    def collect(
        self,
        sents: Iterable[Sent],
        *,
        timeout: float | None = None,
        progress: Callable[[int, int], None] | None = None,
        fail_early: bool = True,
    ) -> Collected:
        """Wait until each input of a batch has a result.

        Args:
            sents: What producers returned. A lazy `send_many(...)` is sent while this call waits.
            timeout: Seconds from the last send; the SLA by default. If inputs are missing, the call takes up
                to five seconds more: it explains how far the first of them came.
            progress: Called at each change, with the number of inputs that have arrived and the number sent.
            fail_early: Don't wait for inputs that an on-failure queue holds.

        Returns:
            The inputs that arrived, those that are missing, those of the missing that failed, and how far the
            first of the others came. Missing inputs raise no error.

        Raises:
            SettingError: The batch is empty.
            ResultsUnavailableError: The table is gone, access is denied, or the last read failed.
        """
        timeout = self._timeout("timeout", timeout)
        after = self.failures.begun
        batch: list[Sent] = []
        told = (-1, -1)
        failures: dict[str, Failure] = {}
        failure_looks = -1

        def tell() -> int:
            nonlocal told
            now = (sum(self.reader.has(sent.correlation_id) for sent in batch), len(batch))
            if progress and now != told:
                progress(*now)
            told = now
            return now[0]

        def failed() -> dict[str, Failure]:
            nonlocal failure_looks
            if self.failures.looks != failure_looks:
                failure_looks = self.failures.looks
                found = ((sent.correlation_id, self.failure_of(sent, after)) for sent in batch)
                failures.update({key: failure for key, failure in found if failure})
            return {key: failure for key, failure in failures.items() if not self.reader.has(key)}

        def found() -> bool | None:
            done = tell() + (len(failed()) if fail_early else 0)
            return True if done >= len(batch) else None

        try:
            for sent in sents:
                self._check(sent)
                batch.append(sent)
                tell()
            if not batch:
                raise SettingError(
                    "collect: the batch is empty, so nothing could arrive; send something first"
                )
            self.look_until(found, self.clock() + timeout)
        finally:
            for sent in batch:
                self.inflight.leave(sent.correlation_id)
        if not all(self.reader.has(sent.correlation_id) for sent in batch):
            self.see_table()
        arrived = {sent.correlation_id: self.reader.of(sent.correlation_id) for sent in batch}
        missing = [sent for sent in batch if not arrived[sent.correlation_id]]
        unexplained = [sent for sent in missing if sent.correlation_id not in failed()]
        return Collected(
            arrived={key: results for key, results in arrived.items() if results},
            missing=missing,
            failed=failed(),
            report=self.explain(unexplained[0]) if unexplained else None,
        )

    def wait_for_failure(self, sent: Sent, *, timeout: float | None = None) -> Failure:
        """Wait until an on-failure queue holds an input. The message stays in the queue.

        Args:
            sent: What a producer returned.
            timeout: Seconds from now; the SLA by default. AWS retries the function before it gives up, which
                may take minutes.

        Raises:
            WaitTimeoutError: No on-failure queue got the input.
            ResultsUnavailableError: A queue is gone, or access is denied.
            SettingError: The resource map names no on-failure queue.
        """
        self._check(sent)
        timeout = self._timeout("timeout", timeout)
        queues = self.failures.queues
        if not queues:
            raise SettingError(
                f"{self.resources.origin}: no component has a failure_queue_url, so no failure can be awaited"
            )
        began, looks, after = self.clock(), self.failures.looks, self.failures.begun
        while True:
            now = self.clock()
            self._watch.look()
            failure = self.failure_of(sent, after)
            if failure:
                self.inflight.leave(sent.correlation_id)
                return self._explainer.completed(sent, failure)
            for url, error in self.failures.errors.items():
                if not can_heal(error):
                    raise ResultsUnavailableError(
                        f"on-failure queue {url} can't be read ({message_of(error)}); is it still deployed,"
                        " and have you sqs:ReceiveMessage and sqs:ChangeMessageVisibility on it?"
                    ) from error
            if now >= began + timeout:
                break
            pause = min(max(0.1, 0.1 * (now - began)), 1.0)
            self._sleep(min(pause, max(began + timeout - now, 0.001)))
        self.inflight.leave(sent.correlation_id)
        names = ", ".join(sorted(set(queues.values())))
        self.reader.look()
        results = self.reader.of(sent.correlation_id)
        raise self.explained(
            WaitTimeoutError,
            [
                f"no failure of {sent.description} within {timeout:g} s",
                f"looked {self.failures.looks - looks} times into the failure queues of {names}",
            ],
            sent,
            cause=f"no failure: every source has a result{by_source(results, self.resources.sources)}"
            if results and {result.source for result in results}.issuperset(self.resources.sources)
            else None,
        )
