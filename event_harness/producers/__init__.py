"""Producers: send inputs to the system under test, one class per type of station."""

from event_harness.producers.base import Body, Producer, Sent
from event_harness.producers.s3 import S3Producer

__all__ = ["Body", "Producer", "S3Producer", "Sent"]
