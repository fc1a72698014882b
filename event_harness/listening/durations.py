"""The numbers of seconds that tests give."""

import math

from event_harness.errors import SettingError


def seconds(name: str, value: object) -> float:
    """Check a number of seconds.

    Raises:
        SettingError: It isn't a number, is negative, or is infinite. The message names the argument.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise SettingError(f"{name} is {value!r}: must be a number of seconds, 0 or more")
    return float(value)
