"""Tells what a test's own faults have struck, from the emulator's log: it is no fault of the system."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

_INJECTED = re.compile(
    r"^(?P<at>\d{4}-\d\d-\d\d [\d:]{8}) WARNING \[\S+\] injected: (?P<what>.+?) on (?P<on>\S+) "
    r"\(function (?P<function>\S+), input (?P<input>\S+)\)$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Injected:
    """What struck an input.

    Attributes:
        text: `injected: 3 x ThrottlingException on PutItem (confirm)`.
        certain: all of it is known to have struck this very input.
    """

    text: str
    certain: bool


def injected_faults(
    log: str, since: float, correlation_id: str, components: Mapping[str, str]
) -> Injected | None:
    """What faults on purpose have struck since a moment; None if nothing, or only other inputs.

    Args:
        log: the emulator's log.
        since: epoch seconds.
        correlation_id: the input's.
        components: name of a function -> name of its component.
    """
    struck: Counter[str] = Counter()
    certain = True
    for match in _INJECTED.finditer(log):
        if datetime.strptime(match["at"], "%Y-%m-%d %H:%M:%S").timestamp() + 1 < since:
            continue
        if match["input"] != "-" and not _same(match["input"], correlation_id):
            continue
        certain = certain and match["input"] != "-"
        who = components.get(match["function"], match["function"])
        struck[f"{match['what']} on {match['on']}" + (f" ({who})" if who != "-" else "")] += 1
    if not struck:
        return None
    told = ", ".join(f"{many} x {what}" for what, many in struck.items())
    return Injected(f"injected: {told}{'' if certain else ', perhaps for another input'}", certain)


def _same(found: str, correlation_id: str) -> bool:
    """Whether an id in an event is the input's; of an object, the key may be longer than what was found."""
    return (
        found == correlation_id
        or correlation_id.startswith(f"{found}/")
        or found.startswith(f"{correlation_id}/")
    )
