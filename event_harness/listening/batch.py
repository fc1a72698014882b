"""A batch of inputs: those that have arrived, those that are pending, and those that failed."""

from collections.abc import Callable, Sequence

from event_harness.results.failures import Failure, FailureReader
from event_harness.results.sent import Sent


class Batch:
    """Follows the inputs of a batch. An input that has arrived is judged no more.

    Args:
        accepted: Returns the accepted results of an input.
        wanted: The number of results that each input needs.
        failures: The failure queues. Only looks from now on count.
        progress: Called at each change, with the number of inputs that have arrived and the number sent.
        matters: Tells whether a failure keeps an awaited result from coming.
    """

    def __init__(
        self,
        accepted: Callable[[Sent], Sequence[object]],
        wanted: int,
        failures: FailureReader,
        progress: Callable[[int, int], None],
        matters: Callable[[Failure], bool] = lambda _failure: True,
    ) -> None:
        self.sents: dict[str, Sent] = {}
        self.pending: dict[str, Sent] = {}
        self._accepted = accepted
        self._wanted = wanted
        self._failures = failures
        self._progress = progress
        self._told = (-1, -1)
        self._after = failures.begun
        self._looks = -1  # number of looks into the failure queues that `_failed` knows
        self._matters = matters
        self._failed: dict[str, Failure] = {}
        self.hopeless: set[str] = set()  # inputs with a failure that matters

    def add(self, sent: Sent) -> None:
        """Add an input that was sent."""
        self.sents[sent.correlation_id] = self.pending[sent.correlation_id] = sent
        self.judge()

    def judge(self) -> None:
        """See which inputs have arrived, and tell the progress."""
        for key, sent in list(self.pending.items()):
            if len(self._accepted(sent)) >= self._wanted:
                del self.pending[key]
        now = (len(self.sents) - len(self.pending), len(self.sents))
        if now != self._told:
            self._progress(*now)
        self._told = now

    def waits_for(self, *, fail_early: bool) -> bool:
        """Whether an input is pending; with `fail_early`, one that has not failed."""
        self.failed()
        return any(not fail_early or key not in self.hopeless for key in self.pending)

    def failed(self) -> dict[str, Failure]:
        """Correlation id -> failure, for each input that a look has seen in a failure queue."""
        if self._failures.looks != self._looks:
            self._looks = self._failures.looks
            for session_id in {sent.session_id for sent in self.sents.values()}:
                failed = self._failures.by_input(session_id, self._after)
                self._failed |= {key: failure for key, failure in failed.items() if key in self.sents}
                hopeless = self._failures.by_input(session_id, self._after, self._matters)
                self.hopeless.update(key for key in hopeless if key in self.sents)
        return self._failed
