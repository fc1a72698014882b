"""`make up` and `make down`: a lasting local AWS emulator for the user's own terraform and boto3."""

import contextlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock

from event_harness.aws.emulator import LocalEmulator
from event_harness.deployments import up_shell
from event_harness.errors import SettingError
from event_harness.machine import folders, git_exclude, interrupts, processes, terminal
from event_harness.machine.cache import write_atomically
from event_harness.machine.command_line import spelled
from event_harness.settings import STATE_DIR
from event_harness.terraform import provider_in_use, toolchain
from event_harness.terraform.configuration import IMPLICIT_PROVIDER, LOCK, OVERRIDE, Configuration
from event_harness.terraform.overrides import write_override

_WRITTEN = (OVERRIDE, IMPLICIT_PROVIDER)  # into the root
STATES = "terraform.tfstate.d"
ACCOUNT = "000000000000"  # the emulator's; no real account has it
NONE = "no local AWS emulator is up here"


def up(
    project_root: Path,
    *,
    port: int | None = None,
    enforce_roles: bool = True,
    say: Callable[[str], None] = terminal.say,
) -> LocalEmulator:
    """Start a local AWS emulator that runs until `down`, and write settings for a shell and for terraform.

    Args:
        project_root: the Terraform root; `.event-harness/` is created in it.
        port: TCP port on 127.0.0.1; None for a free one.
        enforce_roles: deny functions what their roles don't allow.
        say: prints a line.

    Raises:
        EmulatorError: MiniStack is not installed, the port is taken, or MiniStack did not start.
        ConfigurationError: the root holds no configuration.
        ToolchainError: terraform or its providers can't be obtained.
        SettingError: an emulator of this root is up already, on another port.
    """
    project_root = project_root.absolute()
    Configuration.read(project_root)  # a fault is known before anything is written
    state = project_root / STATE_DIR
    fresh = not state.exists()
    state.mkdir(parents=True, exist_ok=True)
    (state / ".gitignore").write_text("*\n")
    try:
        return _up(project_root, state, port, say, enforce_roles=enforce_roles)
    except BaseException:
        if fresh:
            for name in ("up.lock", ".gitignore"):
                (state / name).unlink(missing_ok=True)
            folders.delete_if_empty(state / "up")
            folders.delete_if_empty(state)
        raise


def _up(
    project_root: Path, state: Path, port: int | None, say: Callable[[str], None], *, enforce_roles: bool
) -> LocalEmulator:
    env = os.path.relpath(state / "env")
    with FileLock(state / "up.lock"), interrupts.deferred():
        running = _running(state)
        if running and (state / "env").exists() and (state / "up.json").exists():
            url = running.endpoint_url
            if port not in (None, running.port):
                raise SettingError(
                    f"--port is {port}, but the local AWS emulator is up already, at {url}: end it with "
                    f"{spelled('down')} first, or leave out --port"
                )
            say(f"the local AWS emulator is up already, at {url}: use it after `. {env}`")
            return running
        if running:  # its `up` was killed before it wrote its files, or somebody has deleted them
            say(f"ending the local AWS emulator at {running.endpoint_url}: its files are missing")
            running.stop()
        _forget(project_root, state, all_files=bool(running))
        tools = toolchain.find(target="local", progress=say)
        interrupts.check()
        aws = LocalEmulator.start(state / "up", port=port, auth=enforce_roles, lasting=True)
        try:
            # Written first, so that `down` can undo an `up` that was killed half-way.
            to_come = {
                "lock_to_come": tools.old_provider and not (project_root / LOCK).exists(),
                "workspace_to_come": not (project_root / STATES / up_shell.WORKSPACE).exists(),
            }
            started = processes.started_at(psutil.Process(aws.pid))
            record = {"pid": aws.pid, "started": started, "port": aws.port, **to_come}
            write_atomically(state / "up.json", json.dumps(record))
            git_exclude.hide(project_root, _WRITTEN)
            written = write_override(
                project_root,
                endpoint_url=aws.endpoint_url,
                old_provider=tools.old_provider,
                copied=False,
                tofu=tools.kind == "tofu",
                version=provider_in_use.locked(project_root / LOCK),
            )
            for file in written:
                say(f"written: {file.name}, which leads terraform to the emulator; `down` deletes it")
            if tools.old_provider:
                _move(project_root / LOCK, state / LOCK)
            write_atomically(state / up_shell.OUT, up_shell.going_out(), mode=0o600)
            write_atomically(state / up_shell.IN, up_shell.going_in(aws.target(), tools), mode=0o600)
        except BaseException:
            aws.stop()
            _forget(project_root, state)
            raise
    say(f"the local AWS emulator is up at {aws.endpoint_url}, with {tools}")
    end = "make down" if "MAKELEVEL" in os.environ else spelled("down", project=project_root)
    say(f"use it after `. {env}`: terraform init, terraform apply, boto3; end it with `{end}`")
    return aws


def shell_environ(aws: LocalEmulator) -> dict[str, str]:
    """The environment of a shell whose boto3 and terraform use an emulator."""
    return up_shell.environ(aws.target(), toolchain.find(target="local"), os.environ)


def down(project_root: Path, *, say: Callable[[str], None] = terminal.say) -> None:
    """End the local AWS emulator of `up` and remove the files of `up`. It may be repeated.

    Raises:
        EmulatorError: a process could not be ended.
    """
    project_root = project_root.absolute()
    state = project_root / STATE_DIR
    running = _running(state)
    if not (running or state.is_dir()):
        say(NONE)
        return
    fresh = not state.is_dir()  # somebody has deleted it
    state.mkdir(exist_ok=True)
    with FileLock(state / "up.lock"), interrupts.deferred():
        running = _running(state)
        if running:
            running.stop()
        LocalEmulator.end(state / "up")
        _forget(project_root, state, all_files=bool(running))
        shutil.rmtree(state / "up", ignore_errors=True)
    if fresh:
        shutil.rmtree(state, ignore_errors=True)
    say("the local AWS emulator has ended, with all that was deployed to it" if running else NONE)
    if running and os.environ.get("AWS_ENDPOINT_URL") == running.endpoint_url:
        say("this shell still points to the emulator: leave it by `deactivate`, or exit the shell")


def running(project_root: Path) -> LocalEmulator | None:
    """The emulator of `up` in a project; None if none is up."""
    return _running(project_root.absolute() / STATE_DIR)


def _running(state: Path) -> LocalEmulator | None:
    """The emulator of `up` in this project.

    If the project was moved, or is reached by another path, the emulator is found by its pid and start time.
    If its files were deleted, it is found by the directory in which it was started.
    """
    directory = state.absolute() / "up"
    if aws := LocalEmulator.find(directory):
        return aws
    recorded = _read(state / "up.json")
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


def _forget(project_root: Path, state: Path, *, all_files: bool = False) -> None:
    """Remove the files of an earlier `up` from the root.

    Args:
        project_root: the Terraform root.
        state: its `.event-harness`.
        all_files: also those that carry our names, if there is no record of them.
    """
    for name in (up_shell.IN, up_shell.OUT):
        (state / name).unlink(missing_ok=True)
    record = state / "up.json"
    if record.exists() or all_files:
        for name in _WRITTEN:
            (project_root / name).unlink(missing_ok=True)
        git_exclude.show(project_root, _WRITTEN)
    if not record.exists():
        return
    # `init` has locked the mirror's old release since then. A real account must not be bound to it.
    if _recorded(record, "lock_to_come"):
        (project_root / LOCK).unlink(missing_ok=True)
    _move(state / LOCK, project_root / LOCK)
    _forget_resources(project_root / STATES, fresh=_recorded(record, "workspace_to_come"))
    record.unlink()


def _recorded(record: Path, what: str) -> bool:
    """A flag of the record. False if the record was cut off: the file may be the user's own."""
    return bool(_read(record).get(what))


def _read(record: Path) -> dict[str, Any]:
    """The record of `up`; empty if there is none, or if it was cut off."""
    try:
        fields = json.loads(record.read_text(encoding="utf-8"))
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


def _move(source: Path, target: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        source.replace(target)
