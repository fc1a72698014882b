"""`Response`: what a service answered to an input: an API, a function, an execution."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from event_harness.errors import BodyError


@dataclass(frozen=True)
class Response:
    """The answer to one input.

    Attributes:
        status: HTTP status; of an invocation 200 or 202, of an execution that was awaited 200.
        body: Bytes of the answer: of an API, of a function's return value, of an execution's output.
        headers: Headers of the answer, by lower-case name.
        error: How the function or the execution failed, on one line; None if it did not, or isn't known.
    """

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    error: str | None = None

    @property
    def text(self) -> str:
        """The body as text.

        Raises:
            BodyError: It isn't UTF-8.
        """
        try:
            return self.body.decode()
        except UnicodeDecodeError as error:
            raise BodyError(
                f"the response isn't UTF-8 at byte {error.start} of {len(self.body):,}; read `body`"
            ) from error

    def json(self) -> Any:
        """The body, decoded from JSON.

        Raises:
            BodyError: It isn't JSON.
        """
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError) as error:
            raise BodyError(f"the response isn't JSON ({error}); read `text` or `body`") from error
