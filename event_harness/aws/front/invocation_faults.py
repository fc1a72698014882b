"""Faults of functions: to raise, to time out, to start late or never, to get events twice or reordered."""

import contextvars
import functools
import json
import secrets
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc

from event_harness.aws.front.fault_rules import FUNCTION_FAULTS, Call, Rule, Rules
from event_harness.machine.clock import timestamp

Dispatch = Callable[..., Any]

_REORDERED_WITHIN = 2.0  # seconds that an invocation waits for the one that shall overtake it


class Invocations:
    """The invocations that run now, by the trace id that their calls of services carry.

    Args:
        rules: the faults in force.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._running: dict[str, Call] = {}
        self._current: contextvars.ContextVar[Call | None] = contextvars.ContextVar(
            "invocation", default=None
        )
        self._added: contextvars.ContextVar[str] = contextvars.ContextVar("added line", default="")
        self._overtaken = threading.Condition()
        self._ended: dict[str, int] = {}

    def install(self) -> None:
        """Change MiniStack before its first function starts."""
        lambda_svc._execute_function_dispatch = self.struck(lambda_svc._execute_function_dispatch)
        lambda_svc._xray_trace_id_for_invocation = self.traced(lambda_svc._xray_trace_id_for_invocation)
        lambda_svc._emit_lambda_logs = self.logged(lambda_svc._emit_lambda_logs)

    def by_trace(self, header: str) -> Call | None:
        """The invocation that a call of a service is part of, by its trace header."""
        return self._running.get(_root(header))

    def traced(self, trace_id: Callable[..., str | None]) -> Callable[..., str | None]:
        """Give each invocation a trace id while there are rules: its calls of services then carry it."""

        @functools.wraps(trace_id)
        def traced(config: dict[str, Any], inbound_trace_header: str | None = None) -> str | None:
            """Give the calls of an invocation a trace id, by which they are found again."""
            current = self._current.get()
            found = trace_id(config, inbound_trace_header)
            if current is None or not self._rules:
                return found
            found = found or _new_trace()
            self._running[_root(found)] = current
            return found

        return traced

    def struck(self, dispatch: Dispatch) -> Dispatch:
        """What runs an invocation, with the faults of its function."""

        @functools.wraps(dispatch)
        def run(func: Any, config: dict[str, Any], event: Any, request_id: str, started: float) -> Any:
            """Run an invocation, with the fault that strikes it."""
            if not self._rules:
                return dispatch(func, config, event, request_id, started)
            name = str(config.get("FunctionName"))
            call = Call(function=name, event=json.dumps(event, ensure_ascii=False, default=str))
            token = self._current.set(call)
            try:
                rule = self._rules.striking(call, FUNCTION_FAULTS)
                if rule is None:
                    return dispatch(func, config, event, request_id, started)
                return self._strike(rule, dispatch, func, config, event, request_id, started)
            finally:
                self._current.reset(token)
                for trace in [one for one, running in self._running.items() if running is call]:
                    self._running.pop(trace, None)
                with self._overtaken:
                    self._ended[name] = self._ended.get(name, 0) + 1
                    self._overtaken.notify_all()

        return run

    def logged(self, emit: Callable[..., None]) -> Callable[..., None]:
        """What writes the log of an invocation; an error that a fault raises after the work belongs to it."""

        @functools.wraps(emit)
        def emitted(func: Any, request_id: str, log_text: str, *more: Any, **further: Any) -> None:
            """Write the lines of an invocation between those of its start and its end."""
            text = "\n".join(part for part in (log_text.rstrip("\n"), self._added.get()) if part)
            emit(func, request_id, text, *more, **further)

        return emitted

    def _strike(
        self,
        rule: Rule,
        dispatch: Dispatch,
        func: Any,
        config: dict[str, Any],
        event: Any,
        request_id: str,
        started: float,
    ) -> Any:
        settings = rule.settings
        match rule.kind:
            case "raise":
                kind, message = str(settings["type"]), str(settings["message"])
                if not settings.get("after"):
                    return _failed(func, request_id, kind, message)
                token = self._added.set(_log_of(kind, message))
                try:
                    dispatch(func, config, event, request_id, started)
                finally:
                    self._added.reset(token)
                return _result(kind, message)
            case "timeout":
                limit = int(config.get("Timeout") or 3)
                seconds = settings.get("seconds")
                lasts = float(limit) if seconds is None else min(float(seconds), float(limit))
                time.sleep(lasts)
                message = f"Task timed out after {lasts:.2f} seconds"
                return _failed(func, request_id, "Sandbox.Timedout", message)
            case "concurrency":
                return lambda_svc._throttle_response(
                    reason_code="ReservedFunctionConcurrentInvocationLimitExceeded",
                    msg="Rate Exceeded. (injected)",
                )
            case "cold start":
                time.sleep(float(settings["seconds"]))
            case "duplicate":
                dispatch(func, config, event, request_id, started)
                return dispatch(func, config, event, str(uuid.uuid4()), timestamp())
            case "reorder":
                event = self._later(str(config.get("FunctionName")), event)
        return dispatch(func, config, event, request_id, started)

    def _later(self, name: str, event: Any) -> Any:
        """Reverse the records of a batch; let another invocation of the function overtake a single one."""
        records = event.get("Records") if isinstance(event, dict) else None
        if isinstance(records, list) and len(records) > 1:
            return {**event, "Records": records[::-1]}
        with self._overtaken:
            before = self._ended.get(name, 0)
            self._overtaken.wait_for(lambda: self._ended.get(name, 0) > before, _REORDERED_WITHIN)
        return event


def _failed(func: Any, request_id: str, kind: str, message: str) -> dict[str, Any]:
    """The result of a function that fails, with lines in its log that say who made it fail."""
    lambda_svc._emit_lambda_logs(func, request_id, _log_of(kind, message), True, 0)
    return _result(kind, message)


def _log_of(kind: str, message: str) -> str:
    return f"[ERROR] {kind}: {message} (injected by a test)"


def _result(kind: str, message: str) -> dict[str, Any]:
    body = {"errorMessage": message, "errorType": kind}
    return {"body": body, "error": True, "function_error": "Unhandled", "log": _log_of(kind, message)}


def _new_trace() -> str:
    """A trace header as Lambda makes one for a function without active tracing."""
    return f"Root=1-{int(timestamp()):08x}-{secrets.token_hex(12)};Parent={secrets.token_hex(8)};Sampled=0"


def _root(header: str) -> str:
    return header.partition("Root=")[2].partition(";")[0]
