"""Lets a test session look into MiniStack's functions: see `event_harness.aws.instruments`.

A function that waits for a debugger runs one invocation at a time, since one debugger looks at one process.
While a debugger is attached or awaited, no function times out.
"""

import functools
import threading
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from event_harness.aws import instruments
from event_harness.aws.instruments import VARIABLE, Instruments
from event_harness.machine import clock

_FOREVER = 10**7  # seconds
_LOOK = 0.1


class Wishes:
    """The wishes of the session that looks into this emulator now.

    Args:
        directory: the emulator's directory.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file = directory / instruments.FILE
        self._version: object = None
        self._read: Instruments | None = None
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def now(self) -> Instruments | None:
        """Read the file again if it has changed. Without a file, this costs one look at the directory."""
        try:
            seen = self._file.stat()
        except OSError:
            return None
        if (version := (seen.st_ino, seen.st_mtime_ns, seen.st_size)) != self._version:
            self._read, self._version = instruments.read(self._directory), version
        return self._read if self._read and self._read.owner.lives() else None

    def turn(self, function: str) -> AbstractContextManager[object]:
        """What an invocation of this function holds while it runs."""
        wishes = self.now()
        return self._turns[function] if wishes and function in wishes.debug else nullcontext()


def install(directory: Path) -> None:
    """Change MiniStack before its first function starts."""
    wishes = Wishes(directory)
    lambda_runtime.Worker.invoke = inspected(lambda_runtime.Worker.invoke, wishes)
    lambda_svc._execute_function_dispatch = in_turn(lambda_svc._execute_function_dispatch, wishes)
    lambda_svc._sqs_esm_concurrency = one_batch_at_a_time(lambda_svc._sqs_esm_concurrency, wishes)


def in_turn(dispatch: Callable[..., Any], wishes: Wishes) -> Callable[..., Any]:
    """Let a debugged function run one invocation at a time."""

    @functools.wraps(dispatch)
    def run(func: Any, config: dict[str, Any], *arguments: Any) -> Any:
        """Run an invocation when it is the turn of its function."""
        with wishes.turn(str(config.get("FunctionName"))):
            return dispatch(func, config, *arguments)

    return run


def one_batch_at_a_time(concurrency: Callable[..., int], wishes: Wishes) -> Callable[..., int]:
    """Let a debugged function get one batch at a time: a message that reappears is not delivered again."""

    @functools.wraps(concurrency)
    def limit(mapping: dict[str, Any], *arguments: Any) -> int:
        """A function that waits for a debugger runs once at a time."""
        name = str(mapping.get("FunctionName")).rpartition(":")[2]
        there = wishes.now()
        return 1 if there and name in there.debug else concurrency(mapping, *arguments)

    return limit


def inspected(invoke: Callable[..., dict[str, Any]], wishes: Wishes) -> Callable[..., dict[str, Any]]:
    """What runs an invocation in a worker that does what the session wants."""

    @functools.wraps(invoke)
    def run(worker: Any, *arguments: Any, **more: Any) -> dict[str, Any]:
        """Invoke a worker; start it anew if what looks into it has changed."""
        there = wishes.now()
        wanted = there.of(worker.func_name) if there else ""
        if getattr(worker, "_event_harness", "") != wanted:
            if worker._proc is not None:
                lambda_runtime.kill_workers([worker])
            worker._event_harness = wanted
        if not there:
            return invoke(worker, *arguments, **more)
        config = worker.config
        try:
            if wanted:
                worker.config = _with_variable(config, wanted)
                lambda_runtime.ensure_spawned(worker)
            if not there.debug:
                worker.config = config
                return invoke(worker, *arguments, **more)
            return _patiently(invoke, worker, config, there, arguments, more)
        finally:
            worker.config = config

    return run


def _patiently(
    invoke: Callable[..., dict[str, Any]],
    worker: Any,
    config: dict[str, Any],
    there: Instruments,
    arguments: tuple[Any, ...],
    more: dict[str, Any],
) -> dict[str, Any]:
    """Run an invocation whose timeout counts only the time without a debugger."""
    timeout = config.get("Timeout", 3)
    lambda_runtime.ensure_spawned(worker)
    worker.config = {**config, "Timeout": _FOREVER}
    done, late = threading.Event(), threading.Event()

    def watch() -> None:
        """End the worker when its time is over; the time of a debugger doesn't count."""
        left, last = float(timeout), clock.monotonic()
        while not done.wait(_LOOK):
            now = clock.monotonic()
            left -= 0.0 if there.suspended() else now - last
            last = now
            if left <= 0:
                late.set()
                lambda_runtime._signal(worker._proc)
                lambda_runtime._collect(worker._proc, clock.monotonic() + lambda_runtime._REAP_GRACE)
                return

    watching = threading.Thread(target=watch, name=f"timeout-{worker.func_name}", daemon=True)
    watching.start()
    try:
        result = invoke(worker, *arguments, **more)
    finally:
        done.set()
        watching.join()
    if late.is_set():
        result = {**result, "status": "error", "error": f"Task timed out after {timeout}.00 seconds"}
    return result


def _with_variable(config: dict[str, Any], wanted: str) -> dict[str, Any]:
    environment = config.get("Environment") or {}
    variables = {**environment.get("Variables", {}), VARIABLE: wanted}
    return {**config, "Environment": {**environment, "Variables": variables}}
