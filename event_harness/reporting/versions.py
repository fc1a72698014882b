"""The versions of what a session runs on."""

import platform
from importlib import metadata


def versions() -> dict[str, str]:
    """Name -> version of the harness, Python and pytest."""
    return {
        "event-harness": _version("event-harness"),
        "Python": platform.python_version(),
        "pytest": _version("pytest"),
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not known"
