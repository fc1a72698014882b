"""Faults on purpose, for the time of a `with`."""

import os
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import psutil

from event_harness.errors import SettingError
from event_harness.faults import services
from event_harness.faults.control import Control
from event_harness.machine import interrupts
from event_harness.system.resources import ResourceMap, function_name


class Fault:
    """One fault; it is in force for the time of a `with`, also if the test is interrupted.

    Attributes:
        strikes: what it has struck, after the `with`: mappings with `what`, `on`, `function`, `input` (the
            correlation id, empty if it isn't known).
    """

    def __init__(
        self,
        control: Control,
        rule: dict[str, Any],
        close: Callable[["Fault"], None],
        say: Callable[[str], None],
    ) -> None:
        self._control = control
        self._rule = rule
        self._close = close
        self._say = say
        self._id = ""
        self._strikes: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        with interrupts.deferred():
            if self._id:
                raise SettingError("faults: this fault is in force already")
            self._id = self._control.add(self._rule)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """End it. It may be repeated."""
        with interrupts.deferred():
            id_, self._id = self._id, ""
            if not id_:
                return
            told = self._control.remove(id_)
            self._strikes += told["strikes"]
            self._close(self)
        if told["unclear"]:
            calls = "a call" if told["unclear"] == 1 else f"{told['unclear']} calls"
            self._say(
                f"faults: {calls} can't be told to be of this test's inputs, so nothing was struck there"
            )

    @property
    def strikes(self) -> list[dict[str, Any]]:
        """What it has struck so far."""
        now = self._control.told(self._id)["strikes"] if self._id else []
        return [*self._strikes, *now]

    def __str__(self) -> str:
        counted = Counter(f"{one['what']} on {one['on']}" for one in self.strikes)
        return "injected: " + (", ".join(f"{n} x {what}" for what, n in counted.items()) or "nothing")


class Faults:
    """What the fixture `faults` gives. All methods return a `Fault`, for a `with`.

    Only calls and invocations of the system's functions are struck: not those of the event listener, of the
    harness, of terraform and of the test. Where pytest-xdist's workers share a deployment, only the work of
    functions for inputs of this worker is struck.

    Args:
        control: where faults are asked for.
        resources: the deployed system.
        session: the test session id of this process.
        shared: other processes send inputs to the same deployment.
        seed: decides with `rate` which calls are struck; the same for each run of a test.
        say: prints a line.
    """

    def __init__(
        self,
        control: Control,
        resources: ResourceMap,
        session: str,
        *,
        shared: bool,
        seed: str,
        say: Callable[[str], None],
    ) -> None:
        self.seed = seed
        self._control = control
        self._resources = resources
        self._session = session
        self._shared = shared
        self._say = say
        self._open: list[Fault] = []
        self._number = 0

    def latency(self, service: str, *, seconds: float, operation: str | None = None, **more: Any) -> Fault:
        """Calls of a service take so much longer.

        Args:
            service: boto3's name: dynamodb, s3, sqs, sns, events, stepfunctions, …
            seconds: by how much.
            operation: only this operation: `PutItem` or `put_item`.
            more: `function` (only calls of this component), `rate`, `times`, `harness=True` (also calls of
                the harness, terraform and the test).
        """
        return self._of_service("latency", service, operation, more, seconds=_positive(seconds, "seconds"))

    def throttle(
        self, service: str, *, rate: float = 1.0, operation: str | None = None, **more: Any
    ) -> Fault:
        """A service refuses a share of the calls as too many. Arguments as for `latency`."""
        code, status = services.throttled(service)
        return self._of_service(
            "throttle", service, operation, more | {"rate": rate}, code=code, status=status
        )

    def reset(self, service: str, *, operation: str | None = None, **more: Any) -> Fault:
        """The connection is cut before the service has seen the call. Arguments as for `latency`."""
        return self._of_service("reset", service, operation, more)

    def denied(self, service: str, *, operation: str | None = None, **more: Any) -> Fault:
        """A service denies the calls. Arguments as for `latency`."""
        code, status = services.denied(service)
        return self._of_service("denied", service, operation, more, code=code, status=status)

    def error(
        self,
        name: str,
        *,
        message: str | None = None,
        type: str = "RuntimeError",  # noqa: A002 (Python's own word for it)
        after: bool = False,
        operation: str | None = None,
        code: str | None = None,
        status: int | None = None,
        **more: Any,
    ) -> Fault:
        """A function raises, or a service fails.

        Args:
            name: a function (its component, or its own name), or a service (as for `latency`).
            message: of the error.
            type: of a function's exception.
            after: let the function do its work first; otherwise it isn't run.
            operation: of a service, as for `latency`.
            code: error code of a service; default: its own for a fault of its own.
            status: HTTP status of a service.
            more: as for `latency`; `rate` and `times` only for a function.
        """
        if self._resources.component_named(name) in self._resources.functions():
            said = "injected by a test" if message is None else message
            return self._of_function("raise", name, more, type=type, message=said, after=after)
        usual, usual_status = services.failing(name) if name in services.SERVICES else ("", 0)
        if not usual:
            known = ", ".join(sorted(self._resources.functions())) or "it has none"
            raise SettingError(
                f"faults: {name!r} is neither a function of the system ({known}) "
                f"nor a service ({', '.join(sorted(services.SERVICES))})"
            )
        settings = {"code": code or usual, "status": status or usual_status, "message": message}
        return self._of_service("error", name, operation, more, **settings)

    def timeout(self, component: str, *, seconds: float | None = None, **more: Any) -> Fault:
        """A function times out: after its own timeout, or after so many seconds. It isn't run."""
        lasts = None if seconds is None else _positive(seconds, "seconds")
        return self._of_function("timeout", component, more, seconds=lasts)

    def concurrency(self, component: str, **more: Any) -> Fault:
        """Invocations of a function are refused, as if too many ran."""
        return self._of_function("concurrency", component, more)

    def cold_start(self, component: str, *, seconds: float, **more: Any) -> Fault:
        """A function starts so much later."""
        return self._of_function("cold start", component, more, seconds=_positive(seconds, "seconds"))

    def duplicate(self, component: str, **more: Any) -> Fault:
        """A function gets each event twice, one after the other."""
        return self._of_function("duplicate", component, more)

    def reorder(self, component: str, **more: Any) -> Fault:
        """A function gets the records of a batch in reverse; a single event lets the next one overtake it."""
        return self._of_function("reorder", component, more)

    def close(self) -> None:
        """End every fault that is still in force."""
        for fault in list(self._open):
            fault.end()

    def _of_service(
        self, kind: str, service: str, operation: str | None, more: dict[str, Any], **settings: Any
    ) -> Fault:
        names = services.emulator_names(service)
        rule = {"services": names, "operation": services.operation_name(service, operation)}
        more = dict(more)
        component, harness = more.pop("function", None), bool(more.pop("harness", False))
        functions = [self._function(component)] if component else []
        spared = [] if component else [function_name(self._resources.listener.function)]
        return self._fault(kind, more, settings, **rule, functions=functions, spared=spared, harness=harness)

    def _of_function(self, kind: str, component: str, more: dict[str, Any], **settings: Any) -> Fault:
        return self._fault(kind, more, settings, functions=[self._function(component)])

    def _fault(self, kind: str, more: dict[str, Any], settings: dict[str, Any], **rule: Any) -> Fault:
        rate, times = more.pop("rate", 1.0), more.pop("times", None)
        if more:
            raise SettingError(f"faults: {next(iter(more))!r} is no argument of {kind}")
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= 1:
            raise SettingError(f"faults: rate is {rate!r}; valid: above 0, at most 1")
        if times is not None and (not isinstance(times, int) or times < 1):
            raise SettingError(f"faults: times is {times!r}; valid: a whole number above 0")
        self._number += 1
        whole = {
            "kind": kind,
            "owner": (os.getpid(), psutil.Process().create_time()),
            "session": self._session,
            "only_session": self._shared,
            "rate": rate,
            "times": times,
            "seed": f"{self.seed} {self._number}",
            "settings": {name: value for name, value in settings.items() if value is not None},
            **rule,
        }
        fault = Fault(self._control, whole, self._ended, self._say)
        self._open.append(fault)
        return fault

    def _ended(self, fault: Fault) -> None:
        if fault in self._open:
            self._open.remove(fault)

    def _function(self, name: str) -> str:
        known = self._resources.functions()
        component = self._resources.component_named(name)
        if component not in known:
            there = ", ".join(sorted(known)) or "none"
            raise SettingError(f"faults: {name!r} is no function of the system; there are: {there}")
        return known[component]


def _positive(value: float, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise SettingError(f"faults: {name} is {value!r}; valid: a number above 0")
    return float(value)
