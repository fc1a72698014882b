"""What a function's log says of one input."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient

_PAGES = 3
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_REQUEST = re.compile(rf"(?:Request ?Id:? ?\"?)?({_UUID})", re.IGNORECASE)
_START = re.compile(rf"^START RequestId: ({_UUID})")
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
        request = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.at:%H:%M:%S}.{self.at.microsecond // 1000:03} {self.text}{request}"


@dataclass(frozen=True)
class LogView:
    """The lines of a function since a moment, and those that concern one input.

    Attributes:
        invocations: How often the function was started.
        for_others: How often of these its lines name other inputs only.
        mine: Lines that carry the input's id, and the errors of the same requests.
        errors: Lines that tell of an error, but for those of other inputs' requests.
        elsewhere: Another correlation id that contains the input's case, if a line names one.
    """

    invocations: int
    for_others: int
    mine: list[Line]
    errors: list[Line]
    elsewhere: str | None

    @property
    def my_errors(self) -> list[Line]:
        """The errors of this input."""
        return [line for line in self.mine if line.is_error]


def read_log(client: "CloudWatchLogsClient", log_group: str, since: float, correlation_id: str) -> LogView:
    """Read a log group from `since` (epoch s) on. IAM: logs:FilterLogEvents.

    No filter pattern: the lines around those of the input count too, and emulators know but plain terms.
    """
    events: list[Mapping[str, Any]] = []
    token: dict[str, str] = {}
    for _ in range(_PAGES):
        page = client.filter_log_events(logGroupName=log_group, startTime=int(since * 1000), **token)  # type: ignore[arg-type]
        events += page.get("events", [])
        if not page.get("nextToken"):
            break
        token = {"nextToken": page["nextToken"]}
    return view(events, correlation_id)


def view(events: Iterable[Mapping[str, Any]], correlation_id: str) -> LogView:
    """Sort out the events of a log by what they say of one input."""
    current: dict[str, str] = {}  # log stream -> the request it is in
    lines = [_line(event, current) for event in sorted(events, key=lambda event: event.get("timestamp", 0))]
    case = correlation_id.split("/")[1] if "/" in correlation_id else correlation_id

    def names_it(line: Line) -> bool:
        if line.correlation_id is not None:
            return line.correlation_id == correlation_id
        return case in line.text

    mine = {line.request_id for line in lines if names_it(line)} - {None}
    others = {line.request_id for line in lines if line.correlation_id and not names_it(line)} - mine - {None}
    named = (line.correlation_id for line in lines if line.correlation_id and not names_it(line))
    return LogView(
        invocations=sum(line.starts for line in lines),
        for_others=sum(line.starts and line.request_id in others for line in lines),
        mine=[
            line
            for line in lines
            if names_it(line) or (line.is_error and line.request_id in mine and not line.correlation_id)
        ],
        errors=[line for line in lines if line.is_error and line.request_id not in others],
        elsewhere=next((other for other in named if other and case in other), None),
    )


def _line(event: Mapping[str, Any], current: dict[str, str]) -> Line:
    message = str(event.get("message", "")).strip()
    stream = str(event.get("logStreamName", ""))
    at = datetime.fromtimestamp(event.get("timestamp", 0) / 1000, UTC)
    record = _json(message)
    if record is None:
        start = _START.match(message)
        if start:
            current[stream] = start[1]
        request = _REQUEST.search(message)
        return Line(
            at=at,
            text=" | ".join(message.splitlines()),
            request_id=request[1] if request else current.get(stream),
            is_error=bool(_ERROR.search(message)),
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
        current[stream] = str(request_id)
    said = record.get("message") or record.get("errorMessage") or record.get("type") or message
    error = record.get("exception_name") or record.get("errorType") or record.get("error")
    level = str(record.get("level", "")).upper()
    correlation_id = record.get("correlation_id")
    raised = str(record.get("exception") or "").strip().splitlines()
    tail = f": {raised[-1]}" if raised else f": {error}" if error else ""
    return Line(
        at=at,
        text=f"{level} {said if isinstance(said, str) else json.dumps(said)}{tail}".strip(),
        request_id=str(request_id) if request_id else current.get(stream),
        is_error=level in ("ERROR", "CRITICAL")
        or bool(error)
        or details.get("status") in ("error", "timeout"),
        correlation_id=str(correlation_id) if correlation_id else None,
        starts=starts,
    )


def _json(message: str) -> dict[str, Any] | None:
    if not message.startswith("{"):
        return None
    try:
        value = json.loads(message)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
