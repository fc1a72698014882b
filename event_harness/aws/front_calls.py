"""Calls what the front of the local AWS emulator answers itself."""

import json
from typing import Any

from event_harness.aws.front_paths import MEMORY
from event_harness.aws.targets import Target
from event_harness.errors import EmulatorError


def ask(
    target: Target, method: str, path: str, content: object = None, *, timeout: int = 30
) -> dict[str, Any]:
    """Call the front, signed with the key of the root user.

    Args:
        target: An emulator that the harness has started.
        method: Of HTTP.
        path: With its query.
        content: Sent as JSON; None for nothing.
        timeout: Seconds.

    Raises:
        EmulatorError: It gave no answer, or refused. The message says why.
    """
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    from botocore.exceptions import HTTPClientError
    from botocore.httpsession import URLLib3Session

    request = AWSRequest(
        method, f"{target.endpoint_url}{path}", data=None if content is None else json.dumps(content)
    )
    keys = target.credentials
    SigV4Auth(Credentials(keys.access_key, keys.secret_key), "event-harness", target.region).add_auth(request)
    try:
        answer = URLLib3Session(timeout=timeout).send(request.prepare())
    except HTTPClientError as error:
        raise EmulatorError(str(error)) from error
    if answer.status_code != 200:
        raise EmulatorError(answer.text[:300])
    found: dict[str, Any] = json.loads(answer.text)
    return found


def memory_of(target: Target) -> float | None:
    """MB that the emulator and the workers of its functions take; None if it doesn't tell."""
    try:
        return float(ask(target, "GET", MEMORY)["bytes"]) / 1e6
    except EmulatorError:
        return None
