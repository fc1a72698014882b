"""Writes the page and the facts into a directory."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from event_harness.errors import SettingError
from event_harness.machine.cache import write_atomically
from event_harness.reporting.page import page

PAGE, FACTS = "index.html", "report.json"


def write(facts: Mapping[str, Any], directory: Path) -> Path:
    """Write `index.html` and `report.json`; return the path of the page.

    Raises:
        SettingError: The directory can't be written, or the extra `report` is not installed.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_atomically(directory / FACTS, json.dumps(facts, indent=1) + "\n")
    except OSError as error:
        raise SettingError(
            f"report is {directory}, but it can't be written: {error.strerror}; name another directory"
        ) from error
    write_atomically(directory / PAGE, page(facts))
    return directory / PAGE
