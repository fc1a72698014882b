"""Runs inside a function's process: waits for a debugger, or measures coverage.

MiniStack's worker loads this file by its path, and only if a test session has asked for either. It imports
nothing of this package.
"""

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

_LOOK = 0.1  # seconds between two looks at the debugger and at the session
_FREE_WITHIN = 30.0  # seconds that the process before this one may take to free the port


class Process:
    """What this process does besides running the function.

    Args:
        wishes: see `event_harness.aws.instruments.Instruments.of`.
    """

    def __init__(self, wishes: dict[str, Any]) -> None:
        self.wishes = wishes
        self.folder = Path(wishes["folder"])
        self._coverage: Any = None
        self._running = self.folder / "coverage" / f"{os.getpid()}.running"
        self._suspended = 0.0
        self._before = 0.0

    def begin(self, init: dict[str, Any]) -> None:
        """Called once, before the function's module is imported; may move its code."""
        if self.wishes["coverage"]:
            self._measure(init)
        elif self.wishes["debug"]:
            self._await_debugger(init)

    def invocation_begins(self) -> None:
        """Called before the handler."""
        self._before = self._suspended
        if self._coverage:
            with contextlib.suppress(OSError):  # the session has ended
                self._running.touch()

    def invocation_ends(self) -> None:
        """Called after the handler, before the result is reported: the process may be killed after that."""
        if self._coverage:
            with contextlib.suppress(Exception):  # nothing here may fail the function
                self._coverage.save()
            self._running.unlink(missing_ok=True)

    def suspended(self) -> float:
        """Seconds of the running invocation during which a debugger was attached or awaited."""
        return self._suspended - self._before

    def _measure(self, init: dict[str, Any]) -> None:
        import coverage  # of the project's own environment

        code = Path(init["code_dir"])
        known = {
            "function": self.wishes["function"],
            "code_sha256": _archive(code),
            "files": dict(_contents(code.parent)),
        }
        _write(self._running.with_suffix(".json"), known)
        self._coverage = coverage.Coverage(config_file=self.wishes["coverage"], data_suffix=True)
        self._coverage.start()

    def _await_debugger(self, init: dict[str, Any]) -> None:
        port, code = self.wishes["debug"]["port"], Path(self.wishes["debug"]["code"])
        archive = _archive(Path(init["code_dir"]))
        shutil.rmtree(code, ignore_errors=True)
        shutil.copytree(init["code_dir"], code)
        init["code_dir"] = os.environ["LAMBDA_TASK_ROOT"] = str(code)
        os.chdir(code)
        lock = (self.folder / "attached" / str(port)).open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # or it warns of frozen modules in the log
        import debugpy

        waits = threading.Event()
        waits.set()
        watch = threading.Thread(target=self._watch, args=(debugpy, lock, waits), daemon=True)
        # The debugger stops all threads at a breakpoint, except these.
        watch.is_pydev_daemon_thread = watch.pydev_do_not_trace = True  # type: ignore[attr-defined]
        watch.start()
        debugpy.configure(subProcess=False)
        _listen(debugpy, port)
        handler = next(iter(sorted(_named(code, init["module"]))), None)
        said = {
            "name": self.wishes["debug"]["name"],
            "port": port,
            "code": str(code),
            "handler": str(handler.relative_to(code)) if handler else "",
            "archive": archive,
        }
        _write(self.folder / "waiting" / f"{os.getpid()}.json", said)
        debugpy.wait_for_client()
        sys.breakpointhook = debugpy.breakpoint
        waits.clear()

    def _watch(self, debugpy: Any, lock: Any, waits: threading.Event) -> None:
        """Hold the lock while a debugger is attached or awaited; end this process with its session."""
        held, last = True, time.clock_gettime(time.CLOCK_MONOTONIC)
        while True:
            time.sleep(_LOOK)
            now = time.clock_gettime(time.CLOCK_MONOTONIC)
            if held:
                self._suspended += now - last
            last = now
            wanted = waits.is_set() or bool(debugpy.is_client_connected())
            if wanted != held:
                fcntl.flock(lock, fcntl.LOCK_EX if wanted else fcntl.LOCK_UN)
                held = wanted
            if not _lives(**self.wishes["owner"]):
                os.kill(os.getpid(), signal.SIGKILL)


def _write(file: Path, content: dict[str, Any]) -> None:
    """Write a file that the session may read at any moment: it finds all of it, or no file."""
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(content), encoding="utf-8")
    partial.replace(file)


def _listen(debugpy: Any, port: int) -> None:
    until = time.clock_gettime(time.CLOCK_MONOTONIC) + _FREE_WITHIN
    while True:
        try:
            debugpy.listen(("127.0.0.1", port))
        except Exception:
            if time.clock_gettime(time.CLOCK_MONOTONIC) > until:
                raise
            time.sleep(_LOOK)
        else:
            return


def _named(code: Path, module: str) -> Iterator[Path]:
    path = code.joinpath(*module.split("."))
    yield from (one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file())


def _archive(code: Path) -> str:
    """SHA-256 of the function's archive in base64, as Lambda tells it."""
    packed = (code.parent / "code.zip").read_bytes()
    return base64.b64encode(hashlib.sha256(packed).digest()).decode()


def _contents(directory: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Each Python file of the function and its layers: its place in the archive, and its hash."""
    for top in (directory / "code", *sorted(directory.glob("layer_*/"))):
        for path in top.rglob("*.py"):
            with contextlib.suppress(OSError):
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                yield str(path), {"place": str(path.relative_to(top)), "sha256": digest}


def _lives(pid: int, started: float) -> bool:
    """As `event_harness.machine.processes.still_lives`, which can't be imported here."""
    try:
        process = psutil.Process(pid)
        if sys.platform == "linux":
            fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
            began = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        else:
            began = process.create_time()
        return began == started and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False
