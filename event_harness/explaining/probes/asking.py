"""What all probes share: the input, the clients, and the answer that a probe gives."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from event_harness.aws.errors import AWS_ERRORS, message_of
from event_harness.aws.targets import Target
from event_harness.explaining.function_logs import Patience
from event_harness.explaining.platform_log import PlatformLog, inputs_by_request
from event_harness.explaining.report import Finding
from event_harness.explaining.wiring import Link
from event_harness.results.sent import Sent
from event_harness.system.correlation import without_slash
from event_harness.system.known_ids import KnownIds
from event_harness.system.resources import Component, ResourceMap, function_name

# An explanation must be quick: one retry, short timeouts.
_SHORT = {
    "retries": {"mode": "standard", "total_max_attempts": 2},
    "connect_timeout": 2,
    "read_timeout": 4,
}


@dataclass(frozen=True)
class Seen:
    """The answer of a probe.

    Attributes:
        finding: The finding about the component.
        links: The connections that lead out of it; None if it has none, or if they aren't known.
    """

    finding: Finding
    links: tuple[Link, ...] | None = None


@dataclass(frozen=True)
class Question:
    """One input, and what is needed to ask the components about it.

    Attributes:
        resources: The deployed system.
        target: Makes the AWS clients.
        sent: The input.
        resulted: Every source has a result of it, perhaps a wrong one.
        foreign: Lambda requests that are known to be of other inputs.
        message_ids: Ids of messages that carry the input.
        ids: Those of all inputs so far.
        deadline: Answers are not awaited longer, monotonic seconds.
        patience: How long logs are read again for lines that must still come.
        platform_log: Reads the emulator's own log; None on a real account.
    """

    resources: ResourceMap
    target: Target
    sent: Sent
    resulted: bool
    ids: KnownIds
    deadline: float
    foreign: Collection[str | None] = ()
    message_ids: Collection[str] = ()
    patience: Patience = field(default_factory=Patience)
    platform_log: PlatformLog | None = None

    @property
    def since(self) -> float:
        """The moment of the send, epoch seconds, less what the target's clock may differ."""
        return self.sent.sent_at - self.target.skew

    @property
    def names(self) -> list[str]:
        """Further texts that name the input in a log: ids of its messages, request or execution."""
        given = (self.sent.service_id or "").rpartition(":")[2]
        return [*self.message_ids, without_slash(self.sent.correlation_id), *([given] if given else [])]

    def foreign_to(self, component: Component) -> set[str | None]:
        """Requests of a function that are known to be of other inputs, or of several in a batch."""
        told = self._inputs(component).items()
        return {*self.foreign, *(one for one, ids in told if not all(map(self._is_mine, ids)))}

    def own_of(self, component: Component) -> set[str]:
        """Requests of a function that the emulator's log tells to be of this input, perhaps in a batch."""
        return {one for one, ids in self._inputs(component).items() if any(map(self._is_mine, ids))}

    def _is_mine(self, logged: str) -> bool:
        """Whether the emulator's log names the input by that id. It leaves out what follows a ULID."""
        id_ = self.sent.correlation_id
        return id_ == logged or id_.startswith((f"{logged}/", f"{logged}."))

    def _inputs(self, component: Component) -> dict[str, set[str]]:
        log = self.platform_log() if self.platform_log else ""
        return inputs_by_request(log, function_name(str(component.function)))

    def client(self, service: str) -> Any:
        """A client that doesn't wait for long."""
        return self.target.client(service, **_SHORT)

    def is_entry(self, component: Component) -> bool:
        """Whether the input was sent to this component."""
        return component.name == self.sent.component


def linked(finding: Finding, read: Callable[[], list[Link]]) -> Seen:
    """A finding with the connections out of its component; what may not be read isn't known."""
    try:
        return Seen(finding, tuple(read()))
    except AWS_ERRORS as error:
        said = message_of(error).partition(":")[0]
        note = f"how it is connected is not known ({said})"
        return Seen(Finding(**{**vars(finding), "details": (*finding.details, note)}))


def count(number: int, what: str) -> str:
    """A number with its noun."""
    return f"{number:,} {what}{'s' * (number != 1)}"
