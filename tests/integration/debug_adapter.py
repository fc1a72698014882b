"""A client of the Debug Adapter Protocol, as an editor has one."""

import itertools
import json
import socket
import time
from typing import Any


class Editor:
    """Attaches to a function that waits for a debugger.

    Args:
        port: TCP port on 127.0.0.1.
        attach: arguments of the request `attach`: an entry of VS Code's launch.json.
    """

    def __init__(self, port: int, attach: dict[str, Any]) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=300)
        self._stream = self._socket.makefile("rwb")
        self._numbers = itertools.count(1)
        self._events: list[dict[str, Any]] = []
        self._answers: dict[int, dict[str, Any]] = {}
        self._ask("initialize", adapterID="debugpy", clientID="test", pathFormat="path")
        self._attached = self._send("attach", **attach)
        self.event("initialized")

    def start(self, path: str, *lines: int) -> list[bool]:
        """Set breakpoints and let the function run; returns whether each was verified."""
        points = [{"line": line} for line in lines]
        answer = self._ask("setBreakpoints", source={"path": path}, breakpoints=points)
        self._ask("configurationDone")
        self._answer(self._attached)
        return [point["verified"] for point in answer["breakpoints"]]

    def stopped(self) -> dict[str, Any]:
        """Wait for a stop; returns the frame on top."""
        self.thread = self.event("stopped")["threadId"]
        return self._ask("stackTrace", threadId=self.thread)["stackFrames"][0]

    def value(self, frame: dict[str, Any], expression: str) -> str:
        """What an expression is in a frame."""
        return self._ask("evaluate", expression=expression, frameId=frame["id"])["result"]

    def proceed(self) -> None:
        """Continue from a stop."""
        self._ask("continue", threadId=self.thread)

    def leave(self) -> None:
        """Detach; the function goes on."""
        self._ask("disconnect", terminateDebuggee=False)
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()
        self._socket.close()

    def event(self, name: str) -> dict[str, Any]:
        """Wait for an event; returns its body."""
        while True:
            for event in self._events:
                if event["event"] == name:
                    self._events.remove(event)
                    return event.get("body", {})
            self._read()

    def _ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        return self._answer(self._send(command, **arguments))

    def _send(self, command: str, **arguments: Any) -> int:
        number = next(self._numbers)
        message = {"seq": number, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(message).encode()
        self._stream.write(f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        self._stream.flush()
        return number

    def _answer(self, number: int) -> dict[str, Any]:
        while number not in self._answers:
            self._read()
        answer = self._answers.pop(number)
        assert answer["success"], answer
        return answer.get("body") or {}

    def _read(self) -> None:
        length = 0
        while line := self._stream.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "the debugger has closed the connection"
        message = json.loads(self._stream.read(length))
        if message["type"] == "response":
            self._answers[message["request_seq"]] = message
        elif message["type"] == "event":
            self._events.append(message)


def when_printed(stream: Any, pattern: Any, seconds: float = 300) -> Any:
    """Read lines until one matches; returns the match."""
    until, read = time.monotonic() + seconds, []
    for line in stream:
        read.append(line)
        if found := pattern.search(line):
            return found
        assert time.monotonic() < until, "".join(read)
    raise AssertionError("".join(read))
