"""Waits for a batch of inputs."""

from collections.abc import Callable, Iterable

from event_harness.errors import SettingError
from event_harness.listening.batch import Batch
from event_harness.listening.counting import check_source, whole_number
from event_harness.listening.expectations import Expectations
from event_harness.listening.matching import Matcher, Until
from event_harness.listening.outcomes import SHOWN, ByInput, Collected
from event_harness.listening.recording import recorded
from event_harness.results.result import Result
from event_harness.results.sent import Sent


class Collecting(Expectations):
    """The part of a `Listener` that waits for batches."""

    @recorded
    def collect(
        self,
        sents: Iterable[Sent],
        *,
        timeout: float | None = None,
        count: int = 1,
        until: Until = None,
        source: str | None = None,
        progress: Callable[[int, int], None] | None = None,
        fail_early: bool = True,
    ) -> Collected:
        """Wait until each input of a batch has its results.

        Args:
            sents: What producers returned. A lazy `send_many(...)` is sent while this call waits.
            timeout: Seconds from the last send; the SLA by default. If inputs are missing, the call takes up
                to five seconds more: it explains how far the first of them came.
            count: The number of results that each input needs.
            until: Which results count, see `wait_for`.
            source: Only results of this source count.
            progress: Called at each change, with the number of inputs that have arrived and the number sent.
            fail_early: Don't wait for inputs that a failure queue holds.

        Returns:
            The inputs that arrived, those that are missing, those that failed, and how far the first of the
            other missing ones came. Missing inputs raise no error.

        Raises:
            SettingError: The batch is empty, or an argument can't be used.
            ResultsUnavailableError: The table is gone, access is denied, or the last read failed.
        """
        timeout = self._timeout("timeout", timeout)
        wanted = whole_number("count", count, 1)
        source = check_source(source, self.resources.sources)
        matcher = Matcher(until)

        def accepted(sent: Sent) -> list[Result]:
            """The results of an input that count."""
            return self.accepted(sent, source, matcher)

        awaited = [source] if source else None
        batch = Batch(
            accepted,
            wanted,
            self.failures,
            progress or (lambda *_: None),
            matters=lambda failure: self.matters(failure, awaited),
        )

        def found() -> bool | None:
            """True once there is nothing to wait for; None to look again."""
            batch.judge()
            return None if batch.waits_for(fail_early=fail_early) else True

        try:
            for sent in sents:
                self._check(sent)
                batch.add(sent)
            if not batch.sents:
                raise SettingError(
                    "collect: the batch is empty, so nothing could arrive; send something first"
                )
            deadline = self.clock() + timeout
            self.look_until(found, deadline)
        finally:
            for sent in batch.sents.values():
                self.inflight.leave(sent.correlation_id)
        if batch.pending:
            self.see_table(min(self.clock(), deadline))
            batch.judge()
        missing = list(batch.pending.values())
        # The failure of another branch is no reason for a missing result.
        failed = {
            key: failure
            for key, failure in batch.failed().items()
            if key not in batch.pending or key in batch.hopeless
        }
        told = [(sent, failed[sent.correlation_id]) for sent in missing if sent.correlation_id in failed]
        failed |= self._explainer.completed_by_input(told[:SHOWN])
        unexplained = [sent for sent in missing if sent.correlation_id not in failed]
        results = {key: accepted(sent) for key, sent in batch.sents.items()}
        return Collected(
            arrived=ByInput({key: found for key, found in results.items() if key not in batch.pending}),
            missing=missing,
            failed=ByInput(failed),
            report=self.explain_misses(unexplained[0], matcher, (), awaited) if unexplained else None,
            incomplete=ByInput({key: results[key] for key in batch.pending if results[key]}),
            wanted=wanted,
        )
