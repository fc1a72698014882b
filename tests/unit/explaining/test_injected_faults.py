"""What a test has injected is told as injected, with the inputs that it struck."""

from datetime import datetime

from event_harness.explaining.emulator_notes import warnings
from event_harness.explaining.injected_faults import injected_faults

NOW = datetime(2026, 11, 26, 0, 42, 2).timestamp()
NAMES = {"app-confirm": "confirm"}


def log(*strikes):
    line = "2026-11-26 00:42:02 WARNING [event_harness] injected: {} (function {}, input {})"
    return "\n".join(line.format(*strike) for strike in strikes)


THROTTLED = ("ThrottlingException on PutItem", "app-confirm", "s1/a")


def test_strikes_of_an_input_are_counted_by_what_struck_whom():
    told = injected_faults(log(*[THROTTLED] * 3, ("reset on Publish", "-", "s1/a")), NOW, "s1/a", NAMES)
    assert told.text == "injected: 3 x ThrottlingException on PutItem (confirm), 1 x reset on Publish"
    assert told.certain


def test_strikes_of_other_inputs_and_of_earlier_are_not_told():
    assert injected_faults(log(THROTTLED), NOW, "s1/b", NAMES) is None
    assert injected_faults(log(THROTTLED), NOW + 5, "s1/a", NAMES) is None
    assert injected_faults("", NOW, "s1/a", NAMES) is None


def test_a_strike_without_an_input_is_uncertain():
    told = injected_faults(log(("raise on invocation", "app-mailer", "-")), NOW, "s1/a", NAMES)
    assert told.text == "injected: 1 x raise on invocation (app-mailer), perhaps for another input"
    assert not told.certain


def test_the_key_of_an_object_may_be_longer_than_its_id():
    assert injected_faults(log(("raise on invocation", "f", "s1/a/in.txt")), NOW, "s1/a", {}).certain
    assert injected_faults(log(("raise on invocation", "f", "s1/a")), NOW, "s1/a/in.txt", {}).certain


def test_an_id_that_only_begins_like_the_inputs_is_another():
    assert injected_faults(log(("raise on invocation", "f", "s1/ab")), NOW, "s1/a", {}) is None
    assert injected_faults(log(("raise on invocation", "f", "s1/a")), NOW, "s1/ab", {}) is None


def test_a_strike_is_no_warning_of_the_emulator():
    assert warnings(log(THROTTLED), NOW, ["app-confirm"]) == []
