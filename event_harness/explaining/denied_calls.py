"""Names the calls and deliveries that the emulator has denied, from its own log."""

from event_harness.explaining.platform_log import denials

PERHAPS = "a call was denied, perhaps for another input"
"""The log tells which function was denied a call, but not for which input."""


def denied_calls(log: str, function: str, since: float) -> list[str]:
    """What the emulator has denied to a function since a moment (epoch seconds), each once."""
    return list(dict.fromkeys(f"{told} (access denied)" for told in denials(log, function, since)))
