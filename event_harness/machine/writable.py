"""Tells whether a file can be written, before the work whose outcome goes into it."""

import os
from pathlib import Path


def why_unwritable(path: Path) -> str:
    """The reason why no file can be written there; empty if one can."""
    if path.is_dir():
        return "it is a directory"
    if not path.parent.is_dir():
        return f"{path.parent} is no directory"
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        return "permission denied"
    return ""
