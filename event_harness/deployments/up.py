"""`make up` and `make down`: a lasting local AWS emulator for the user's own terraform and boto3."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from filelock import FileLock

from event_harness.aws.emulator import LocalEmulator
from event_harness.deployments import up_files, up_shell
from event_harness.errors import SettingError
from event_harness.machine import folders, git_exclude, interrupts, terminal
from event_harness.machine.cache import write_atomically
from event_harness.machine.command_line import spelled
from event_harness.settings import STATE_DIR
from event_harness.terraform import provider_in_use, toolchain
from event_harness.terraform.configuration import LOCK, Configuration
from event_harness.terraform.overrides import write_override

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
            for name in (up_files.LOCKED, ".gitignore"):
                (state / name).unlink(missing_ok=True)
            folders.delete_if_empty(state / "up")
            folders.delete_if_empty(state)
        raise


def _up(
    project_root: Path, state: Path, port: int | None, say: Callable[[str], None], *, enforce_roles: bool
) -> LocalEmulator:
    env = os.path.relpath(state / "env")
    with FileLock(state / up_files.LOCKED), interrupts.deferred():
        running = up_files.running(state)
        if running and (state / "env").exists() and (state / up_files.RECORD).exists():
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
        LocalEmulator.end(state / "up")  # a supervisor whose emulator was killed may still be at work
        up_files.forget(project_root, state)
        up_files.check(project_root)
        tools = toolchain.find(target="local", progress=say)
        interrupts.check()
        aws = LocalEmulator.start(
            state / "up",
            port=port,
            auth=enforce_roles,
            lasting=True,
            once_told=True,  # if this process is killed half-way, nothing is left
            elsewhere=[project_root / name for name in up_files.WRITTEN],
        )
        try:
            # Written first, so that `down` can undo an `up` that was killed half-way.
            record = up_files.record(project_root, aws, old_provider=tools.old_provider)
            write_atomically(state / up_files.RECORD, json.dumps(record))
            git_exclude.hide(project_root, up_files.WRITTEN)
            written = write_override(
                project_root,
                endpoint_url=aws.endpoint_url,
                old_provider=tools.old_provider,
                copied=False,
                tofu=tools.kind == "tofu",
                version=provider_in_use.locked(project_root / LOCK),
                of_up=asdict(aws.credentials),
            )
            for file in written:
                say(f"written: {file.name}, which leads terraform to the emulator; `down` deletes it")
            if tools.old_provider:
                up_files.move(project_root / LOCK, state / LOCK)
            write_atomically(state / up_shell.OUT, up_shell.going_out(), mode=0o600)
            write_atomically(state / up_shell.IN, up_shell.going_in(aws.target(), tools), mode=0o600)
            aws.outlive()
        except BaseException:
            aws.stop()
            up_files.forget(project_root, state)
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
    running = up_files.running(state)
    if not (running or state.is_dir()):
        say(NONE)
        return
    fresh = not state.is_dir()  # somebody has deleted it
    state.mkdir(exist_ok=True)
    with FileLock(state / up_files.LOCKED), interrupts.deferred():
        running = up_files.running(state)
        if running:
            running.stop()
        LocalEmulator.end(state / "up")
        up_files.forget(project_root, state)
        shutil.rmtree(state / "up", ignore_errors=True)
    if fresh:
        shutil.rmtree(state, ignore_errors=True)
    say("the local AWS emulator has ended, with all that was deployed to it" if running else NONE)
    if running and os.environ.get("AWS_ENDPOINT_URL") == running.endpoint_url:
        say("this shell still points to the emulator: leave it by `deactivate`, or exit the shell")


def running(project_root: Path) -> LocalEmulator | None:
    """The emulator of `up` in a project; None if none is up."""
    return up_files.running(project_root.absolute() / STATE_DIR)
