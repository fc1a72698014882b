"""The emulator's log tells when an invocation begins and ends."""

import logging
from datetime import datetime

import pytest

from event_harness.aws.front.invocations import told
from event_harness.explaining.platform_log import running_since

FORMAT = logging.Formatter("%(asctime)s %(levelname)s [%(name)s] %(message)s", "%Y-%m-%d %H:%M:%S")


def written(caplog):
    """The log as MiniStack writes it."""
    return "\n".join(map(FORMAT.format, caplog.records))


def test_an_invocation_is_running_until_its_dispatch_returns(caplog):
    caplog.set_level(logging.INFO)
    now = datetime.now().timestamp() - 1
    during = []

    def dispatch(*_):
        during.append(running_since(written(caplog), "orders", now))
        return {"body": 1}

    assert told(dispatch)(None, {"FunctionName": "orders"}, {}, "request-1", 0.0) == {"body": 1}
    assert during[0] is not None
    assert running_since(written(caplog), "orders", now) is None


def test_an_invocation_that_breaks_has_ended(caplog):
    caplog.set_level(logging.INFO)
    with pytest.raises(ZeroDivisionError):
        told(lambda *_: 1 / 0)(None, {"FunctionName": "orders"}, {}, "request-1", 0.0)
    assert running_since(written(caplog), "orders", 0) is None
