"""Adds the three tagging operations of Kinesis that take an ARN to MiniStack 1.5.33, which lacks them.

Provider 6.2 and later calls ListTagsForResource for each `aws_kinesis_stream`. MiniStack has the older
operations on the same tags, by the name of a stream. `tests/integration/test_emulator_front.py` fails as soon
as MiniStack has its own: delete this module then.
"""

import functools
import json
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.services import kinesis

Response = tuple[int, dict[str, str], Any]
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, list[str]]], Awaitable[Response]]

_OLDER = {
    "ListTagsForResource": "ListTagsForStream",
    "TagResource": "AddTagsToStream",
    "UntagResource": "RemoveTagsFromStream",
}


def install() -> None:
    """Let MiniStack's Kinesis answer the operations."""
    kinesis.handle_request = with_tagging_by_arn(kinesis.handle_request)


def with_tagging_by_arn(handle: Handler) -> Handler:
    """Translate the operations to those that a handler knows."""

    @functools.wraps(handle)
    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Response:
        """Handle a request, a newer operation as its older one."""
        service, _, operation = headers.get("x-amz-target", "").rpartition(".")
        older = _OLDER.get(operation)
        if older is None or "cbor" in headers.get("content-type", ""):
            return await handle(method, path, headers, body, query)
        asked = json.loads(body)
        asked["StreamARN"] = asked.pop("ResourceARN")
        headers = {**headers, "x-amz-target": f"{service}.{older}"}
        status, answered, content = await handle(method, path, headers, json.dumps(asked).encode(), query)
        if operation == "ListTagsForResource" and status == 200:
            content = json.dumps({"Tags": json.loads(content)["Tags"]}).encode()
        return status, answered, content

    return handle_request
