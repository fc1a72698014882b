"""The journal of a deployment: what its test sessions have sent, seen and awaited, one JSON object a line.

Each process of a test session appends to it. `event-harness watch` reads it while tests run, and the report
of a session reads it at the end. It holds no contents of events, unless the session asks for them.
"""

import base64
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from event_harness.errors import HarnessError, InputFailedError, WaitTimeoutError, uncut
from event_harness.machine.clock import timestamp
from event_harness.machine.json_lines import JsonLines
from event_harness.results.result import Result
from event_harness.results.sent import Sent
from event_harness.system.correlation import session_id_of

FILE = "events.jsonl"
_KEPT = 8 * 1024 * 1024  # bytes of a file of earlier sessions; a larger one is put aside
_ERROR = 4096  # characters of the first line of an error
_EXPLANATION = 64 * 1024  # characters of one explanation
BODY = 16 * 1024
"""Bytes of a body that the journal keeps, where the session asks for contents."""


def current_test() -> str:
    """The node id of the test that runs now in this process; empty outside of tests."""
    return os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]


def open_journal(directory: Path, session_id: str, *, bodies: bool = False) -> "Journal":
    """Open the journal in a directory, which must be there, for one test session.

    A kept deployment serves many sessions: a large journal of earlier ones is put aside, as
    `events.jsonl.old`, and the one before that is deleted.
    """
    path = directory / FILE
    try:
        if path.stat().st_size > _KEPT:
            path.replace(path.with_name(f"{FILE}.old"))
    except OSError:
        pass  # there is none yet
    return Journal(JsonLines(path), session_id, bodies=bodies)


class Journal:
    """Records what one process of a test session does. It never raises: a test doesn't need it.

    Args:
        lines: The file; None records nothing.
        session_id: The test session.
        bodies: Record the beginning of each body, too.
        now: Epoch seconds.
        test: Returns the test that runs now.
    """

    def __init__(
        self,
        lines: JsonLines | None,
        session_id: str,
        *,
        bodies: bool = False,
        now: Callable[[], float] = timestamp,
        test: Callable[[], str] = current_test,
    ) -> None:
        self._lines = lines
        self._session_id = session_id
        self._bodies = bodies
        self._now = now
        self._test = test
        self.also: list[Callable[[Mapping[str, Any]], None]] = []  # called with each line
        self._waiting = threading.local()  # a wait may be made of others: only the outer one is recorded

    def name_test(self, name: str) -> None:
        """Record everything as of this test: outside of pytest there is no other."""
        self._test = lambda: name

    def begins(self, sla: float, target: str, group: str = "") -> None:
        """Record the begin of the session, and the pytest session that it belongs to."""
        self._write("session", sla=sla, target=target, group=group)

    def sent(self, sent: Sent, body: bytes | None = None) -> None:
        """Record an input, and its content if it is known."""
        fields: dict[str, Any] = {
            "id": sent.correlation_id,
            "component": sent.component,
            "sent_at": sent.sent_at,
            "description": sent.description,
            "size": sent.size,
        }
        if sent.service_id:
            fields["message_id"] = sent.service_id
        if self._bodies and body is not None:
            fields["body"] = base64.b64encode(body[:BODY]).decode()
        self._write("sent", **fields)

    def ignored(self, correlation_ids: Iterable[str]) -> None:
        """Record inputs that are no test's, such as readiness probes."""
        for correlation_id in correlation_ids:
            self._write("ignored", id=correlation_id)

    def seen(self, result: Result) -> None:
        """Record that this process has read a result."""
        self._write("seen", id=result.correlation_id, event_id=result.event_id)

    @contextmanager
    def wait(self, kind: str, sla: float, inputs: Callable[[], Iterable[str]]) -> Iterator["Waited"]:
        """Record a wait and its outcome.

        Args:
            kind: The method that waits.
            sla: The SLA in force, seconds.
            inputs: Returns the correlation ids of the awaited inputs, at the end of the wait.
        """
        waited = Waited()
        if getattr(self._waiting, "now", False):
            yield waited
            return
        self._waiting.now, began, error = True, self._now(), None
        try:
            yield waited
        except BaseException as raised:
            error = raised
            raise
        finally:
            self._waiting.now = False
            ids = list(dict.fromkeys(inputs()))
            told = _outcome(kind, ids, error, waited)
            self._write("wait", method=kind, sla=sla, began=began, ids=ids, **told)

    def _write(self, kind: str, **fields: Any) -> None:
        if self._lines is None and not self.also:
            return
        head = {"kind": kind, "at": self._now(), "session": self._session_id, "test": self._test()}
        line = head | fields
        if self._lines is not None:
            self._lines.append(line)
        for take in self.also:
            take(line)


@dataclass
class Waited:
    """What a wait tells of its outcome, besides the error that it raises.

    Attributes:
        missing: Ids of the inputs that it awaited in vain.
        failed: Ids of the inputs that a failure queue holds.
        explanation: Why the first of them did not come.
        queries: How often the results table has been queried by this process.
    """

    missing: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    explanation: str = ""
    queries: int = 0


def _outcome(kind: str, ids: list[str], error: BaseException | None, waited: Waited) -> dict[str, Any]:
    missing, failed = waited.missing, waited.failed
    if error is None:
        outcome = "incomplete" if missing else "ok"
        failed = ids if kind == "wait_for_failure" else failed
    else:
        outcome = type(error).__name__ if isinstance(error, HarnessError) else "interrupted"
        missing = ids if isinstance(error, WaitTimeoutError) else missing
        failed = ids if isinstance(error, InputFailedError) else failed
    told: dict[str, Any] = {"outcome": outcome, "missing": missing, "failed": failed}
    told["queries"] = waited.queries
    report = getattr(error, "report", None)
    if isinstance(error, HarnessError):
        told["error"] = uncut(error).partition("\n")[0][:_ERROR]
    explanation = waited.explanation or (report.full() if report is not None else "")
    if explanation:
        told["explanation"] = explanation[:_EXPLANATION]
    return told


@dataclass(frozen=True)
class Input:
    """One input, as a session has recorded it. `sent_at` is None if only its results are known."""

    correlation_id: str
    component: str = ""
    sent_at: float | None = None
    description: str = ""
    size: int | None = None
    test: str = ""
    message_id: str | None = None
    body: bytes | None = field(default=None, repr=False)

    @property
    def session_id(self) -> str:
        """The test session that it belongs to."""
        return session_id_of(self.correlation_id)


@dataclass(frozen=True)
class Wait:
    """One wait of a test. `outcome` is `ok`, `incomplete` (of a batch), `interrupted`, or an error's name."""

    test: str
    method: str
    ids: tuple[str, ...]
    began: float
    ended: float
    sla: float
    outcome: str
    missing: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    error: str = ""
    explanation: str = ""


class Recorded:
    """What a journal tells. Lines may come from anybody: one that makes no sense is skipped.

    Args:
        group: Only sessions of this pytest session count; all by default.
    """

    def __init__(self, group: str | None = None) -> None:
        self._group = group
        self._others: set[str] = set()  # sessions of another group
        self.queries: dict[str, int] = {}  # session id -> queries of the results table so far
        self.inputs: dict[str, Input] = {}
        self.seen: dict[str, float] = {}  # event id -> when a process of the session first read it
        self.waits: list[Wait] = []
        self.ignored: set[str] = set()  # inputs that are no test's
        self.sessions: dict[str, float] = {}  # session id -> when its first line was written

    def take(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Take further lines of the journal."""
        for line in lines:
            try:
                self._take(line)
            except (KeyError, TypeError, ValueError):
                continue

    def _take(self, line: Mapping[str, Any]) -> None:
        kind, at = line["kind"], float(line["at"])
        if kind == "session" and self._group is not None and line.get("group") != self._group:
            self._others.add(str(line["session"]))
        if line["session"] in self._others:
            return
        self.sessions.setdefault(str(line["session"]), at)
        if kind == "sent":
            self._sent(line)
        elif kind == "seen":
            self.seen.setdefault(str(line["event_id"]), at)
        elif kind == "ignored":
            self.ignored.add(str(line["id"]))
        elif kind == "wait":
            self.queries[str(line["session"])] = int(line.get("queries", 0))
            self.waits.append(
                Wait(
                    test=str(line["test"]),
                    method=str(line["method"]),
                    ids=tuple(map(str, line["ids"])),
                    began=float(line["began"]),
                    ended=at,
                    sla=float(line["sla"]),
                    outcome=str(line["outcome"]),
                    missing=tuple(map(str, line.get("missing", ()))),
                    failed=tuple(map(str, line.get("failed", ()))),
                    error=str(line.get("error", "")),
                    explanation=str(line.get("explanation", "")),
                )
            )

    def _sent(self, line: Mapping[str, Any]) -> None:
        body, message_id = line.get("body"), line.get("message_id")
        self.inputs[str(line["id"])] = Input(
            correlation_id=str(line["id"]),
            component=str(line["component"]),
            sent_at=float(line["sent_at"]),
            description=str(line["description"]),
            size=int(line["size"]),
            test=str(line["test"]),
            message_id=str(message_id) if message_id else None,
            body=base64.b64decode(body) if isinstance(body, str) else None,
        )
