"""Explanations of inputs in a world of fakes, and the lines and objects of its functions."""

import pytest

from event_harness.errors import WaitTimeoutError
from event_harness.explaining.diagnosis import Explainer

REQUEST = "11111111-1111-1111-1111-111111111111"


def explainer(world, **more):
    listener = world.listener
    return Explainer(
        world.resources,
        world.target,
        listener.reader,
        listener.failures,
        was_sent=listener.inflight.knows,
        **more,
    )


def explain(world, sent, misses=()):
    return explainer(world).explain(sent, misses)


def finding(report, component):
    return next(item for item in report.findings if item.component == component)


def processed(world, sent, *lines, group="/processor"):
    said = [
        {
            "level": "INFO",
            "message": line,
            "correlation_id": sent.correlation_id,
            "function_request_id": REQUEST,
        }
        if isinstance(line, str)
        else line
        for line in lines
    ]
    world.logs.invoked(group, REQUEST, *said)


def written(world, sent):
    world.buckets.put_object(Bucket="destination-bucket", Key=sent.correlation_id, Body=b"HELLO")


def told_of(world, action):
    """The report of a wait that ends without what it awaits."""
    with pytest.raises(WaitTimeoutError) as caught:
        action()
    return caught.value.report
