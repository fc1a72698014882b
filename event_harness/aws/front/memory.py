"""Tells the harness how much memory the emulator takes, its functions' workers included.

A worker is a process, and their number has no limit. Who sends must know when there are many.
"""

import json
import os

import psutil

from event_harness.aws.front import signatures
from event_harness.aws.front.asgi import App, Receive, Request, Scope, Send, respond
from event_harness.aws.front_paths import MEMORY

_JSON = {"content-type": "application/json"}


class MemoryReport:
    """Answers what the memory is; hands all other requests on."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http" or scope["path"] != MEMORY:
            return await self.app(scope, receive, send)
        if signatures.key_of(Request.of(scope)) != os.environ["AWS_ACCESS_KEY_ID"]:
            return await respond(send, 403, _JSON, b'{"message": "only the harness may ask for the memory"}')
        return await respond(send, 200, _JSON, json.dumps({"bytes": taken(psutil.Process())}).encode())


def taken(process: psutil.Process) -> int:
    """Bytes that a process and its descendants hold in memory."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:  # it has just ended
            continue
    return total
