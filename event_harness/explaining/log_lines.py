"""Parses the lines of a Lambda function's log: plain text, or JSON as loggers and the platform write it."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from event_harness.results.code_position import code_position

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_REQUEST = re.compile(rf"(?:Request ?Id:? ?\"?)?({_UUID})", re.IGNORECASE)
_START = re.compile(rf"^START RequestId: ({_UUID})")
_END = re.compile(rf"^(?:END|REPORT) RequestId: ({_UUID})")
_LEVEL = r"\[?(?P<level>[A-Z]{4,8})\]?"
# A logger's line in Lambda's own text format: of Python, and of Node.js.
_LOGGED = (
    re.compile(rf"^{_LEVEL}\s+\S+Z\s+{_UUID}\s+(?P<said>.*)", re.DOTALL),
    re.compile(rf"^\S+Z\s+{_UUID}\s+{_LEVEL}\s+(?P<said>.*)", re.DOTALL),
)
_DURATION = re.compile(r"^REPORT .*?\bDuration: ([\d.]+) ms")
_TRACEBACK = "Traceback (most recent call last)"
_ERROR = re.compile(
    r"\[(ERROR|CRITICAL)\]|Task timed out|Unable to import|errorMessage|Runtime\.\w+|Status: (error|timeout)"
    r"|exited (with|unexpectedly)|^[\w.]*(Error|Exception|Interrupt)\b"
    r"|^Worker (process died|returned no response)|^No JSON response from worker"  # the emulator's words
)
# What the platform says of a function whose code or handler can't be loaded, the most telling first.
_CANNOT_START = (
    re.compile(
        r"Unable to import module|Runtime\.(HandlerNotFound|UserCodeSyntaxError|MalformedHandlerName)"
    ),
    re.compile(
        r"Runtime\.(ImportModuleError|InvalidEntrypoint|ExitError)|^INIT_REPORT .*Status: (error|timeout)"
    ),
)


@dataclass(frozen=True)
class Line:
    """One line of a log.

    Attributes:
        at: Its time.
        text: Its message, on one line.
        request_id: The request that it belongs to.
        is_error: It tells of an error.
        correlation_id: The correlation id that it names in a field of its own.
        starts: It is the platform's, and an invocation starts with it; `ends`: an invocation ends with it.
        raised_at: File and line in the function's own code of its traceback (`app.py:14`).
        whole: Its message with all lines and their indents; of a logger's JSON, the text and the traceback.
        duration: Seconds that the invocation took, if this is the platform's line about it.
    """

    at: datetime
    text: str
    request_id: str | None
    is_error: bool
    correlation_id: str | None
    starts: bool
    ends: bool = False
    duration: float | None = None
    raised_at: str | None = None
    whole: str = ""

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S}.{self.at.microsecond // 1000:03} {self.text}"

    @property
    def marks_only(self) -> bool:
        """Whether it only marks where an invocation begins or ends. Another line has its times."""
        return bool(_START.match(self.whole)) or self.whole.startswith("END RequestId: ")

    @property
    def told_error(self) -> str:
        """The error of this line without a logger's level, time and request."""
        text = re.sub(r"^(\[(ERROR|CRITICAL)\]|ERROR|CRITICAL)\s*", "", self.text)
        text = re.sub(rf"^(\S+Z\s+)?({_UUID}\s+)?", "", text).strip()
        return re.sub(r"^(?:[a-z_]\w*\.)+(?=[A-Z]\w*: )", "", text) or self.text


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


def why_not_started(lines: Iterable[Line]) -> Line | None:
    """The line that says best why the function could not be started; None if none does."""
    candidates = list(lines)
    for pattern in _CANNOT_START:
        if found := [line for line in candidates if pattern.search(line.text)]:
            return found[-1]
    return None


def parsed(events: Iterable[Mapping[str, Any]]) -> list[Line]:
    """The events of a log as lines, in order of time."""
    streams: dict[str, _Stream] = {}
    unfinished: dict[str, int] = {}
    lines: list[Line] = []
    for event in sorted(events, key=lambda event: event.get("timestamp", 0)):
        line = _line(event, streams)
        stream = str(event.get("logStreamName", ""))
        begun = unfinished.pop(stream, None)
        same = begun is not None and lines[begun].request_id == line.request_id
        if begun is not None and same and not (line.starts or line.ends or line.marks_only):
            lines[begun] = replace(lines[begun], text=f"{lines[begun].text} {line.text}")
        elif line.is_error and line.text.endswith(":"):  # a message of several lines, logged line by line
            unfinished[stream] = len(lines)
        lines.append(line)
    return lines


@dataclass
class _Stream:
    """The state of reading one log stream: its current request, and whether a traceback is open."""

    request_id: str | None = None
    in_traceback: bool = False
    raised_at: str | None = None


def _line(event: Mapping[str, Any], streams: dict[str, _Stream]) -> Line:
    raw = str(event.get("message", ""))
    stream = streams.setdefault(str(event.get("logStreamName", "")), _Stream())
    at = datetime.fromtimestamp(event.get("timestamp", 0) / 1000, UTC)
    record = _json(raw.strip())
    return _plain(raw, at, stream) if record is None else _structured(record, raw.strip(), at, stream)


def _plain(raw: str, at: datetime, stream: _Stream) -> Line:
    message = raw.strip()
    start, end = _START.match(message), _END.match(message)
    if start:
        stream.request_id = start[1]
    # Some runtimes log a traceback line by line. Its first line without indent names the exception.
    raised = stream.in_traceback and bool(message) and not raw[:1].isspace()
    place = code_position(message) if _TRACEBACK in message or stream.in_traceback else None
    stream.raised_at = place or (stream.raised_at if stream.in_traceback else None)
    stream.in_traceback = message == f"{_TRACEBACK}:" or (stream.in_traceback and not raised and not start)
    request = _REQUEST.search(message)
    return Line(
        at=at,
        text=_told(message),
        request_id=request[1] if request else stream.request_id,
        is_error=raised or bool(_ERROR.search(message)) or (_TRACEBACK in message and "\n" in message),
        correlation_id=None,
        starts=bool(start),
        ends=bool(end),
        duration=_milliseconds(took[1]) if (took := _DURATION.match(message)) else None,
        raised_at=stream.raised_at,
        whole=_logged(raw.rstrip()),
    )


def _structured(record: Mapping[str, Any], message: str, at: datetime, stream: _Stream) -> Line:
    inner = record.get("record")
    details = inner if isinstance(inner, dict) else {}
    kind = str(record.get("type", ""))
    starts = kind == "platform.start"
    request_id = (
        record.get("function_request_id") or record.get("requestId") or details.get("requestId") or None
    )
    if starts and request_id:
        stream.request_id = str(request_id)
    said = record.get("message") or record.get("errorMessage") or record.get("type") or message
    error = (
        record.get("exception_name")
        or record.get("errorType")
        or record.get("error")
        or (details.get("errorType") if kind.startswith("platform.") else None)
    )
    level = str(record.get("level", "")).upper()
    correlation_id = record.get("correlation_id")
    exception = str(record.get("exception") or "").strip().splitlines()
    tail = f": {exception[-1]}" if exception else f": {error}" if error else ""
    text = f"{level} {said if isinstance(said, str) else json.dumps(said)}".strip()
    return Line(
        at=at,
        text=f"{text}{tail}",
        request_id=str(request_id) if request_id else stream.request_id,
        is_error=level in ("ERROR", "CRITICAL")
        or bool(error)
        or details.get("status") in ("error", "timeout"),
        correlation_id=str(correlation_id) if correlation_id else None,
        starts=starts,
        ends=kind in ("platform.report", "platform.runtimeDone", "platform.end"),
        duration=_milliseconds(_metric(details)) if kind == "platform.report" else None,
        raised_at=code_position(f"{record.get('exception', '')}\n{_joined(record.get('stackTrace'))}"),
        whole="\n".join([text if exception else f"{text}{tail}", *exception]),
    )


def _joined(value: object) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else ""


def _metric(details: Mapping[str, Any]) -> object:
    metrics = details.get("metrics")
    return metrics.get("durationMs") if isinstance(metrics, dict) else None


def _milliseconds(value: object) -> float | None:
    """Milliseconds as seconds; None if it is no number."""
    try:
        return float(str(value)) / 1000
    except ValueError:
        return None


def _told(message: str) -> str:
    """A message as one line. Of a traceback only the exception is kept, of a logger's line level and text."""
    message = _logged(message)
    before, traceback, after = message.partition(_TRACEBACK)
    if traceback:
        message = before.strip() or (after.lstrip(":").strip().splitlines() or [message])[-1]
    return " | ".join(message.splitlines())


def _logged(message: str) -> str:
    """A logger's message without time and request."""
    found = next((match for pattern in _LOGGED if (match := pattern.match(message))), None)
    return f"[{found['level']}] {found['said']}" if found else message


def _json(message: str) -> dict[str, Any] | None:
    if not message.startswith("{"):
        return None
    try:
        value = json.loads(message)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
