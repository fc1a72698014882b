"""Short cuts are taken only on an emulator that the harness has started, and only those that are wanted."""

from pathlib import Path

import pytest

from event_harness.aws.targets import Target
from event_harness.deployments.shortcuts import Shortcuts
from event_harness.errors import SettingError
from event_harness.setting_values import SHORTCUTS
from event_harness.settings import Settings

OURS = Target.local("http://127.0.0.1:4566", emulator_log=Path("log"))


def test_all_are_taken_on_our_own_emulator():
    assert Shortcuts.of("on", OURS) == Shortcuts(**dict.fromkeys(SHORTCUTS, True))


@pytest.mark.parametrize("name", SHORTCUTS)
def test_each_can_be_chosen_alone(name):
    assert Shortcuts.of(name, OURS) == Shortcuts(**{name: True})


@pytest.mark.parametrize("text", ["on", "off", "code", "code, refresh"])
def test_setting_is_all_none_or_some_names(text):
    assert Settings(environ={"EVENT_HARNESS_SHORTCUTS": text})["shortcuts"] == text


def test_names_may_stand_apart():
    assert Shortcuts.of("code, refresh", OURS) == Shortcuts(code=True, refresh=True)


@pytest.mark.parametrize(
    ("setting", "target"),
    [
        ("off", OURS),
        ("on", Target("aws", "eu-west-1", None, None)),
        ("on", Target.local("http://127.0.0.1:4566")),
    ],
    ids=["off", "aws", "an emulator of somebody else"],
)
def test_none_is_taken_elsewhere(setting, target):
    assert Shortcuts.of(setting, target) == Shortcuts()


def test_unknown_name_is_refused():
    with pytest.raises(SettingError, match="on, off, or some of"):
        Settings(environ={"EVENT_HARNESS_SHORTCUTS": "code,speed"})
