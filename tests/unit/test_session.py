"""Which system a session tests, and that it can't be two."""

import pytest

from event_harness.errors import SettingError
from event_harness.session import Session
from event_harness.settings import Settings


@pytest.mark.parametrize(
    ("options", "environ", "ini", "origins"),
    [
        (
            {"reuse": "r1", "resources": "map.json"},
            {},
            {},
            ["'map.json' (--harness-resources)", "'r1' (--harness-reuse)"],
        ),
        (
            {"reuse": "last"},
            {"EVENT_HARNESS_RESOURCES": "ssm:/map"},
            {},
            ["'ssm:/map' (EVENT_HARNESS_RESOURCES)", "'last' (--harness-reuse)"],
        ),
        ({"reuse": "r1"}, {}, {"resources": "map.json"}, ["'map.json' (ini)", "'r1' (--harness-reuse)"]),
    ],
    ids=["options", "environment", "ini file"],
)
def test_run_to_reuse_beside_a_described_system_is_refused_with_both_origins(
    tmp_path, options, environ, ini, origins
):
    with pytest.raises(SettingError, match="these are two systems, give one of them") as error:
        Session(Settings(options, environ, ini), tmp_path).system()
    assert all(origin in str(error.value) for origin in origins)
