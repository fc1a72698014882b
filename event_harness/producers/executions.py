"""Starts executions of a state machine."""

import re
from collections.abc import Callable
from typing import ClassVar

from event_harness.aws.targets import Target
from event_harness.errors import ProducerError, SettingError
from event_harness.producers.base import NOW, Accepted, Producer
from event_harness.producers.bodies import Body, encoded, with_field
from event_harness.producers.inflight import InFlight
from event_harness.results.response import Response
from event_harness.results.sent import Sent
from event_harness.system.correlation import without_slash
from event_harness.system.resources import Component

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")  # other characters are refused, or not seen in CloudWatch Logs


class StepFunctionsProducer(Producer):
    """Starts executions that carry the correlation id. IAM: states:StartExecution, or StartSyncExecution.

    The name of an execution is the correlation id, with an underscore instead of its slash. The listener
    reads such a name as the id.

    Args:
        component: The state machine.
        target: Makes the AWS client.
        session_id: The test session that the inputs belong to.
        field: Field of the input that also carries the correlation id (`order.id`: names joined by dots);
            None for none.
        name: Whether the name of the execution carries it. If not, AWS makes the name.
        sync: Wait for the end of an express workflow; `sent.response` holds its output.
        inflight: Limits how many inputs are in flight; None for no limit.
        now: Epoch seconds.
    """

    type = "stepfunctions"
    service = "stepfunctions"
    limit = 256 * 1024
    remedy = "put the body into S3 and send where it is"
    # An express workflow may take 5 minutes. After a timeout botocore would start it again.
    client_settings: ClassVar = {"read_timeout": 310}

    def __init__(
        self,
        component: Component,
        target: Target,
        session_id: str,
        *,
        field: str | None = "correlation_id",
        name: bool = True,
        sync: bool = False,
        inflight: InFlight | None = None,
        now: Callable[[], float] = NOW,
    ) -> None:
        super().__init__(component, target, session_id, inflight=inflight, now=now)
        if not (field or name):
            raise SettingError("StepFunctionsProducer: give a field, or name=True, for the correlation id")
        self.field = field
        self.name = name
        self.sync = sync

    def send(
        self, body: Body, *, correlation_id: str | None = None, raw: bool = False, check: bool = True
    ) -> Sent:
        """Start one execution.

        Args:
            body: The input, a JSON object. The correlation id is added to it if the producer has a `field`.
            correlation_id: Your own id. The session id is put before it unless it is there already.
            raw: Send the input exactly as it is, without the correlation id in `field`.
            check: Raise if an awaited execution failed. If false, `sent.response.error` says so.

        Raises:
            ProducerError: The input isn't JSON or is too large, the id can't be a name, no access…
        """
        correlation_id = self._new_id(correlation_id)
        if self.field and not raw:
            body = with_field(body, self.field, correlation_id, self.type)
        content = encoded(body)
        machine = self.component.identifier
        arguments = {"stateMachineArn": machine, "input": content.decode()}
        if self.name:
            arguments["name"] = _name_of(correlation_id)
        where = f"execution of {machine.rpartition(':')[2]}" + (f", {arguments['name']}" if self.name else "")
        return self._deliver(
            correlation_id,
            content,
            where,
            lambda: self._await(arguments, where, check) if self.sync else self._start(arguments),
        )

    def _start(self, arguments: dict[str, str]) -> Accepted:
        return Accepted(self._client.start_execution(**arguments).get("executionArn"))

    def _await(self, arguments: dict[str, str], where: str, check: bool) -> Accepted:
        answer = self._client.start_sync_execution(**arguments)
        status = str(answer.get("status"))
        failed = None
        if status != "SUCCEEDED":
            said = (str(answer[part]) for part in ("error", "cause") if answer.get(part))
            failed = " ".join(f"{status}: {': '.join(said)}".removesuffix(": ").split())
            if check:
                raise ProducerError(f"{where} failed: {failed}; with check=False, sent.response says so")
        output = str(answer.get("output") or "")
        return Accepted(answer.get("executionArn"), Response(200, output.encode(), error=failed))


def _name_of(correlation_id: str) -> str:
    name = without_slash(correlation_id)
    if not _NAME.fullmatch(name):
        raise ProducerError(
            f"correlation id {correlation_id[:100]!r}: can't be the name of an execution: after the session"
            " id only letters, digits, '-' and '_', 80 characters in all; take another, or name=False"
        )
    return name
