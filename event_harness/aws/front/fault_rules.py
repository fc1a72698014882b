"""The faults that tests have asked for, and what they have struck.

A rule strikes only while the process that asked for it lives, whatever became of its `with`.
"""

import logging
import random
import re
import threading
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psutil

_log = logging.getLogger("event_harness")

FUNCTION_FAULTS = ("raise", "timeout", "concurrency", "cold start", "duplicate", "reorder")
SERVICE_FAULTS = ("latency", "throttle", "error", "reset", "denied")


@dataclass(frozen=True)
class Call:
    """A call of a service, or an invocation of a function.

    Attributes:
        service: MiniStack's name of the service; empty for an invocation.
        operation: the operation; empty for an invocation.
        function: the function that calls or is invoked; empty if it isn't known.
        event: the event of its invocation, as JSON; None if it isn't known.
        of_harness: the harness, terraform or the test itself calls.
    """

    service: str = ""
    operation: str = ""
    function: str = ""
    event: str | None = None
    of_harness: bool = False


@dataclass
class Rule:
    """One fault.

    Attributes:
        kind: one of FUNCTION_FAULTS or SERVICE_FAULTS.
        owner: the process that asked for it, and when that process was started.
        session: the test session whose inputs may be struck.
        services: MiniStack's names of the service; empty for a fault of a function.
        operation: the operation; empty for all.
        functions: who is struck; empty for all functions.
        spared: functions that are not struck.
        only_session: only invocations whose event names the session.
        harness: strike also calls of the harness, terraform and the test.
        rate: share of the calls that are struck.
        times: at most so many are struck; None for no limit.
        settings: further settings of the kind: seconds, code, status, message, type, after.
    """

    kind: str
    owner: tuple[int, float]
    session: str
    services: tuple[str, ...] = ()
    operation: str = ""
    functions: tuple[str, ...] = ()
    spared: tuple[str, ...] = ()
    only_session: bool = False
    harness: bool = False
    rate: float = 1.0
    times: int | None = None
    seed: str = "0"
    settings: Mapping[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    strikes: list[dict[str, Any]] = field(default_factory=list)
    unclear: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 (no secret)

    def alive(self) -> bool:
        """Whether its process lives."""
        pid, started = self.owner
        try:
            return abs(psutil.Process(pid).create_time() - started) < 1
        except psutil.Error:
            return False

    def concerns(self, call: Call) -> bool:
        """Whether it may strike a call; counts the calls whose input can't be told."""
        if bool(self.services) != bool(call.service) or (call.of_harness and not self.harness):
            return False
        if self.services and call.service not in self.services:
            return False
        if self.operation and call.operation != self.operation:
            return False
        if self.functions and call.function not in self.functions:
            return False
        if call.function in self.spared:
            return False
        if self.only_session and not call.of_harness and self.session not in (call.event or ""):
            self.unclear += call.event is None or not _ID.search(call.event)
            return False
        return True


_ID = re.compile(r"\bs[0-9a-z]{12,}/")
"""The id of a test session in the id of an input."""


class Rules:
    """All rules. Threads may share it."""

    def __init__(self) -> None:
        self._rules: dict[str, Rule] = {}
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._rules)

    def add(self, asked: Mapping[str, Any]) -> str:
        """Add a rule from its JSON, and return its id.

        Raises:
            ValueError: it is no rule.
        """
        try:
            owner = (int(asked["owner"][0]), float(asked["owner"][1]))
            tuples = {name: tuple(asked.get(name, ())) for name in ("services", "functions", "spared")}
            rule = Rule(**{**asked, **tuples, "owner": owner})
        except (TypeError, KeyError, ValueError, IndexError) as error:
            raise ValueError(f"not a rule: {error}") from error
        if rule.kind not in (*FUNCTION_FAULTS, *SERVICE_FAULTS):
            raise ValueError(f"no such fault: {rule.kind}")
        with self._lock:
            self._rules[rule.id] = rule
        return rule.id

    def told(self, id_: str, *, remove: bool = False) -> dict[str, Any]:
        """What a rule has struck so far; nothing of a rule that isn't there."""
        with self._lock:
            rule = self._rules.pop(id_, None) if remove else self._rules.get(id_)
            return (
                {"strikes": list(rule.strikes), "unclear": rule.unclear}
                if rule
                else {"strikes": [], "unclear": 0}
            )

    def striking(self, call: Call, kinds: Iterable[str]) -> Rule | None:
        """The first rule that strikes a call now."""
        kinds = tuple(kinds)
        with self._lock:
            for rule in list(self._rules.values()):
                if rule.kind not in kinds or not rule.concerns(call):
                    continue
                if not rule.alive():
                    del self._rules[rule.id]
                    continue
                if rule.times is not None and len(rule.strikes) >= rule.times:
                    continue
                if rule.rate < 1 and rule.random.random() >= rule.rate:
                    continue
                self._strike(rule, call)
                return rule
        return None

    def _strike(self, rule: Rule, call: Call) -> None:
        what = effect(rule)
        found = (
            re.search(rf"{re.escape(rule.session)}/[^\"\\\s,]+", call.event or "") if rule.session else None
        )
        id_ = found[0] if found else ""
        where = call.operation or "invocation"
        rule.strikes.append({"what": what, "on": where, "function": call.function, "input": id_})
        _log.warning(
            "injected: %s on %s (function %s, input %s)", what, where, call.function or "-", id_ or "-"
        )


def effect(rule: Rule) -> str:
    """What a rule does, in a few words: the error's code, or the fault."""
    settings = rule.settings
    if rule.kind in ("latency", "cold start"):
        return f"{rule.kind} of {settings.get('seconds', 0):g} s"
    if rule.kind in ("throttle", "error", "denied"):
        return str(settings.get("code"))
    return {"raise": str(settings.get("type")), "concurrency": "TooManyRequestsException"}.get(
        rule.kind, rule.kind
    )
