"""Explanations of inputs in a world of fakes, and the lines and objects of its functions."""

import pytest

from event_harness.errors import WaitTimeoutError
from event_harness.explaining.diagnosis import Explainer
from event_harness.explaining.probes.asking import Question
from event_harness.system.known_ids import KnownIds

REQUEST = "11111111-1111-1111-1111-111111111111"


class Anything:
    """A service with the answers that a test wants: a value, an error, or a function of the arguments."""

    def __init__(self, **answers):
        self.answers = answers

    def __getattr__(self, name):
        if name not in self.answers:
            raise AttributeError(name)
        answer = self.answers[name]

        def call(**arguments):
            if isinstance(answer, Exception):
                raise answer
            return answer(**arguments) if callable(answer) else answer

        return call


def explainer(world, **more):
    listener = world.listener
    return Explainer(
        world.resources,
        world.target,
        listener.reader,
        listener.failures,
        ids=listener.inflight.ids,
        clock=world.clock,
        sleep=world.clock.sleep,
        **more,
    )


def explain(world, sent, misses=(), **more):
    return explainer(world, **more).explain(sent, misses)


def question(world, sent, **more):
    """What a probe is asked about an input."""
    settings = {"resulted": False, "ids": KnownIds(), "deadline": float("inf")} | more
    return Question(world.resources, world.target, sent, **settings)


def finding(report, component):
    return next(item for item in report.findings if item.component == component)


def states(report):
    """Name of each component -> its state; remarks have none."""
    return {item.component: item.state for item in report.findings if item.state}


def processed(world, sent, *lines, group="/processor", request=REQUEST):
    said = [
        {
            "level": "INFO",
            "message": line,
            "correlation_id": sent.correlation_id,
            "function_request_id": request,
        }
        if isinstance(line, str)
        else line
        for line in lines
    ]
    world.logs.invoked(group, request, *said)


def written(world, sent):
    world.buckets.put_object(Bucket="destination-bucket", Key=sent.correlation_id, Body=b"HELLO")


def told_of(world, action):
    """The report of a wait that ends without what it awaits."""
    with pytest.raises(WaitTimeoutError) as caught:
        action()
    return caught.value.report
