"""Chooses the probe of each component."""

from collections.abc import Callable

from botocore.exceptions import ClientError

from event_harness.aws.errors import code_of
from event_harness.explaining.probes import stores
from event_harness.explaining.probes.apis import api
from event_harness.explaining.probes.asking import Question, Seen
from event_harness.explaining.probes.executions import state_machine
from event_harness.explaining.probes.functions import function
from event_harness.explaining.probes.pipes import pipe
from event_harness.explaining.probes.unprobed import not_looked_into
from event_harness.explaining.report import Finding
from event_harness.system.resources import Component, ResourceMap

_PROBES: dict[str, Callable[[Question, Component], Seen]] = {
    "s3": stores.bucket,
    "sqs": stores.queue,
    "sns": stores.topic,
    "eventbridge": stores.bus,
    "lambda": function,
    "dynamodb": stores.table,
    "kinesis": stores.stream,
    "http": api,
    "stepfunctions": state_machine,
    "pipe": pipe,
    "other": not_looked_into,
}
_MISSING = {
    "404",
    "AWS.SimpleQueueService.NonExistentQueue",
    "ExecutionDoesNotExist",
    "NoSuchBucket",
    "NotFound",
    "NotFoundException",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "StateMachineDoesNotExist",
}


def ask(question: Question, component: Component) -> Seen:
    """Ask a component about an input. A call that is denied is reported as not known.

    Raises:
        Exception: Any kind; the caller reports it as not known.
    """
    try:
        return _PROBES[component.type](question, component)
    except ClientError as error:
        if code_of(error) not in _MISSING:
            raise
        what = f"{component.identifier} isn't there"
        cause = f"{component.name}: {what}; was it destroyed?"
        return Seen(Finding(component.name, "failed", what, cause=cause, certain=True))


def ask_listener(question: Question) -> Seen:
    """Ask the listener itself."""
    return function(question, listener_of(question.resources), records=not question.resulted)


def listener_of(resources: ResourceMap) -> Component:
    """The listener as the last component of every path."""
    listener = resources.listener
    return Component("event_listener", "lambda", function=listener.function, log_group=listener.log_group)
