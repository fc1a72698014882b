"""Whether a file can be written, asked before the work whose outcome belongs into it."""

import os
from pathlib import Path


def why_unwritable(path: Path) -> str:
    """Why no file can be written there; empty where nothing speaks against it."""
    if path.is_dir():
        return "it is a directory"
    if not path.parent.is_dir():
        return f"{path.parent} is no directory"
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        return "permission denied"
    return ""
