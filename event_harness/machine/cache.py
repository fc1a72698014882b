"""The cache directory: files that are fetched or generated once for every deployment."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from platformdirs import user_cache_dir

from event_harness.errors import ToolchainError

VARIABLE = "EVENT_HARNESS_CACHE"


def cache_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """The cache of this user on this machine. It may be deleted whenever no deployment is under way.

    Args:
        environ: environment that may hold `EVENT_HARNESS_CACHE`, which overrides the platform's default.

    Returns:
        An absolute path; the directory exists.

    Raises:
        ToolchainError: the directory can't be created or written to.
    """
    try:
        directory = Path(environ.get(VARIABLE) or user_cache_dir("event-harness")).expanduser().absolute()
    except RuntimeError as error:  # neither HOME nor an entry in the passwd file
        raise ToolchainError(
            f"there is no home directory for the cache: set HOME, or name a directory in {VARIABLE}"
        ) from error
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            return directory
    except OSError as error:
        raise ToolchainError(
            f"the cache directory {directory} can't be used: {error.strerror}; name another in {VARIABLE}"
        ) from error


def write_atomically(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a small file. A reader sees the whole text or nothing, even if this process is killed."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)  # of a process with the same pid that was killed
    try:
        with open(
            partial, "x", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)
        ) as file:
            file.write(text)
        partial.chmod(mode)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
