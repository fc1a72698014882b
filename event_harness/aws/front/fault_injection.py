"""Faults on purpose: strikes calls of services, and takes the orders of the fixture `faults`.

It stands behind the check of signatures and before MiniStack. Here it is known who calls: a function, by the
key of its role or the trace of its invocation, or the harness, by the key of the root user.
"""

import asyncio
import json
import os
import re
import uuid
import weakref
from typing import Any
from urllib.parse import parse_qs

from hypercorn.asyncio import tcp_server
from ministack.core import iam_actions, router
from ministack.services import sts

from event_harness.aws.front import signatures
from event_harness.aws.front.asgi import App, Receive, Request, Scope, Send, respond, whole_body
from event_harness.aws.front.fault_rules import SERVICE_FAULTS, Call, Rule, Rules
from event_harness.aws.front.invocation_faults import Invocations
from event_harness.aws.front_paths import FAULTS

_JSON = {"content-type": "application/json"}
_ACCOUNT = re.compile(r"\d{12}")

_connections: "weakref.WeakValueDictionary[tuple[str, int], Any]" = weakref.WeakValueDictionary()


class FaultInjection:
    """Strikes requests as the rules say; hands all others on."""

    def __init__(self, app: App, rules: Rules, invocations: Invocations) -> None:
        self.app = app
        self.rules = rules
        self.invocations = invocations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Strike a request, or hand it on."""
        if scope["type"] != "http" or not (self.rules or scope["path"] == FAULTS):
            return await self.app(scope, receive, send)
        request = Request.of(scope)
        body, receive = await whole_body(receive)
        if request.path == FAULTS:
            return await self._order(request, body, send)
        parameters = request.query | (
            parse_qs(body.decode("utf-8", "replace"))
            if "x-www-form-urlencoded" in request.headers.get("content-type", "")
            else {}
        )
        service = router.detect_service(request.method, request.path, request.headers, parameters)
        action = iam_actions.extract_iam_action(
            service, request.method, request.path, request.headers, body, parameters
        )
        call = self._call(request, service, str(action or "").partition(":")[2])
        rule = self.rules.striking(call, SERVICE_FAULTS)
        if rule is None:
            return await self.app(scope, receive, send)
        if rule.kind == "latency":
            await asyncio.sleep(float(rule.settings["seconds"]))
            return await self.app(scope, receive, send)
        if rule.kind == "reset" and _cut(scope):
            return None
        return await respond(send, *_refusal(rule, request, service, str(action or "")))

    def _call(self, request: Request, service: str, operation: str) -> Call:
        key = signatures.key_of(request)
        invocation = self.invocations.by_trace(request.headers.get("x-amzn-trace-id", ""))
        session = sts._sessions.get(key)
        name = ""
        if session and ":assumed-role/" in str(session.get("Arn")):
            name = str(session["Arn"]).rpartition("/")[2]
        function = invocation.function if invocation else name
        of_function = bool(function) or bool(_ACCOUNT.fullmatch(key))
        return Call(service, operation, function, invocation.event if invocation else None, not of_function)

    async def _order(self, request: Request, body: bytes, send: Send) -> None:
        if signatures.key_of(request) != os.environ["AWS_ACCESS_KEY_ID"]:
            return await respond(send, 403, _JSON, b'{"message": "only the harness may ask for faults"}')
        try:
            if request.method == "POST":
                said: Any = {"id": self.rules.add(json.loads(body))}
            else:
                said = self.rules.told(request.first("id"), remove=request.method == "DELETE")
        except ValueError as error:
            return await respond(send, 400, _JSON, json.dumps({"message": str(error)}).encode())
        return await respond(send, 200, _JSON, json.dumps(said).encode())


def know_connections() -> None:
    """Remember the open connections of the server, which a fault may cut."""
    begin = tcp_server.TCPServer.__init__

    def remembered(self: Any, *arguments: Any, **named: Any) -> None:
        """Begin a connection, and remember it by its peer."""
        begin(self, *arguments, **named)
        peer = self.writer.get_extra_info("peername")
        if peer:
            _connections[tuple(peer[:2])] = self

    tcp_server.TCPServer.__init__ = remembered  # type: ignore[method-assign]


def _cut(scope: Scope) -> bool:
    """Cut the connection of a request. Returns whether it is known."""
    server = _connections.get(tuple((scope.get("client") or ("", 0))[:2]))
    if server is None:
        return False
    server.writer.transport.abort()
    return True


def _refusal(rule: Rule, request: Request, service: str, action: str) -> tuple[int, dict[str, str], bytes]:
    """An error in the protocol of the service, so that an SDK shows its code."""
    code = str(rule.settings.get("code", "InternalFailure"))
    message = str(rule.settings.get("message") or f"{code} (injected by a test)")
    _, headers, body = iam_actions.access_denied_response(
        service, action, "", str(uuid.uuid4()), error_code=code, message=message, headers=request.headers
    )
    return int(rule.settings.get("status", 500)), headers, body
