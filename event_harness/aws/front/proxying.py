"""Makes the emulator a forward proxy whose every host is the emulator itself.

With `HTTP_PROXY` set to the emulator, a request to a host that a client has invented
(`000000000000.127.0.0.1`, from an account's number and our endpoint) needs no name resolution and ends here.
"""

from urllib.parse import unquote

from event_harness.aws.front.asgi import App, Receive, Scope, Send, respond

PROXIED = "event_harness.proxied"
"""Key of the scope's `state`: the client took us for its proxy, so its Host header may name any host."""


class ForwardProxy:
    """Turns the request target of a proxy (`GET http://host/path`) into that of a server (`GET /path`)."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, as if it were made to a server."""
        if scope.get("method") == "CONNECT":
            # https would leave this machine.
            said = b"the local AWS emulator passes no https on: use http"
            await respond(send, 403, {"content-type": "text/plain", "connection": "close"}, said)
            return
        if scope["type"] == "http" and scope["raw_path"].startswith(b"http://"):
            host, slash, path = scope["raw_path"].removeprefix(b"http://").partition(b"/")
            if host.startswith(b"127.0.0.1:") and host != f"127.0.0.1:{scope['server'][1]}".encode():
                said = b"the local AWS emulator is no proxy to other servers of this machine: set NO_PROXY"
                await respond(send, 502, {"content-type": "text/plain"}, said)
                return
            raw_path = slash + path or b"/"
            state = {**scope.get("state", {}), PROXIED: True}
            scope = {**scope, "raw_path": raw_path, "path": unquote(raw_path.decode("ascii")), "state": state}
        await self.app(scope, receive, send)
