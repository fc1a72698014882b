"""Producers: send inputs to the system under test, one class per type of component."""

import difflib
from collections.abc import Mapping
from typing import Any

from event_harness.errors import ResourceMapError, SettingError
from event_harness.producers.base import Listening, Producer
from event_harness.producers.bodies import Body
from event_harness.producers.events import EventBridgeProducer
from event_harness.producers.executions import StepFunctionsProducer
from event_harness.producers.functions import LambdaProducer
from event_harness.producers.http import HttpProducer
from event_harness.producers.messages import SnsProducer, SqsProducer
from event_harness.producers.s3 import S3Producer
from event_harness.producers.streams import DynamoDBProducer, KinesisProducer
from event_harness.system.resources import ResourceMap

__all__ = [
    "Body",
    "DynamoDBProducer",
    "EventBridgeProducer",
    "HttpProducer",
    "KinesisProducer",
    "LambdaProducer",
    "Producer",
    "S3Producer",
    "SnsProducer",
    "SqsProducer",
    "StepFunctionsProducer",
    "producer_at",
    "producers_for",
]

_CLASSES: tuple[type[Producer], ...] = (
    DynamoDBProducer,
    EventBridgeProducer,
    HttpProducer,
    KinesisProducer,
    LambdaProducer,
    S3Producer,
    SnsProducer,
    SqsProducer,
    StepFunctionsProducer,
)
BY_TYPE = {producer.type: producer for producer in _CLASSES}


def producers_for(
    listener: Listening, settings: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Producer]:
    """Make a producer for each component that takes inputs; the keys are the components' names, in order.

    The producers send in the listener's test session, within its in-flight limit.

    Args:
        listener: Receives the results.
        settings: Further arguments of a component's producer, by the component's name, such as
            `{"orders": {"field": "order_id"}}`.

    Raises:
        ResourceMapError: No component takes inputs, or no such component has the name of a setting.
        SettingError: A producer has no such argument.
    """
    settings = settings or {}
    if not isinstance(settings, Mapping):
        example = '{"orders": {"field": "order_id"}}'
        raise SettingError(f"producer settings are {settings!r}; must be a dictionary, such as {example}")
    entries = {item.name: item for item in listener.resources.components if item.type in BY_TYPE}
    for name in settings:
        if name not in entries:
            near = difflib.get_close_matches(str(name), entries, 1)
            meant = f"; did you mean {near[0]!r}?" if near else ";"
            raise ResourceMapError(
                f"{listener.resources.origin}: no component {name!r} takes inputs, but there are producer"
                f" settings for it{meant} components that do: {', '.join(entries) or 'none'}"
            )
        BY_TYPE[entries[name].type].check_settings(settings[name], f"producer settings of {name!r}")
    producers = {
        name: BY_TYPE[component.type].on(listener, name, **settings.get(name, {}))
        for name, component in entries.items()
    }
    if not producers:
        raise ResourceMapError(
            f"{listener.resources.origin}: none of its components takes inputs;"
            f" list one of type {', '.join(sorted(BY_TYPE))} in the module's `components`"
        )
    return producers


def producer_at(
    resources: ResourceMap, producers: Mapping[str, Producer], name: str | None = None
) -> Producer:
    """The producer where events enter the system.

    Args:
        resources: The deployed system.
        producers: All producers, by component name.
        name: The user's choice, if there is one.

    Raises:
        ResourceMapError: There is none, or there are several to choose from.
    """
    entry = resources.entry(BY_TYPE, name).name
    if entry not in producers:
        raise ResourceMapError(
            f"{resources.origin}: the component {entry!r} takes no inputs (fixture harness_entry); components"
            f" that do: {', '.join(producers)}"
        )
    return producers[entry]
