"""Makes a call to an emulator of the tests take longer, so that something lasts as long as a test needs."""

from contextlib import AbstractContextManager
from types import SimpleNamespace

from event_harness.aws.targets import Target
from event_harness.faults.control import FrontControl
from event_harness.faults.faults import Fault, Faults


def first_call(
    target: Target, service: str, operation: str, *, seconds: float
) -> AbstractContextManager[Fault]:
    """Delay the first call of an operation, whoever makes it."""
    no_system = SimpleNamespace(listener=SimpleNamespace(function="none"))
    faults = Faults(FrontControl(target), no_system, "", shared=False, seed="", say=print)
    return faults.latency(service, seconds=seconds, operation=operation, times=1, harness=True)
