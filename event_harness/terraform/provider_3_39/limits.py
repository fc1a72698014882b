"""What hashicorp/aws 3.39 doesn't know, and the ways to a newer release."""

import re

from event_harness.terraform.diagnostics import Diagnostic

VERSION = "3.39.0"

# Its own list, from its error about a runtime that it doesn't know.
RUNTIMES = tuple(
    re.findall(
        r"\S+",
        """
    dotnetcore1.0 dotnetcore2.0 dotnetcore2.1 dotnetcore3.1 go1.x java8 java8.al2 java11 nodejs nodejs4.3
    nodejs6.10 nodejs8.10 nodejs10.x nodejs12.x nodejs14.x nodejs4.3-edge provided provided.al2 python2.7
    python3.6 python3.7 python3.8 ruby2.5 ruby2.7
    """,
    )
)

_ACCESS = (
    "give terraform access to the registry, or name a CLI configuration with a "
    "network mirror in TF_CLI_CONFIG_FILE and set EVENT_HARNESS_PROVIDERS=registry"
)
WAYS_OUT = f"to use another release, {_ACCESS}"

_UNKNOWN = (
    "Unsupported argument",
    "Unsupported block type",
    "Invalid resource type",
    "Invalid data source",
    "Unsupported attribute",
    "Invalid function",
)


def explain(error: Diagnostic) -> str | None:
    """How an error follows from the old release; None if it doesn't.

    Args:
        error: terraform's error.
    """
    if "hashicorp/aws" in error.text and "match the given" in error.text:
        return f"the mirror holds hashicorp/aws {VERSION} only, and the configuration excludes it: {WAYS_OUT}"
    if error.headline == "Failed to query available provider packages":
        only = f"the mirror holds hashicorp/aws {VERSION} and hashicorp/archive only"
        return f"{only}: to use another provider, {_ACCESS}"
    if error.headline in _UNKNOWN:
        return f"hashicorp/aws {VERSION} doesn't know it; if a newer release does: {WAYS_OUT}"
    if error.headline.startswith("expected ") and " to be one of " in error.headline:
        return f"hashicorp/aws {VERSION} knows these values only; if a newer release knows it: {WAYS_OUT}"
    return None
