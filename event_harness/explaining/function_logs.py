"""Reads a function's log for one input."""

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
"""Limits of one reading. CloudWatch may return empty pages before one with events."""
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_REQUEST = re.compile(rf"(?:Request ?Id:? ?\"?)?({_UUID})", re.IGNORECASE)
_START = re.compile(rf"^START RequestId: ({_UUID})")
_TRACEBACK = "Traceback (most recent call last)"
# Correlation ids of other sessions on the same system: a session id before a ULID.
_OTHER = f"{SESSION_ID}/{ULID}"
_ERROR = re.compile(
    r"\[(ERROR|CRITICAL)\]|Task timed out|Unable to import|errorMessage|Runtime\.\w+|Status: (error|timeout)"
    r"|exited (with|unexpectedly)|^[\w.]*(Error|Exception|Interrupt)\b"
)


@dataclass(frozen=True)
class Line:
    """One line of a log: time, text, request, whether it tells of an error, the input that it names."""

    at: datetime
    text: str
    request_id: str | None
    is_error: bool
    correlation_id: str | None
    starts: bool

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S}.{self.at.microsecond // 1000:03} {self.text}"


def told(lines: Iterable[Line]) -> tuple[str, ...]:
    """Lines for a person. Each request id stands once, after the last of its lines in a row."""
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
        invocations: Number of invocations.
        for_others: Number of invocations for other inputs only.
        unclear: Number of invocations whose lines name no input and no error.
        mine: Lines that carry the input's id, and the errors of the same requests.
        errors: Lines that tell of an error, without those of other inputs' requests.
        elsewhere: A correlation id in the log that contains the input's case id but is another id.
        strange: Correlation ids in the log that no session of the harness made.
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
    """Read a log group from `since` (epoch seconds) on, up to a limit. IAM: logs:FilterLogEvents.

    It uses no filter pattern: the lines around those of the input count too.

    Args:
        client: CloudWatch Logs.
        log_group: Its name.
        since: Epoch seconds.
        correlation_id: The input.
        foreign: Requests that are known to be of other inputs.
        was_sent: Tells whether an input of this session has this correlation id.
        deadline: The reading stops here, monotonic seconds.

    Raises:
        HarnessError: The log is too long to be read whole, and the part that was read doesn't name the input.
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
    """Sort the events of a log: those of one input, those of others."""
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
    """The state of reading one log stream: its current request, and whether a traceback is open."""

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
        # Some runtimes log a traceback line by line. Its first line without indent names the exception.
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
    """A message as one line. Of a traceback only the exception is kept."""
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
