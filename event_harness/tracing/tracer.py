"""Follows the events of a deployed system: reads what is new in its logs, its results and its queues."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from event_harness.aws.errors import AWS_ERRORS, code_of, message_of
from event_harness.aws.targets import Target
from event_harness.explaining.log_lines import Line, parsed
from event_harness.machine.clock import monotonic
from event_harness.machine.json_lines import Tail
from event_harness.results.failure import Failure
from event_harness.results.result import Result
from event_harness.system.resources import ResourceMap
from event_harness.tracing.attribution import Attribution
from event_harness.tracing.invocations import Invocations
from event_harness.tracing.joining import LISTENER, timelines
from event_harness.tracing.journal import Recorded
from event_harness.tracing.timeline import Timeline

_OVERLAP = 10_000  # ms that each reading of a log reaches back: lines become visible late
_PAGES = 100  # of one reading of one log
_QUICK = {
    "retries": {"mode": "standard", "total_max_attempts": 2},
    "connect_timeout": 2,
    "read_timeout": 4,
}


class Tracer:
    """Joins what is known of a system's events. `look` reads what is new; `timelines` tells all.

    IAM: logs:FilterLogEvents.

    Args:
        resources: The deployed system.
        target: Makes the AWS clients.
        recorded: What the journal tells; somebody else reads it.
        since: Epoch seconds. Older log lines are not read.
    """

    def __init__(self, resources: ResourceMap, target: Target, recorded: Recorded, since: float) -> None:
        self.resources = resources
        self.recorded = recorded
        self.problems: dict[str, str] = {}  # component -> why its log can't be read
        self._inputs = Attribution(
            source.at for source in resources.sources.values() if source.correlation == "key"
        )
        self.invocations = Invocations(self._inputs)
        self._target = target
        self._logs = _logs(resources)
        self._functions = {
            str(component.function).rpartition(":")[2]: component.name
            for component in resources.components
            if component.function
        } | {resources.listener.function.rpartition(":")[2]: LISTENER}
        self._readers = {
            name: _LogReader(target, group, int((since - target.skew) * 1000))
            for name, group in self._logs.items()
        }
        self._emulator = Tail(target.emulator_log) if target.emulator_log else None

    def look(self, deadline: float = float("inf"), only: Iterable[str] | None = None) -> None:
        """Read what is new in the logs.

        Args:
            deadline: No further log is read past it, monotonic seconds.
            only: The components whose logs are read; all by default.
        """
        self._learn()
        wanted = set(self._logs if only is None else only)
        for name, reader in self._readers.items():
            if name not in wanted:
                continue
            if monotonic() >= deadline:
                self.problems.setdefault(name, "not read: there was no time left")
                continue
            try:
                self.invocations.log(name, reader.new(deadline))
                self.problems.pop(name, None)
            except AWS_ERRORS as error:
                self.problems[name] = message_of(error)
        if self._emulator:
            self.invocations.emulator_log(self._emulator.text(), self._functions.get)

    def timelines(self, results: Iterable[Result], failures: Iterable[Failure] = ()) -> list[Timeline]:
        """All events, in the order of the sends.

        Args:
            results: All results that are known.
            failures: All messages of the failure queues that are known.
        """
        results = [one for one in results if one.correlation_id not in self.recorded.ignored]
        self._learn()
        for result in results:
            if result.correlation_id:
                self._inputs.add(result.correlation_id)
        return timelines(
            self.recorded.inputs,
            self.resources,
            self._inputs,
            self.invocations,
            results,
            failures=list(failures),
            seen=self.recorded.seen,
            waits=self.recorded.waits,
        )

    def named_in(self, text: str) -> set[str]:
        """The inputs that a text names."""
        return self._inputs.named_in(text)

    def _learn(self) -> None:
        for one in list(self.recorded.inputs.values()):
            self._inputs.add(one.correlation_id, one.message_id)


def _logs(resources: ResourceMap) -> dict[str, str]:
    """Component -> log group, for every function; the listener's comes last."""
    logs = {one.name: one.log_group for one in resources.components if one.log_group}
    return logs | {LISTENER: resources.listener.log_group}


class _LogReader:
    """Reads the new lines of one log group."""

    def __init__(self, target: Target, group: str, since: int) -> None:
        self._target = target
        self._group = group
        self._since = max(0, since)
        self._seen: Counter[tuple[str, int, str]] = Counter()  # events of the overlap

    def new(self, deadline: float) -> list[Line]:
        """The lines that earlier readings have not returned. A group that isn't there yet has none."""
        events = self._read(deadline)
        counts: Counter[tuple[str, int, str]] = Counter()
        fresh: list[Mapping[str, Any]] = []
        for event in events:
            key = _identity(event)
            counts[key] += 1
            if counts[key] > self._seen[key]:
                fresh.append(event)
        newest = max((int(event.get("timestamp", 0)) for event in events), default=0)
        self._since = max(self._since, newest - _OVERLAP)
        self._seen = Counter({key: n for key, n in counts.items() if key[1] >= self._since})
        # A line without a request id belongs to the request before it, so all are parsed.
        lines = zip(sorted(events, key=lambda event: event.get("timestamp", 0)), parsed(events), strict=True)
        new = Counter(map(id, fresh))
        return [line for event, line in lines if new[id(event)]]

    def _read(self, deadline: float) -> list[Mapping[str, Any]]:
        client = self._target.client("logs", **_QUICK)
        events: list[Mapping[str, Any]] = []
        token: dict[str, Any] = {}
        for _ in range(_PAGES):
            try:
                page = client.filter_log_events(logGroupName=self._group, startTime=self._since, **token)
            except AWS_ERRORS as error:
                if code_of(error) == "ResourceNotFoundException":
                    return []
                raise
            events += page.get("events", [])
            if not page.get("nextToken") or monotonic() >= deadline:
                break
            token = {"nextToken": page["nextToken"]}
        return events


def _identity(event: Mapping[str, Any]) -> tuple[str, int, str]:
    """What tells an event of a log from others; the emulator gives events no id."""
    named = event.get("eventId")
    if named:
        return str(named), int(event.get("timestamp", 0)), ""
    return (
        str(event.get("logStreamName", "")),
        int(event.get("timestamp", 0)),
        str(event.get("message", "")),
    )
