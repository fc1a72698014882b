"""Who owns a deployment: the user and the host of the process that has started it."""

import getpass
import os
import re
import socket


def of_this_process() -> str:
    """user@host of this process, with only the characters that a tag may hold."""
    return re.sub(r"[^\w .:/=+@-]", "-", f"{_user()}@{socket.gethostname()}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a uid without an entry in the passwd file, as in many containers
        return f"uid-{os.getuid()}"
