"""Follows a deployed system from outside of its test sessions: journal, results, logs and failure queues."""

from collections.abc import Callable
from pathlib import Path

from event_harness.aws.errors import AWS_ERRORS, message_of
from event_harness.explaining.given_up import given_up
from event_harness.explaining.platform_log import inputs_of
from event_harness.machine.clock import monotonic, timestamp
from event_harness.machine.json_lines import Tail
from event_harness.results.body_store import BodyStore
from event_harness.results.failures import FailureReader
from event_harness.results.result import Result
from event_harness.results.results_table import ResultsTable
from event_harness.results.seen import Seen
from event_harness.system.correlation import UNCORRELATED
from event_harness.system.deployed_system import DeployedSystem
from event_harness.tracing.journal import FILE, Recorded
from event_harness.tracing.timeline import Timeline
from event_harness.tracing.tracer import Tracer

_OVERLAP = 10_000  # ms that each query reaches back
_QUEUES = 5.0  # seconds between two looks into the failure queues: each hides their messages for a moment
_SESSIONS = 10.0  # seconds between two searches for sessions that no journal names
_PAGES = 10  # of one such search
_OLD = 2.0  # seconds after which an event without a result may have failed


class Follower:
    """Reads what is new about all events of a system, also of those that other processes send.

    IAM: dynamodb:Query, logs:FilterLogEvents, sqs:ReceiveMessage, sqs:ChangeMessageVisibility; without a
    journal also dynamodb:Scan.

    Args:
        system: The deployed system.
        directory: The directory of its journal; None if it has none.
        since: Epoch seconds. What is older isn't read from the logs.
        group: Only the events of this pytest session; all by default.
        clock: Seconds, monotonic.
        now: Epoch seconds.
    """

    def __init__(
        self,
        system: DeployedSystem,
        directory: Path | None,
        since: float,
        *,
        group: str | None = None,
        clock: Callable[[], float] = monotonic,
        now: Callable[[], float] = timestamp,
    ) -> None:
        target, resources = system.target, system.resources
        self.recorded = Recorded(group)
        self.tracer = Tracer(resources, target, self.recorded, since)
        self.problem: str | None = None  # why the results can't be read now
        self._journal = Tail(directory / FILE) if directory else None
        bodies = BodyStore(resources.results, target.client("dynamodb"), target.client("s3"))
        self._dynamodb = target.client("dynamodb")
        self._table = ResultsTable(resources.results, self._dynamodb, bodies)
        self._results: dict[str, Seen] = {}  # session -> its results
        self._found: set[str] = set()  # sessions that only the table names
        self.failures = FailureReader(
            resources.failure_queues,
            target.client("sqs"),
            owners=resources.owners,
            inputs_of=inputs_of(target.emulator_log),
            given_up=given_up(target.emulator_log, resources.owners),
        )
        self._journal_of_all = group is None
        self._clock = clock
        self._now = now
        self._next_queues = self._next_sessions = clock()

    def look(self, deadline: float = float("inf"), *, logs: bool = True) -> list[Timeline]:
        """Read what is new, and return all events in the order of the sends.

        Args:
            deadline: No further log is read past it, monotonic seconds.
            logs: Read the logs of the functions, too.
        """
        if self._journal:
            self.recorded.take(self._journal.objects())
        try:
            self._read_results()
            self.problem = None
        except AWS_ERRORS as error:
            self.problem = message_of(error)
        if logs:
            self.tracer.look(deadline)
        made = self._timelines()
        waiting = any(not one.arrivals and not one.failures and self._is_old(one) for one in made)
        if waiting and self._clock() >= self._next_queues:
            self.look_into_queues()
            made = self._timelines()
        return made

    def look_into_queues(self) -> None:
        """Look into the failure queues once."""
        self._next_queues = self._clock() + _QUEUES
        self.failures.look()

    def results(self) -> list[Result]:
        """All results that have been read."""
        return [result for seen in self._results.values() for result in seen.all()]

    def _timelines(self) -> list[Timeline]:
        return self.tracer.timelines(self.results(), self.failures.all())

    def _is_old(self, one: Timeline) -> bool:
        return one.sent_at is None or self._now() - one.sent_at >= _OLD

    def _read_results(self) -> None:
        if not self.recorded.sessions and self._journal_of_all and self._clock() >= self._next_sessions:
            self._next_sessions = self._clock() + _SESSIONS
            self._found |= self._sessions_of_table()
        for session in {*self.recorded.sessions, *self._found}:
            seen = self._results.setdefault(session, Seen(self._table.result))
            seen.merge(self._table.query(session, max(0, seen.newest - _OVERLAP)))

    def _sessions_of_table(self) -> set[str]:
        found: set[str] = set()
        start: dict[str, object] = {}
        for _ in range(_PAGES):
            page = self._dynamodb.scan(TableName=self._table.name, ProjectionExpression="session_id", **start)
            found |= {str(item["session_id"]["S"]) for item in page.get("Items", []) if "session_id" in item}
            if not page.get("LastEvaluatedKey"):
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        return found - {UNCORRELATED}
