"""The types of ASGI, and a request as the front looks at it."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class Request:
    """A request without its body.

    Attributes:
        method: GET, POST, …; GET of a WebSocket.
        path: its path, decoded.
        raw_path: its path as it was sent.
        query: its query parameters.
        headers: its headers by lower-case name. Commas join several of one name, as in a signature.
    """

    method: str
    path: str
    raw_path: str
    query: dict[str, list[str]]
    headers: dict[str, str]

    @classmethod
    def of(cls, scope: Scope) -> "Request":
        """The request of an ASGI scope."""
        headers: dict[str, str] = {}
        for raw_name, raw_value in scope["headers"]:
            name, value = raw_name.decode("latin-1").lower(), _text(raw_value)
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        query = parse_qs(scope["query_string"].decode("utf-8", "replace"), keep_blank_values=True)
        raw_path = scope["raw_path"].decode("latin-1")
        return cls(scope.get("method", "GET"), scope["path"], raw_path, query, headers)

    @property
    def host(self) -> str:
        """The host that the client named, with its port."""
        return self.headers.get("host", "")

    def first(self, name: str) -> str:
        """The first value of a query parameter, or an empty text."""
        return self.query.get(name, [""])[0]


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


async def whole_body(receive: Receive) -> tuple[bytes, Receive]:
    """Read the body of a request, and return it with a `receive` that gives it out again."""
    messages, more = [], True
    while more:
        message = await receive()
        messages.append(message)
        more = message["type"] == "http.request" and message.get("more_body", False)
    body = b"".join(message.get("body", b"") for message in messages)

    async def again() -> Message:
        """Give the messages again, then those that come later."""
        return messages.pop(0) if messages else await receive()

    return body, again


async def respond(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    """Send a response in one piece."""
    sent = {"content-length": str(len(body)), **{name.lower(): text for name, text in headers.items()}}
    raw = [(name.encode("latin-1"), text.encode("latin-1")) for name, text in sent.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
