"""Reads a function's log for one input: its invocations, its lines, its errors."""

import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from event_harness.aws.errors import AWS_ERRORS, code_of
from event_harness.errors import HarnessError
from event_harness.explaining.log_lines import Line, parsed, why_not_started
from event_harness.machine.clock import monotonic
from event_harness.system.correlation import SESSION_ID, ULID
from event_harness.system.known_ids import KnownIds

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient

_PAGES, _EVENTS = 50, 10_000
"""Limits of one reading. CloudWatch may return empty pages before one with events."""
_PAUSE = 0.1  # seconds between two readings while a request's end is awaited
# Correlation ids of other sessions on the same system: a session id before a ULID.
_OTHER = f"{SESSION_ID}/{ULID}"


@dataclass(frozen=True)
class LogView:
    """The lines of a function since a moment, and those that concern one input.

    Attributes:
        invocations: Number of invocations.
        for_others: Number of invocations for other inputs only.
        unclear: Number of invocations that ended, and whose lines name no input and no error.
        mine: Lines that carry the input's id, and the errors of the same requests.
        of_batch: Those of the errors that another input of the same batch may have caused.
        attempts: Number of invocations of this input.
        running: The start of the newest invocation of this input that has not ended; None if there is none.
        maybe_running: The same of an invocation whose lines name no input.
        errors: Lines that tell of an error, without those of other inputs' requests.
        not_started: The line that says why the function can't be started, unless an invocation went well.
        elsewhere: A correlation id in the log that contains the input's case id but is another id.
        strange: Correlation ids in the log that no session of the harness made.
    """

    invocations: int
    for_others: int
    unclear: int
    mine: list[Line]
    of_batch: frozenset[Line]
    attempts: int
    running: Line | None
    maybe_running: Line | None
    errors: list[Line]
    not_started: Line | None
    elsewhere: str | None
    strange: tuple[str, ...]

    @property
    def my_errors(self) -> list[Line]:
        """The errors of this input."""
        return [line for line in self.mine if line.is_error]

    @property
    def last_error(self) -> Line | None:
        """The last error of this input: one that names it, if there is one."""
        own = [line for line in self.my_errors if line not in self.of_batch] or self.my_errors
        return own[-1] if own else None

    @property
    def settled(self) -> bool:
        """An invocation of this input, or one that may be, has been seen to its end."""
        return not self.running and (bool(self.mine) or self.unclear > 0 or bool(self.errors))


@dataclass(frozen=True)
class Patience:
    """How long a reading goes on for an invocation that must be there, or must end.

    Attributes:
        until: Monotonic seconds.
        clock: Monotonic seconds now.
        sleep: Waits.
    """

    until: float = 0.0
    clock: Callable[[], float] = monotonic
    sleep: Callable[[float], None] = time.sleep


def read_log(
    client: "CloudWatchLogsClient",
    log_group: str,
    since: float,
    correlation_id: str,
    foreign: Collection[str | None] = (),
    *,
    own: Collection[str] = (),
    names: Collection[str] = (),
    ids: KnownIds | None = None,
    deadline: float = float("inf"),
    expected: bool = False,
    patience: Patience = Patience(),
) -> LogView:
    """Read a log group from `since` (epoch seconds) on, up to a limit. IAM: logs:FilterLogEvents.

    It uses no filter pattern: the lines around those of the input count too. A log group that doesn't exist
    is empty: Lambda makes it with the first line. Lines become visible late; while an invocation of the input
    has begun and not ended, or one is `expected` and not there, it reads again until `patience` ends.

    Args:
        client: CloudWatch Logs.
        log_group: Its name.
        since: Epoch seconds.
        correlation_id: The input.
        foreign: Requests that are known to be of other inputs.
        own: Requests that are known to be of this input.
        names: Further texts that name the input, such as the id of its message.
        ids: Those of all inputs so far.
        deadline: The reading stops here, monotonic seconds.
        expected: The input is known to have passed the function.
        patience: Limits the reading again.

    Raises:
        HarnessError: The log is too long to be read whole, and the part that was read doesn't name the input.
    """
    while True:
        events, whole = _events(client, log_group, since, deadline)
        found = view(events, correlation_id, foreign, ids or KnownIds(), names, own)
        waits = not found.settled if expected else found.running is not None
        if not waits or patience.clock() >= patience.until:
            break
        patience.sleep(_PAUSE)
    if not whole and not found.mine:
        raise HarnessError(f"{log_group} has too many lines since the send to read them all in time")
    return found


def _events(
    client: "CloudWatchLogsClient", log_group: str, since: float, deadline: float
) -> tuple[list[Mapping[str, Any]], bool]:
    """The events of a log group, and whether these are all."""
    events: list[Mapping[str, Any]] = []
    token: dict[str, str] = {}
    for _ in range(_PAGES):
        try:
            page = client.filter_log_events(logGroupName=log_group, startTime=int(since * 1000), **token)  # type: ignore[arg-type]
        except AWS_ERRORS as error:
            if code_of(error) == "ResourceNotFoundException":
                return [], True
            raise
        events += page.get("events", [])
        token = {"nextToken": page["nextToken"]} if page.get("nextToken") else {}
        if not token or len(events) >= _EVENTS or monotonic() >= deadline:
            break
    return events, not token


def view(
    events: Iterable[Mapping[str, Any]],
    correlation_id: str,
    foreign: Collection[str | None] = (),
    ids: KnownIds = KnownIds(),  # noqa: B008 (it is only read)
    names: Collection[str] = (),
    own: Collection[str] = (),
) -> LogView:
    """Sort the events of a log: those of one input, those of others."""
    lines = parsed(events)
    session = correlation_id.partition("/")[0]
    its_name = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, names))})(?![\w-])") if names else None
    any_id = re.compile(rf"(?<![\w-])(?:{re.escape(session)}/\w|{_OTHER})")
    made_by_a_session = re.compile(rf"{re.escape(session)}/|{SESSION_ID}/")

    def names_it(line: Line) -> bool:
        """Whether a line names the input."""
        if line.correlation_id is not None:
            return line.correlation_id == correlation_id
        text = unquote_plus(line.text)
        return ids.mentions(text, correlation_id) or bool(its_name and its_name.search(text))

    def changed(other: str) -> bool:
        """Whether an id in the log is this one, changed by the system."""
        sent_elsewhere = made_by_a_session.match(other) and not other.startswith(f"{session}/")
        return other not in ids and not sent_elsewhere and ids.resembles(other, correlation_id)

    def names_another(line: Line) -> bool:
        """Whether a line names another input."""
        return not names_it(line) and bool(line.correlation_id or any_id.search(unquote_plus(line.text)))

    named_it = {line.request_id for line in lines if names_it(line)} - {None}
    mine = named_it | set(own)
    of_another = {line.request_id for line in lines if names_another(line)} | set(foreign)
    others = of_another - mine - {None}
    erring = {line.request_id for line in lines if line.is_error}
    ended = {line.request_id for line in lines if line.ends}
    starts = [line for line in lines if line.starts]
    running = _unended(lines, erring)
    well = ended - erring
    named = [line.correlation_id for line in lines if line.correlation_id and not names_it(line)]
    return LogView(
        invocations=len(starts),
        for_others=sum(line.request_id in others for line in starts),
        unclear=sum(line.request_id in ended - others - named_it - erring for line in starts),
        mine=[
            line
            for line in lines
            if names_it(line) or (line.is_error and line.request_id in mine and not names_another(line))
        ],
        of_batch=frozenset(
            line
            for line in lines
            if line.is_error and line.request_id in mine & of_another and not names_it(line)
        ),
        attempts=sum(line.request_id in mine for line in starts)
        or len({line.request_id for line in lines} & mine),
        running=next((line for line in reversed(running) if line.request_id in mine), None),
        maybe_running=next(
            (line for line in reversed(running) if line.request_id not in mine | others), None
        ),
        errors=[
            line
            for line in lines
            if line.is_error
            and line.request_id not in others
            and (line.request_id or not names_another(line))
        ],
        not_started=None if well else why_not_started(lines),
        elsewhere=next((other for other in named if changed(other)), None),
        strange=tuple(dict.fromkeys(other for other in named if not made_by_a_session.match(other))),
    )


def _unended(lines: Iterable[Line], erring: Collection[str | None]) -> list[Line]:
    """The starts of invocations that have not ended. A retry has the request id of the first try."""
    begun: dict[str | None, Line] = {}
    for line in lines:
        if line.starts:
            begun[line.request_id] = line
        elif line.ends:
            begun.pop(line.request_id, None)
    return [line for request, line in begun.items() if request not in erring]
