"""Injected faults in front of the local AWS emulator: microburst answers as AWS does when it fails."""

import ctypes
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from event_harness.aws.targets import Target
from event_harness.machine.ports import LOOPBACK, free_port, listens

Rule = Mapping[str, Any]

_UP_WITHIN = 120.0  # seconds
_TRIES = 5  # ports to try


def storm(*, throttled: float = 0.1, failing: float = 0.05, reset: float = 0.02) -> list[Rule]:
    """Rules for requests of all kinds; the first that strikes is the one, so the chances are conditional.

    Args:
        throttled: share of requests refused as too many, in the words of their service.
        failing: share answered with a 5xx.
        reset: share whose connection is cut before AWS has seen them.
    """
    return [
        {
            "service": "dynamodb",
            "probability": throttled,
            "error": _error("ProvisionedThroughputExceededException", 400),
        },
        {"service": "s3", "probability": throttled, "error": _error("SlowDown", 503)},
        # By its status: microburst gives SQS's codes a prefix that AWS doesn't and botocore doesn't know.
        {"service": "sqs", "probability": throttled, "error": _error("RequestThrottled", 503)},
        *(
            {"service": service, "probability": throttled, "error": _error("ThrottlingException", 400)}
            for service in ("events", "iam", "kinesis", "lambda", "logs", "sns", "sts")
        ),
        {
            "service": "*",
            "probability": failing / (1 - throttled),
            "error": _error("ServiceUnavailable", 503),
        },
        {"service": "*", "probability": reset / (1 - throttled - failing), "reset": True},
    ]


def slow(share: float = 0.25, most_ms: int = 1000) -> Rule:
    """Latency for a share of the requests, evenly from none to the most."""
    return {"service": "*", "probability": share, "latency": {"min": 0, "max": most_ms}}


def outage(seconds: float) -> Rule:
    """Every connection is cut, from now on."""
    return {"service": "*", "reset": True, "ttl_s": seconds}


def lost_answers(share: float, *services: str) -> list[Rule]:
    """AWS does what was asked, but its answer is lost on the way."""
    return [{"service": name, "probability": share, "response": {"abort_frac": 0.0}} for name in services]


def _error(code: str, status: int) -> dict[str, Any]:
    return {"code": code, "status": status}


class FaultInjection:
    """A proxy in front of an AWS emulator that injects no faults at first. A context manager.

    Requests reach the emulator under another Host than the one they were signed for, so the proxy signs them
    anew.
    """

    def __init__(self, upstream: Target, log: Path, port: int | None = None) -> None:
        for _ in range(1 if port else _TRIES):
            self.port = port or free_port()
            self.url = f"http://{LOOPBACK}:{self.port}"
            self._process = self._start(upstream, log)
            if self._is_up():
                return
            self._process.kill()
            self._process.wait()
        raise RuntimeError(f"microburst did not start: {log}")

    def _start(self, upstream: Target, log: Path) -> "subprocess.Popen[bytes]":
        command = [
            sys.executable,
            "-m",
            "microburst",
            "--upstream",
            str(upstream.endpoint_url),
            "--port",
            str(self.port),
        ]
        with log.open("ab") as output:
            return subprocess.Popen(
                [*command, "--resign"],
                env=os.environ | upstream.settings(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=_end_with_parent,
            )

    def _is_up(self) -> bool:
        """Wait until it listens; false if it ends, since another process took the port first."""
        deadline = time.monotonic() + _UP_WITHIN
        while not listens(self._process.pid, self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def inject(self, *rules: Rule) -> None:
        """From now on these rules, and no others."""
        self._control("POST", "rules", list(rules))

    def fired(self) -> "Counter[str]":
        """How often what has struck of late, by action; latency of any length is one."""
        events = self._control("GET", "fired?limit=100000")
        return Counter(re.sub(r"latency:\d+ms", "latency", event["action"]) for event in events)

    def count(self) -> str:
        """How many requests came, and how many of them were struck."""
        requests = self._control("GET", "stats")["requests"]
        return f"{requests['faulted']} of {requests['total']} requests struck"

    def _control(self, method: str, path: str, body: Sequence[Rule] | None = None) -> Any:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=60)
        try:
            connection.request(
                method, f"/_microburst/{path}", body=json.dumps(body) if body is not None else None
            )
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= 300:
                raise RuntimeError(f"microburst refuses {method} {path}: {text!r}")
            return json.loads(text)
        finally:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
