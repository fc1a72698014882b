"""One message of a failure queue, parsed: who failed, with what error, over which event."""

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from event_harness.errors import printable
from event_harness.results.code_position import code_position
from event_harness.results.denied_call import denied_call
from event_harness.system.correlation import with_slash
from event_harness.system.known_ids import KnownIds
from event_harness.system.resources import function_name

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import MessageTypeDef

IN_BATCH = ", in a batch with other inputs"
"""What follows an error that another input of the same batch may have caused."""

ANY_ERROR = "Runtime.HandlerError"
"""The type that the emulator gives to every exception."""

_EMULATED = "000000000000"  # the account of AWS emulators
_NOT_STARTED = ("Worker init failed: ", "Runtime.ImportModuleError", "Runtime.HandlerNotFound")
_DEEP = 20  # levels of an event that are searched for ids


@dataclass(frozen=True)
class Failure:
    """One message of a failure queue.

    Attributes:
        component: Name of the component that failed: of the function or pipe that the message names, or,
            where the message came by a redrive policy, of the queue that it came from. If that is no
            component, its own name.
        queue_url: The failure queue, `message_id` the message's id there. It is empty if none keeps the
            event, and the local AWS emulator has told that the function gave it up.
        failed_at: Time of its arrival in the queue (UTC).
        condition: The reason why AWS gave up: `RetriesExhausted`, `EventAgeExceeded`; None if not told.
        attempts: Number of invocations with this input; None if it isn't known. A message of a redrive policy
            doesn't tell it: its number of receives counts those from the failure queue too.
        error_type: Type of the exception, and `error_message` its text; None if not told.
        request_id: The Lambda request id of the failed invocation.
        event: The whole event that the function could not handle; None for records of a stream, of which the
            message tells the position only.
        redriven: It came by a redrive policy. Such a message tells neither the function nor the error.
        of_batch: The function had several inputs at once, and another one may have caused the error.
        named: Name of the function or queue that the message names; None if it names none.
        undelivered: Where EventBridge could not deliver the event: the name of a component, or an ARN. Then
            `component` is the bus that the event came from.
        raised_at: File and line in the function's own code where the exception was raised (`app.py:14`); None
            if no traceback tells.
    """

    component: str
    queue_url: str
    message_id: str
    failed_at: datetime | None
    condition: str | None
    attempts: int | None
    error_type: str | None
    error_message: str | None
    request_id: str | None
    event: Any = field(repr=False)
    redriven: bool = False
    named: str | None = None
    of_batch: bool = False
    undelivered: str | None = None
    raised_at: str | None = None
    _texts: frozenset[str] = field(repr=False, compare=False, default=frozenset())
    _ids: KnownIds = field(repr=False, compare=False, default_factory=KnownIds)
    _inputs: frozenset[str] = field(repr=False, compare=False, default=frozenset())

    def concerns(self, correlation_id: str) -> bool:
        """Whether this is the failure of an input.

        The event carries the input's correlation id, see `KnownIds`; or the id that the service has given the
        input: malformed input may carry no other.
        """
        given = self._ids.given.get(correlation_id)
        if given and given in self.texts:
            return True
        if any(_is_of(one, correlation_id) for one in self._inputs):
            return True
        return any(self._ids.carries(text, correlation_id) for text in self._texts)

    def about(self, inputs: Iterable[str]) -> "Failure":
        """The same failure, with correlation ids as the emulator's log tells them, not the message."""
        return replace(self, _inputs=self._inputs | set(inputs))

    def owners(self, session_id: str) -> set[str]:
        """The inputs of a session whose correlation id the event carries; see `KnownIds`."""
        found = (self._ids.owner(text, session_id) for text in self._texts)
        mine = [one for one in self._inputs if one.startswith(f"{session_id}/")]
        logged = (
            {given for given in self._ids.given if any(_is_of(one, given) for one in mine)} if mine else set()
        )
        return logged | {owner for owner in found if owner is not None}

    @property
    def texts(self) -> frozenset[str]:
        """Every text of the event, and the id of this message."""
        return self._texts | {self.message_id}

    @property
    def error(self) -> str:
        """Type and text of the exception, on one line; empty if the message tells neither."""
        kind = None if self.error_type == ANY_ERROR and self.error_message else self.error_type
        parts = (part for part in (kind, self.error_message) if part)
        return " ".join(": ".join(parts).split())

    @property
    def _no_error(self) -> str:
        return f"no error given ({self.condition})" if self.condition else "no error given"

    @property
    def not_started(self) -> str | None:
        """Why the function's code could not be loaded; None if it ran."""
        message = " ".join((self.error_message or "").split())
        if message.startswith(_NOT_STARTED[0]):
            return message.removeprefix(_NOT_STARTED[0])
        return message or self.error_type if self.error_type in _NOT_STARTED else None

    def __str__(self) -> str:
        tries = f" after {self.attempts} attempt{'s' * (self.attempts != 1)}" if self.attempts else ""
        if self.not_started:
            return printable(f"{self.component} can't start: {self.not_started}")
        request = f" (request {self.request_id})" if self.request_id else ""
        if self.undelivered:
            why = self.error or self._no_error
            return printable(f"{self.component} could not deliver it to {self.undelivered}{tries}: {why}")
        if self.redriven and not self.error:
            return printable(f"{self.component}: the message became a dead letter{tries}; it names no error")
        batch = IN_BATCH if self.of_batch else ""
        where = f" ({self.raised_at})" if self.raised_at else ""
        error = denied_call(self.error) or f"{self.error or self._no_error}{where}"
        return printable(f"{self.component} failed{tries}: {error}{batch}{request}")


def parse(
    message: "MessageTypeDef",
    url: str,
    component: str,
    owners: Mapping[str, str] | None = None,
    ids: KnownIds | None = None,
) -> Failure:
    """Make a failure of a message: the envelope of a destination, or the bare event of a redrive policy.

    Anybody may have put the message there: it never raises, whatever the message says.

    Args:
        message: As SQS returns it.
        url: The failure queue.
        component: Name of the component that fails into this queue, for messages that name none.
        owners: Name of a function or a queue, or an ARN -> name of its component.
        ids: Those of all inputs so far.
    """
    content = _decoded(message.get("Body", ""))
    envelope = content if isinstance(content, dict) and "requestContext" in content else None
    given = _object(content, "context")  # of a pipe: it tells which records, and not what was in them
    pipe = _text(given.get("partnerResourceArn"))
    context = given if pipe else _object(envelope, "requestContext")
    response = _object(envelope, "responsePayload")
    attributes = {
        name: value.get("StringValue") for name, value in message.get("MessageAttributes", {}).items()
    }
    event = envelope.get("requestPayload") if envelope else content
    system = message.get("Attributes", {})
    records = event.get("Records") if envelope and isinstance(event, dict) else None
    function = _text(context.get("functionArn")) or ""
    target = attributes.get("TARGET_ARN") if "RULE_ARN" in attributes else None
    told_by_aws = envelope or pipe or target or attributes.keys() & {"ErrorCode", "RequestID"}
    queue = str(system.get("DeadLetterQueueSourceArn", "")).rpartition(":")[2]
    named = function_name(function) or queue or _last_part(pipe) or None
    told = None if _EMULATED in function else _whole(context.get("approximateInvokeCount"))
    if target and (retries := _whole(attributes.get("RETRY_ATTEMPTS"))) is not None:
        told = retries + 1
    return Failure(
        component=(owners or {}).get(pipe or named, named) if named else component,
        queue_url=url,
        message_id=message["MessageId"],
        failed_at=_time(system.get("SentTimestamp")),
        condition=_text(context.get("condition")) or attributes.get("EXHAUSTED_RETRY_CONDITION"),
        attempts=told,
        error_type=_text(response.get("errorType")) or _first(attributes, "ErrorCode", "ERROR_CODE"),
        error_message=_text(response.get("errorMessage"))
        or _first(attributes, "ErrorMessage", "ERROR_MESSAGE"),
        request_id=_text(context.get("requestId")) or attributes.get("RequestID"),
        event=event,
        redriven=not told_by_aws,
        named=named,
        undelivered=_name_of(target, owners or {}),
        of_batch=isinstance(records, list) and len(records) > 1,
        raised_at=code_position(_lines(response.get("stackTrace"))),
        _texts=frozenset(_texts([event, attributes, _numbers(envelope)])),
        _ids=KnownIds() if ids is None else ids,
    )


def _numbers(envelope: object) -> list[object]:
    """The sequence numbers of the first and the last record of a stream that were given up."""
    given = _object(envelope, "KinesisBatchInfo")
    return [given.get("startSequenceNumber"), given.get("endSequenceNumber")]


def _is_of(logged: str, correlation_id: str) -> bool:
    """Whether the emulator's log names an input by that id. It leaves out what follows a ULID."""
    return correlation_id == logged or correlation_id.startswith((f"{logged}/", f"{logged}."))


def _object(value: object, name: str) -> Mapping[str, Any]:
    inner = value.get(name) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _first(attributes: Mapping[str, str | None], *names: str) -> str | None:
    return next((text for name in names if (text := attributes.get(name))), None)


def _last_part(arn: str | None) -> str:
    return (arn or "").rpartition("/")[2]


def _name_of(arn: str | None, owners: Mapping[str, str]) -> str | None:
    """The component of an ARN, also of a function with a qualifier; an ARN that is no component as it is."""
    if not arn:
        return None
    return owners.get(arn) or owners.get(function_name(arn)) or arn


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _lines(value: object) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else ""


def _whole(value: object) -> int | None:
    try:
        return int(value) if isinstance(value, int | str) else None
    except ValueError:
        return None


def _time(milliseconds: object) -> datetime | None:
    number = _whole(milliseconds)
    try:
        return None if number is None else datetime.fromtimestamp(number / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    """Every text in an event: as it is, URL-decoded (S3 keys), inside nested JSON and base64 (Kinesis)."""
    if depth > _DEEP:
        return
    if isinstance(value, Mapping):
        if "data" in value and "partitionKey" in value:
            yield from _texts(_unpacked(value["data"]), depth + 1)
        for item in value.values():
            yield from _texts(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, depth + 1)
    elif isinstance(value, str):
        yield value
        yield unquote_plus(value)
        yield with_slash(value)
        nested = _decoded(value) if value[:1] in ("{", "[") else value
        if nested is not value:
            yield from _texts(nested, depth + 1)


def _unpacked(data: object) -> str:
    try:
        return base64.b64decode(str(data), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
