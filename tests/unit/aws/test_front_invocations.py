"""The emulator's log tells when an invocation begins and ends."""

import json
import logging
import re
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


def test_an_invocation_names_the_inputs_of_its_event_and_nothing_else_of_it(caplog):
    caplog.set_level(logging.INFO)
    one, two = "s1m8ayz87jefz8/01M8AYZGF6WJ7MGXCTF86MPQ7N", "s1m8ayz87jefz8/01M8AYZA7EATGQ4E64ETJ4PVS3"
    event = {
        "Records": [
            {"body": json.dumps({"id": one, "card": "4111-secret"})},
            {"s3": {"object": {"key": f"in%2F{two.replace('/', '%2F')}/a.txt"}}},
            {"body": one},
        ]
    }
    told(lambda *_: None)(None, {"FunctionName": "orders"}, event, "request-1", 0.0)
    begins, ends = caplog.messages
    assert re.fullmatch(rf"invocation request-1 of orders begins at \d+\.\d{{3}} for {one} {two}", begins)
    assert re.fullmatch(r"invocation request-1 of orders ends at \d+\.\d{3}", ends)


@pytest.mark.parametrize("event", [None, {"a": 1}, object(), "x" * 10])
def test_an_event_without_an_id_of_ours_is_not_quoted(caplog, event):
    caplog.set_level(logging.INFO)
    told(lambda *_: None)(None, {"FunctionName": "orders"}, event, "request-1", 0.0)
    assert re.fullmatch(r"invocation request-1 of orders begins at \d+\.\d{3}", caplog.messages[0])


def test_an_invocation_that_breaks_has_ended(caplog):
    caplog.set_level(logging.INFO)
    with pytest.raises(ZeroDivisionError):
        told(lambda *_: 1 / 0)(None, {"FunctionName": "orders"}, {}, "request-1", 0.0)
    assert running_since(written(caplog), "orders", 0) is None
