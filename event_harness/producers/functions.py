"""Invokes a function directly: the function is where events enter the system."""

import json
from collections.abc import Callable
from typing import Any, ClassVar, Literal

from event_harness.aws.targets import Target
from event_harness.errors import ProducerError, SettingError
from event_harness.producers.base import NOW, Accepted, Producer
from event_harness.producers.bodies import Body, encoded, with_field
from event_harness.producers.inflight import InFlight
from event_harness.results.response import Response
from event_harness.results.sent import Sent
from event_harness.system.resources import Component

Invocation = Literal["Event", "RequestResponse"]
_LIMITS = {"Event": 1024 * 1024, "RequestResponse": 6 * 1024 * 1024}


class LambdaProducer(Producer):
    """Invokes a function with a payload that carries the correlation id. IAM: lambda:InvokeFunction.

    Args:
        component: The function.
        target: Makes the AWS client.
        session_id: The test session that the inputs belong to.
        field: Field of the payload that carries the correlation id (`order.id`: names joined by dots).
        invocation: `Event`: Lambda queues the event and retries it, as for S3 and SNS. `RequestResponse`: the
            call waits for the function, and `sent.response` holds what it returned.
        qualifier: Version or alias of the function; None for the newest code.
        inflight: Limits how many inputs are in flight; None for no limit.
        now: Epoch seconds.
    """

    type = service = "lambda"
    remedy = "put the body into S3 and send where it is"
    # A function may take 15 minutes. After a timeout botocore would invoke it again.
    client_settings: ClassVar = {"read_timeout": 910}

    def __init__(
        self,
        component: Component,
        target: Target,
        session_id: str,
        *,
        field: str = "correlation_id",
        invocation: Invocation = "Event",
        qualifier: str | None = None,
        inflight: InFlight | None = None,
        now: Callable[[], float] = NOW,
    ) -> None:
        super().__init__(component, target, session_id, inflight=inflight, now=now)
        if invocation not in _LIMITS:
            raise SettingError(f"invocation {invocation!r}: must be 'Event' or 'RequestResponse'")
        self.field = field
        self.invocation = invocation
        self.qualifier = qualifier
        self.limit = _LIMITS[invocation]

    def send(
        self, body: Body, *, correlation_id: str | None = None, raw: bool = False, check: bool = True
    ) -> Sent:
        """Invoke the function once.

        Args:
            body: The payload, a JSON object. The correlation id is added to it.
            correlation_id: Your own id. The session id is put before it unless it is there already.
            raw: Send the payload exactly as it is, without the correlation id. It is text or bytes that hold
                JSON, or any value that JSON can hold. A failure is found by the request id.
            check: Raise if an awaited function failed. If false, `sent.response.error` says so.

        Raises:
            ProducerError: The payload isn't JSON or is too large, the function is missing or failed…
        """
        correlation_id = self._new_id(correlation_id)
        payload = encoded(body if raw else with_field(body, self.field, correlation_id, self.type))
        function = self.component.identifier
        where = f"function {function}" + (f":{self.qualifier}" if self.qualifier else "")
        return self._deliver(correlation_id, payload, where, lambda: self._invoke(payload, where, check))

    def _invoke(self, payload: bytes, where: str, check: bool) -> Accepted:
        qualifier = {"Qualifier": self.qualifier} if self.qualifier else {}
        answer = self._client.invoke(
            FunctionName=self.component.identifier,
            InvocationType=self.invocation,
            Payload=payload,
            **qualifier,
        )
        returned = answer["Payload"].read() if answer.get("Payload") else b""
        failed = _failure(returned, str(answer["FunctionError"])) if answer.get("FunctionError") else None
        if failed and check:
            raise ProducerError(f"{where} failed: {failed}; with check=False, sent.response has its answer")
        request_id = answer.get("ResponseMetadata", {}).get("RequestId")
        response = Response(int(answer.get("StatusCode", 0)), returned, error=failed)
        return Accepted(request_id, response)


def _failure(returned: bytes, kind: str) -> str:
    """What an exception in a function says, on one line."""
    try:
        said: Any = json.loads(returned)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        return kind
    parts = (str(said[name]) for name in ("errorType", "errorMessage") if said.get(name))
    return " ".join(": ".join(parts).split()) or kind
