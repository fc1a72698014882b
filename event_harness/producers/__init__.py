"""Producers: send inputs to the system under test, one class per type of station."""

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
    """A producer for each station that takes inputs, by the station's name, in the order of the stations.

    They send under the listener's run, paced by its in-flight bound.

    Args:
        listener: Whose run.
        settings: What a station's producer takes besides, by the station's name, such as
            `{"orders": {"field": "order_id"}}`.

    Raises:
        ResourceMapError: No station takes inputs, or none that takes inputs has the name of a setting.
        SettingError: A producer takes no such setting.
    """
    settings = settings or {}
    producers = {
        station.name: BY_TYPE[station.type].on(
            listener, station.name, **_checked(station.name, BY_TYPE[station.type], settings)
        )
        for station in listener.resources.stations
        if station.type in BY_TYPE
    }
    if unknown := sorted(set(settings) - set(producers)):
        raise ResourceMapError(
            f"{listener.resources.origin}: no station {unknown[0]!r} takes inputs, but there are producer"
            f" settings for it; stations that do: {', '.join(producers) or 'none'}"
        )
    if not producers:
        raise ResourceMapError(
            f"{listener.resources.origin}: none of its stations takes inputs;"
            f" list one of type {', '.join(sorted(BY_TYPE))} in the module's `stations`"
        )
    return producers


def _checked(
    station: str, producer: type[Producer], settings: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Any]:
    mine = settings.get(station, {})
    parameters = inspect.signature(producer).parameters
    valid = [name for name in parameters if name not in inspect.signature(Producer).parameters]
    if unknown := sorted(set(mine) - set(valid)):
        raise SettingError(
            f"producer settings of {station!r}: a {producer.__name__} takes no {unknown[0]!r};"
            f" valid: {', '.join(valid)}"
        )
    return mine
