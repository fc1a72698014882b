"""What a function's log says of one input."""

import json
import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from event_harness.errors import HarnessError
from event_harness.system.correlation import SESSION_ID, ULID

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient

_PAGES, _EVENTS = 50, 10_000
"""As much of a log as is read: CloudWatch hands out empty pages on the way to what matches."""
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_REQUEST = re.compile(rf"(?:Request ?Id:? ?\"?)?({_UUID})", re.IGNORECASE)
_START = re.compile(rf"^START RequestId: ({_UUID})")
_TRACEBACK = "Traceback (most recent call last)"
# Ids of other sessions on the same system: a run id before a ULID.
_OTHER = f"{SESSION_ID}/{ULID}"
_ERROR = re.compile(
    r"\[(ERROR|CRITICAL)\]|Task timed out|Unable to import|errorMessage|Runtime\.\w+|Status: (error|timeout)"
    r"|exited (with|unexpectedly)|^[\w.]*(Error|Exception|Interrupt)\b"
)


@dataclass(frozen=True)
class Line:
    """One line of a log: when, what, of which request, whether it tells of an error, of which input."""

    at: datetime
    text: str
    request_id: str | None
    is_error: bool
    correlation_id: str | None
    starts: bool

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S}.{self.at.microsecond // 1000:03} {self.text}"


def told(lines: Iterable[Line]) -> tuple[str, ...]:
    """Lines for a person; the request stands once, behind the last line that it has in a row."""
    shown: list[str] = []
    last = None
    for line in lines:
        if last == line.request_id and shown:
            shown[-1] = shown[-1].removesuffix(f" (request {last})")
        last = line.request_id
        shown.append(f"{line} (request {last})" if last else str(line))
    return tuple(shown)


@dataclass(frozen=True)
class LogView:
    """The lines of a function since a moment, and those that concern one input.

    Attributes:
        invocations: How often the function was started.
        for_others: How often of these it was for other inputs only.
        unclear: How often of these its lines name no input and tell of no error.
        mine: Lines that carry the input's id, and the errors of the same requests.
        errors: Lines that tell of an error, but for those of other inputs' requests.
        elsewhere: Another correlation id that contains the input's case, if a line names one.
        strange: Correlation ids that lines name and that no run of the harness has made.
    """

    invocations: int
    for_others: int
    unclear: int
    mine: list[Line]
    errors: list[Line]
    elsewhere: str | None
    strange: tuple[str, ...]

    @property
    def my_errors(self) -> list[Line]:
        """The errors of this input."""
        return [line for line in self.mine if line.is_error]


def read_log(
    client: "CloudWatchLogsClient",
    log_group: str,
    since: float,
    correlation_id: str,
    foreign: Collection[str | None] = (),
    *,
    was_sent: Callable[[str], bool] = lambda _id: False,
    deadline: float = float("inf"),
) -> LogView:
    """Read a log group from `since` (epoch s) on: all of it, or as much as fits. IAM: logs:FilterLogEvents.

    No filter pattern: the lines around those of the input count too, and emulators know but plain terms.

    Args:
        client: CloudWatch Logs.
        log_group: Its name.
        since: Epoch seconds.
        correlation_id: The input.
        foreign: Requests that are known to be of other inputs.
        was_sent: Whether a correlation id is that of an input of this session.
        deadline: When to stop reading, monotonic seconds.

    Raises:
        HarnessError: It is too long to be read whole, and what was read says nothing of the input.
    """
    events: list[Mapping[str, Any]] = []
    token: dict[str, str] = {}
    for _ in range(_PAGES):
        page = client.filter_log_events(logGroupName=log_group, startTime=int(since * 1000), **token)  # type: ignore[arg-type]
        events += page.get("events", [])
        token = {"nextToken": page["nextToken"]} if page.get("nextToken") else {}
        if not token or len(events) >= _EVENTS or time.monotonic() >= deadline:
            break
    found = view(events, correlation_id, foreign, was_sent)
    if token and not found.mine:
        raise HarnessError(f"{log_group} has too many lines since the send to read them all in time")
    return found


def view(
    events: Iterable[Mapping[str, Any]],
    correlation_id: str,
    foreign: Collection[str | None] = (),
    was_sent: Callable[[str], bool] = lambda _id: False,
) -> LogView:
    """Sort out the events of a log by what they say of one input."""
    streams: dict[str, _Stream] = {}
    lines = [_line(event, streams) for event in sorted(events, key=lambda event: event.get("timestamp", 0))]
    run, _, case = correlation_id.partition("/")
    case = case.partition("/")[0] or correlation_id
    its_case = re.compile(rf"(?<![\w-]){re.escape(case)}(?![\w-])")
    any_id = re.compile(rf"(?<![\w-])(?:{re.escape(run)}/\w|{_OTHER})")
    made_by_a_run = re.compile(rf"{re.escape(run)}/|{SESSION_ID}/")

    def names_it(line: Line) -> bool:
        if line.correlation_id is not None:
            return line.correlation_id == correlation_id
        return bool(its_case.search(unquote_plus(line.text)))

    def names_another(line: Line) -> bool:
        return not names_it(line) and bool(line.correlation_id or any_id.search(unquote_plus(line.text)))

    mine = {line.request_id for line in lines if names_it(line)} - {None}
    others = ({line.request_id for line in lines if names_another(line)} | set(foreign)) - mine - {None}
    erring = {line.request_id for line in lines if line.is_error}
    named = [line.correlation_id for line in lines if line.correlation_id and not names_it(line)]
    return LogView(
        invocations=sum(line.starts for line in lines),
        for_others=sum(line.starts and line.request_id in others for line in lines),
        unclear=sum(line.starts and line.request_id not in others | mine | erring for line in lines),
        mine=[
            line
            for line in lines
            if names_it(line) or (line.is_error and line.request_id in mine and not names_another(line))
        ],
        errors=[
            line
            for line in lines
            if line.is_error
            and line.request_id not in others
            and (line.request_id or not names_another(line))
        ],
        elsewhere=next((other for other in named if its_case.search(other) and not was_sent(other)), None),
        strange=tuple(dict.fromkeys(other for other in named if not made_by_a_run.match(other))),
    )


@dataclass
class _Stream:
    """Where the reading of a log stream is: in which request, and whether within a traceback."""

    request_id: str | None = None
    in_traceback: bool = False


def _line(event: Mapping[str, Any], streams: dict[str, _Stream]) -> Line:
    raw = str(event.get("message", ""))
    message = raw.strip()
    stream = streams.setdefault(str(event.get("logStreamName", "")), _Stream())
    at = datetime.fromtimestamp(event.get("timestamp", 0) / 1000, UTC)
    record = _json(message)
    if record is None:
        start = _START.match(message)
        if start:
            stream.request_id = start[1]
        # Some runtimes log a traceback line by line: the first that isn't indented says what was raised.
        raised = stream.in_traceback and bool(message) and not raw[:1].isspace()
        stream.in_traceback = message == f"{_TRACEBACK}:" or (
            stream.in_traceback and not raised and not start
        )
        request = _REQUEST.search(message)
        return Line(
            at=at,
            text=_told(message),
            request_id=request[1] if request else stream.request_id,
            is_error=raised or bool(_ERROR.search(message)) or (_TRACEBACK in message and "\n" in message),
            correlation_id=None,
            starts=bool(start),
        )
    inner = record.get("record")
    details = inner if isinstance(inner, dict) else {}
    starts = record.get("type") == "platform.start"
    request_id = (
        record.get("function_request_id") or record.get("requestId") or details.get("requestId") or None
    )
    if starts and request_id:
        stream.request_id = str(request_id)
    said = record.get("message") or record.get("errorMessage") or record.get("type") or message
    error = record.get("exception_name") or record.get("errorType") or record.get("error")
    level = str(record.get("level", "")).upper()
    correlation_id = record.get("correlation_id")
    exception = str(record.get("exception") or "").strip().splitlines()
    tail = f": {exception[-1]}" if exception else f": {error}" if error else ""
    return Line(
        at=at,
        text=f"{level} {said if isinstance(said, str) else json.dumps(said)}{tail}".strip(),
        request_id=str(request_id) if request_id else stream.request_id,
        is_error=level in ("ERROR", "CRITICAL")
        or bool(error)
        or details.get("status") in ("error", "timeout"),
        correlation_id=str(correlation_id) if correlation_id else None,
        starts=starts,
    )


def _told(message: str) -> str:
    """A message as one line; of one with a traceback, what was raised."""
    before, traceback, after = message.partition(_TRACEBACK)
    if traceback:
        message = before.strip() or (after.lstrip(":").strip().splitlines() or [message])[-1]
    return " | ".join(message.splitlines())


def _json(message: str) -> dict[str, Any] | None:
    if not message.startswith("{"):
        return None
    try:
        value = json.loads(message)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
