"""Asks the front of the local AWS emulator for faults."""

from typing import Any, Protocol

from event_harness.aws.front_calls import ask
from event_harness.aws.front_paths import FAULTS
from event_harness.aws.targets import Target
from event_harness.errors import EmulatorError, SettingError


class Control(Protocol):
    """Where faults are asked for."""

    def add(self, rule: dict[str, Any]) -> str:
        """Put a rule into force, and return its id."""

    def remove(self, id_: str) -> dict[str, Any]:
        """Take a rule out of force, and return what it has struck; it may be repeated."""

    def told(self, id_: str) -> dict[str, Any]:
        """What a rule has struck so far."""


class FrontControl:
    """The front of an emulator.

    Args:
        target: the emulator, which the harness has started.

    Raises:
        SettingError: it is a real account, or another emulator.
    """

    def __init__(self, target: Target) -> None:
        if target.endpoint_url is None:
            raise SettingError("the fixture faults works on the local AWS emulator only: AWS takes no orders")
        if target.emulator_log is None:
            raise SettingError(
                "the fixture faults works only on an emulator that the harness has started, and "
                f"{target.endpoint_url} is another one"
            )
        self._target = target

    def add(self, rule: dict[str, Any]) -> str:
        """See `Control.add`."""
        return str(self._ask("POST", "", rule)["id"])

    def remove(self, id_: str) -> dict[str, Any]:
        """See `Control.remove`."""
        return self._ask("DELETE", id_)

    def told(self, id_: str) -> dict[str, Any]:
        """See `Control.told`."""
        return self._ask("GET", id_)

    def _ask(self, method: str, id_: str, rule: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            return ask(self._target, method, FAULTS + (f"?id={id_}" if id_ else ""), rule)
        except EmulatorError as error:
            raise EmulatorError(f"the local AWS emulator takes no faults: {error}") from error
