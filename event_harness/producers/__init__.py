"""Producers: send inputs to the system under test, one class per type of component."""

import inspect
from collections.abc import Mapping
from typing import Any

from event_harness.errors import ResourceMapError, SettingError
from event_harness.producers.base import Listening, Producer
from event_harness.producers.bodies import Body
from event_harness.producers.events import EventBridgeProducer
from event_harness.producers.messages import SnsProducer, SqsProducer
from event_harness.producers.s3 import S3Producer
from event_harness.producers.streams import DynamoDBProducer, KinesisProducer

__all__ = [
    "Body",
    "DynamoDBProducer",
    "EventBridgeProducer",
    "KinesisProducer",
    "Producer",
    "S3Producer",
    "SnsProducer",
    "SqsProducer",
    "producers_for",
]

_CLASSES: tuple[type[Producer], ...] = (
    DynamoDBProducer,
    EventBridgeProducer,
    KinesisProducer,
    S3Producer,
    SnsProducer,
    SqsProducer,
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
    producers = {
        component.name: BY_TYPE[component.type].on(
            listener, component.name, **_checked(component.name, BY_TYPE[component.type], settings)
        )
        for component in listener.resources.components
        if component.type in BY_TYPE
    }
    if unknown := sorted(set(settings) - set(producers)):
        raise ResourceMapError(
            f"{listener.resources.origin}: no component {unknown[0]!r} takes inputs, but there are producer"
            f" settings for it; components that do: {', '.join(producers) or 'none'}"
        )
    if not producers:
        raise ResourceMapError(
            f"{listener.resources.origin}: none of its components takes inputs;"
            f" list one of type {', '.join(sorted(BY_TYPE))} in the module's `components`"
        )
    return producers


def _checked(
    component: str, producer: type[Producer], settings: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Any]:
    mine = settings.get(component, {})
    parameters = inspect.signature(producer).parameters
    valid = [name for name in parameters if name not in inspect.signature(Producer).parameters]
    if unknown := sorted(set(mine) - set(valid)):
        raise SettingError(
            f"producer settings of {component!r}: a {producer.__name__} takes no {unknown[0]!r};"
            f" valid: {', '.join(valid)}"
        )
    return mine
