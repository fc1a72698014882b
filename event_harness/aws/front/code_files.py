"""Makes functions from files of this machine, where their code is in the bucket of `aws.code_bucket`.

MiniStack runs as the user who runs terraform, so it can read what terraform would have read.
"""

import base64
import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import lambda_svc

from event_harness.aws.code_bucket import BUCKET, PATH
from event_harness.aws.front.asgi import App, Receive, Scope, Send, respond

_FROM_S3 = ("S3Bucket", "S3Key", "S3ObjectVersion")
Code = Mapping[str, Any]


def install() -> None:
    """Change MiniStack before its first function is made."""
    lambda_svc._create_function = creating(lambda_svc._create_function)
    lambda_svc._update_code = updating(lambda_svc._update_code)


class CodeFiles:
    """Says that this front knows the bucket; hands all other requests on."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand a request on."""
        if scope["type"] == "http" and scope["path"] == PATH:
            return await respond(send, 200, {"content-type": "text/plain"}, BUCKET.encode())
        return await self.app(scope, receive, send)


def creating(create: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """CreateFunction, also from a file."""

    @functools.wraps(create)
    def create_function(data: dict[str, Any]) -> Any:
        """Create a function."""
        try:
            return create(data | {"Code": with_file(data["Code"])} if "Code" in data else data)
        except OSError as error:
            return _refused(error)

    return create_function


def updating(update: Callable[[str, dict[str, Any]], Any]) -> Callable[[str, dict[str, Any]], Any]:
    """UpdateFunctionCode, also from a file."""

    @functools.wraps(update)
    def update_code(name: str, data: dict[str, Any]) -> Any:
        """Update the code of a function."""
        try:
            return update(name, with_file(data))
        except OSError as error:
            return _refused(error)

    return update_code


def with_file(code: Code) -> dict[str, Any]:
    """Code with the content of a file in the place of the object that names it; other code as it is.

    Raises:
        OSError: the file can't be read.
    """
    if code.get("S3Bucket") != BUCKET:
        return dict(code)
    content = base64.b64encode(Path(code["S3Key"]).read_bytes()).decode()
    return {name: value for name, value in code.items() if name not in _FROM_S3} | {"ZipFile": content}


def _refused(error: OSError) -> Any:
    said = f"unable to load {error.filename}: {error.strerror}"
    return error_response_json("InvalidParameterValueException", said, 400)
