"""The parts that all producers share: correlation ids, the in-flight limit, checks before sending."""

import difflib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any, ClassVar, Protocol, Self, get_args, get_origin

from event_harness.aws.errors import AWS_ERRORS, message_of
from event_harness.aws.targets import Target
from event_harness.errors import ProducerError, SettingError
from event_harness.machine.boundary import explained
from event_harness.machine.clock import timestamp
from event_harness.producers.bodies import Body
from event_harness.producers.inflight import InFlight
from event_harness.results.response import Response
from event_harness.results.sent import Sent
from event_harness.system.correlation import check_session_id, new_id
from event_harness.system.resources import Component, ResourceMap

NOW = timestamp


class Listening(Protocol):
    """The attributes of a listener that a producer uses."""

    resources: ResourceMap
    target: Target
    session_id: str
    inflight: InFlight


@dataclass(frozen=True)
class Accepted:
    """What a service says when it takes an input: the id that it gives it, and its answer if it has one."""

    service_id: str | None = None
    response: Response | None = None


class Producer(ABC):
    """Sends inputs to one component under fresh correlation ids.

    Args:
        component: The component to send to. Its type must be the producer's.
        target: Makes the AWS client.
        session_id: The test session that the inputs belong to.
        inflight: Limits how many inputs are in flight; None for no limit.
        now: Epoch seconds.
    """

    type: ClassVar[str]
    service: ClassVar[str]  # boto3's name; empty if inputs go without boto3
    limit: int  # the most bytes that the service takes; `remedy` says what to do with more
    remedy: ClassVar[str]
    client_settings: ClassVar[Mapping[str, Any]] = {}  # of `botocore.config.Config`

    def __init__(
        self,
        component: Component,
        target: Target,
        session_id: str,
        *,
        inflight: InFlight | None = None,
        now: Callable[[], float] = NOW,
    ) -> None:
        if component.type != self.type:
            raise ProducerError(
                f"{type(self).__name__}: component {component.name!r} is of type {component.type},"
                f" not {self.type}"
            )
        self.component = component
        self.session_id = check_session_id(session_id)
        self._client: Any = target.client(self.service, **self.client_settings) if self.service else None
        self._inflight = inflight
        self._now = now

    @classmethod
    @explained()
    def on(cls, listener: Listening, component: str | None = None, **settings: Any) -> Self:
        """Make a producer that sends in a listener's test session, within its in-flight limit.

        Args:
            listener: Receives the results.
            component: Name of the component; the first one of this type by default.
            settings: Further arguments of the class, such as `field="order.id"`.

        Raises:
            ResourceMapError: There is no such component.
            ProducerError: The component is of another type.
            SettingError: The class takes no such argument.
        """
        cls.check_settings(settings, f"{cls.__name__}.on")
        resources = listener.resources
        of_type = (item for item in resources.components if item.type == cls.type and component is None)
        found = next(of_type, None) or resources.component(component)
        return cls(found, listener.target, listener.session_id, inflight=listener.inflight, **settings)

    @classmethod
    def check_settings(cls, settings: Mapping[str, Any], where: str) -> None:
        """Check the names and the types of settings.

        Raises:
            SettingError: The class takes no such argument, or none of this type. The message names those that
                it takes.
        """
        shared = {*inspect.signature(Producer).parameters, "caller"}
        parameters = inspect.signature(cls).parameters
        valid = [name for name in parameters if name not in shared]
        if not isinstance(settings, Mapping):
            given = f"{where} are {settings!r}; must be a dictionary"
            raise SettingError(f"{given}; {cls.__name__} takes: {', '.join(valid)}")
        for name, value in settings.items():
            if name not in valid:
                near = difflib.get_close_matches(str(name), valid, 1)
                meant = f"; did you mean {near[0]!r}?" if near else ";"
                raise SettingError(
                    f"{where}: {cls.__name__} has no setting {name!r}{meant} valid: {', '.join(valid)}"
                )
            if not _fits(value, parameters[name]):
                kind = getattr(parameters[name].annotation, "__name__", parameters[name].annotation)
                raise SettingError(f"{where}: {name} is {value!r}; must be {kind}, and no empty text")
            if name == "field" and value and not all(value.split(".")):
                raise SettingError(f"{where}: field is {value!r}; must be a name, or names joined by dots")

    def send_many(self, bodies: Iterable[Body]) -> Iterator[Sent]:
        """Send the bodies lazily, one by one, within the in-flight limit.

        Pass the iterator to `Listener.collect`: it sends and reads at the same time.

        Raises:
            ProducerError: See `send`.
        """
        return (self.send(body) for body in bodies)

    def __init_subclass__(cls, **settings: Any) -> None:
        """Let the class's own `send` end an error of the machine in one line, as every public method does."""
        super().__init_subclass__(**settings)
        if "send" in vars(cls):
            setattr(cls, "send", explained()(cls.send))  # noqa: B010 (a method is no attribute for mypy)

    @abstractmethod
    def send(self, body: Body, *, correlation_id: str | None = None) -> Sent:
        """Send one input.

        Raises:
            ProducerError: The input can't be sent. The message says why and what to do.
        """

    def _deliver(self, correlation_id: str, body: bytes, where: str, call: Callable[[], object]) -> Sent:
        """Check the size, take a slot, and send. If sending fails, free the slot.

        Args:
            correlation_id: Of the input.
            body: Its bytes.
            where: The place that it is sent to, for people.
            call: Sends it, and returns what the service says.
        """
        if len(body) > self.limit:
            raise ProducerError(
                f"{where}: the body has {len(body):,} bytes,"
                f" {self.type} takes {self.limit:,} at most; {self.remedy}"
            )
        try:
            if self._inflight:
                self._inflight.enter(correlation_id)
            sent_at = self._now()
            answer = call()
        except AWS_ERRORS as error:
            self._leave(correlation_id)
            raise ProducerError(f"{where}: could not be sent: {message_of(error)}{self._hint()}") from error
        except BaseException:
            self._leave(correlation_id)
            raise
        accepted = answer if isinstance(answer, Accepted) else Accepted()
        sent = Sent(
            correlation_id,
            self.component.name,
            sent_at,
            where,
            len(body),
            service_id=accepted.service_id,
            response=accepted.response,
        )
        if self._inflight:
            self._inflight.note(correlation_id, accepted.service_id)
            self._inflight.recorded(sent, body)
            self._inflight.noticed()
        return sent

    def _leave(self, correlation_id: str) -> None:
        if self._inflight:
            self._inflight.leave(correlation_id)

    def _hint(self) -> str:
        return f"; is {self.component.identifier} deployed, and are you allowed to send to it?"

    def _new_id(self, own: str | None, most: int | None = None) -> str:
        if own is not None and (not isinstance(own, str) or not own):
            raise ProducerError(f"correlation id {own!r}: must be a text with at least one character")
        correlation_id = new_id(self.session_id, own)
        size = len(correlation_id.encode())
        if most is not None and size > most:
            raise ProducerError(
                f"correlation id {correlation_id[:60]!r}… has {size:,} bytes,"
                f" {self.type} takes {most:,} at most; take a shorter one"
            )
        return correlation_id


def _fits(value: object, parameter: inspect.Parameter) -> bool:
    """Whether a value has the type of a parameter, and isn't an empty text where the default is none."""
    union = get_args(parameter.annotation) if isinstance(parameter.annotation, UnionType) else ()
    kinds = [get_origin(kind) or kind for kind in union or (parameter.annotation,)]
    if value == "" and parameter.default != "":
        return False
    if isinstance(value, bool):
        return bool in kinds
    types = tuple(kind for kind in kinds if isinstance(kind, type))
    return not types or isinstance(value, types) or (float in types and isinstance(value, int))
