"""What `up` changes in a root, and how that is taken back: by `down`, or once its emulator is gone.

The override is of no use without the emulator, and harm: terraform would look for the emulator, or refuse the
real account. The emulator's supervisor deletes it, whatever ends the emulator. If all was killed at once, as
by a reboot, the next command in that root takes back what is left.
"""

import contextlib
import json
import platform
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.launching import answers
from event_harness.deployments import up_shell
from event_harness.errors import ConfigurationError
from event_harness.machine import folders, git_exclude, processes
from event_harness.machine.command_line import spelled
from event_harness.settings import STATE_DIR
from event_harness.terraform.configuration import LOCK
from event_harness.terraform.generated import IMPLICIT_PROVIDER, OVERRIDE, is_of_up

WRITTEN = (OVERRIDE, IMPLICIT_PROVIDER)  # into the root
RECORD = "up.json"
LOCKED = "up.lock"
STATES = "terraform.tfstate.d"
ACCOUNT = "000000000000"  # the emulator's; no real account has it


def running(state: Path) -> LocalEmulator | None:
    """The emulator of `up` in a project; None if none is up.

    If the project was moved, or is reached by another path, the emulator is found by its pid and start time.
    If its files were deleted, it is found by the directory in which it was started.

    Args:
        state: the project's `.event-harness`.
    """
    directory = state.absolute() / "up"
    if aws := LocalEmulator.find(directory):
        return aws
    recorded = _read(state / RECORD)
    for aws in LocalEmulator.find_by_mark(Path("/")):
        try:
            started = processes.started_at(psutil.Process(aws.pid))
        except (OSError, psutil.Error):
            continue
        if aws.directory == directory:
            return aws
        on_record = (aws.pid, started) == (recorded.get("pid"), recorded.get("started"))
        # A copy of the project has the record, too; but then the emulator's directory is still there.
        copied = aws.directory.exists() and not (directory.exists() and aws.directory.samefile(directory))
        if on_record and not copied:
            return aws
    return None


def record(root: Path, aws: LocalEmulator, *, old_provider: bool) -> dict[str, Any]:
    """What has to be known to take back an `up`, also one that was killed half-way."""
    return {
        "pid": aws.pid,
        "started": processes.started_at(psutil.Process(aws.pid)),
        "port": aws.port,
        "machine": _machine(),
        "lock_to_come": old_provider and not (root / LOCK).exists(),
        "workspace_to_come": not (root / STATES / up_shell.WORKSPACE).exists(),
    }


def check(root: Path) -> None:
    """Find out whether a file that `up` did not write is where it writes one.

    Raises:
        ConfigurationError: there is one.
    """
    for name in WRITTEN:
        if (root / name).exists():
            raise ConfigurationError(
                f"{root / name} was not written by `up`, but `up` writes a file of this name: rename yours"
            )


def forget(root: Path, state: Path) -> None:
    """Take back what an `up` changed in a root.

    Args:
        root: the Terraform root.
        state: its `.event-harness`.
    """
    for name in (up_shell.IN, up_shell.OUT):
        (state / name).unlink(missing_ok=True)
    file = state / RECORD
    for name in WRITTEN:
        if file.exists() or is_of_up(root / name):
            (root / name).unlink(missing_ok=True)
    git_exclude.show(root, WRITTEN)
    if not file.exists():
        return
    # `init` has locked the mirror's old release since then. A real account must not be bound to it.
    if _recorded(file, "lock_to_come"):
        (root / LOCK).unlink(missing_ok=True)
    move(state / LOCK, root / LOCK)
    _forget_resources(root / STATES, fresh=_recorded(file, "workspace_to_come"))
    file.unlink()


def forget_what_a_gone_one_left(roots: Iterable[Path], say: Callable[[str], None]) -> None:
    """Take back what an `up` left in a root, if its emulator is gone: after a reboot, say.

    Nothing happens while the emulator is there, nor while an `up` or a `down` is at work. What can't be taken
    back, as in a read-only checkout, stays.

    Args:
        roots: Terraform roots. One without anything of `up` costs a look at three files.
        say: prints a line.
    """
    for root in {one.absolute() for one in roots}:
        state = root / STATE_DIR
        left = [name for name in WRITTEN if is_of_up(root / name)]
        if left or (state / RECORD).exists():
            with contextlib.suppress(OSError, Timeout):
                state.mkdir(exist_ok=True)
                with FileLock(state / LOCKED, timeout=0):
                    _forget_if_gone(root, state, left, say)
                folders.delete_if_empty(state)


def _forget_if_gone(root: Path, state: Path, left: list[str], say: Callable[[str], None]) -> None:
    recorded = _read(state / RECORD)
    if running(state):
        return
    elsewhere = recorded.get("machine", _machine()) != _machine()
    if elsewhere or (recorded.get("port") and answers(recorded["port"])):
        if elsewhere and left:  # a checkout on a shared disk, or in a container
            say(
                f"{root / left[0]} leads terraform to a local AWS emulator of the machine "
                f"{recorded['machine']}: if that is gone, run `{spelled('down', project=root)}`"
            )
        return
    forget(root, state)
    for name in left:
        say(f"deleted {root / name}: the local AWS emulator of `up`, to which it led terraform, is gone")


def _machine() -> str:
    """The name of this machine, or of this container."""
    return platform.node().partition(".")[0]


def _recorded(file: Path, what: str) -> bool:
    """A flag of the record. False if the record was cut off: the file may be the user's own."""
    return bool(_read(file).get(what))


def _read(file: Path) -> dict[str, Any]:
    """The record of `up`; empty if there is none, or if it was cut off."""
    try:
        fields = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _forget_resources(states: Path, *, fresh: bool) -> None:
    """Delete the state of our workspace: its resources have gone with the emulator.

    The state is deleted only if it names no account but the emulator's: a user may have a workspace of
    that name. A `fresh` state, created since `up`, may name no account at all: the ARN of a bucket has none.
    """
    file = states / up_shell.WORKSPACE / "terraform.tfstate"
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        if fresh:  # init has created the workspace, and nothing was applied
            folders.delete_if_empty(file.parent)
            folders.delete_if_empty(states)
        return
    accounts = set(re.findall(r"arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:(\d{12}):", text))
    if accounts == {ACCOUNT} or (fresh and not accounts) or _is_empty(text):
        shutil.rmtree(file.parent)
        folders.delete_if_empty(states)


def _is_empty(state: str) -> bool:
    try:
        return not json.loads(state).get("resources")
    except (ValueError, AttributeError):
        return False  # it was cut off, so its resources are unknown


def move(source: Path, target: Path) -> None:
    """Move a file, if it is there."""
    with contextlib.suppress(FileNotFoundError):
        source.replace(target)
