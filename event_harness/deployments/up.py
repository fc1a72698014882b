"""`make up` and `make down`: a lasting local AWS emulator for a person's own terraform and boto3, in the root."""

import contextlib
import json
import os
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.targets import Target
from event_harness.machine import folders
from event_harness.machine.cache import write_atomically
from event_harness.settings import STATE_DIR
from event_harness.terraform import toolchain
from event_harness.terraform.configuration import IMPLICIT_PROVIDER, LOCK, OVERRIDE
from event_harness.terraform.overrides import write_override
from event_harness.terraform.toolchain import Toolchain

# A workspace of its own, so that a state of real resources in the root is never compared with the emulator.
STATES, WORKSPACE = "terraform.tfstate.d", "local"
ACCOUNT = "000000000000"  # the emulator's; no real account has it
NONE = "no local AWS emulator is up here"


def up(project_root: Path, *, port: int | None = None, say: Callable[[str], None] = print) -> LocalEmulator:
    """Start a local AWS emulator that stays until `down`, and write what a shell and terraform need to use it.

    Args:
        project_root: the Terraform root; `.event-harness/` is made in it.
        port: TCP port on 127.0.0.1; None for a free one.
        say: told what happens, a line at a time.

    Raises:
        EmulatorError: MiniStack is not installed, the port is taken, or it did not start.
        ToolchainError: no terraform, or no providers, can be had.
    """
    project_root = project_root.absolute()
    state = project_root / STATE_DIR
    state.mkdir(parents=True, exist_ok=True)
    with FileLock(state / "up.lock"):
        running = LocalEmulator.find(state / "up")
        if running and (state / "env").exists():
            say(
                f"the local AWS emulator is up already, at {running.endpoint_url}: use it after `. {STATE_DIR}/env`"
            )
            return running
        if running:  # of an `up` that was killed before it had written what a shell needs
            running.stop()
        _forget(project_root, state)
        tools = toolchain.find(target="local", progress=say)
        aws = LocalEmulator.start(state / "up", port=port, lasting=True)
        try:
            # First of all, so that `down` can undo what a killed `up` has done by then.
            to_come = {
                "lock_to_come": tools.old_provider and not (project_root / LOCK).exists(),
                "workspace_to_come": not (project_root / STATES / WORKSPACE).exists(),
            }
            record = {"pid": aws.pid, "port": aws.port, **to_come}
            write_atomically(state / "up.json", json.dumps(record))
            write_override(
                project_root, endpoint_url=aws.endpoint_url, old_provider=tools.old_provider, copied=False
            )
            if tools.old_provider:
                _move(project_root / LOCK, state / LOCK)
            write_atomically(state / "env", _shell(Target.local(aws.endpoint_url), tools), mode=0o600)
        except BaseException:
            aws.stop()
            _forget(project_root, state)
            raise
    say(f"the local AWS emulator is up at {aws.endpoint_url}, with {tools}")
    end = "make down" if "MAKELEVEL" in os.environ else "event-harness down"
    say(f"use it after `. {STATE_DIR}/env`: terraform init, terraform apply, boto3; end it with `{end}`")
    return aws


def down(project_root: Path, *, say: Callable[[str], None] = print) -> None:
    """End the local AWS emulator of `up` and remove what `up` wrote. Again does no harm.

    Raises:
        EmulatorError: a process could not be ended.
    """
    project_root = project_root.absolute()
    state = project_root / STATE_DIR
    if not state.is_dir():
        say(NONE)
        return
    with FileLock(state / "up.lock"):
        running = LocalEmulator.find(state / "up")
        if running:
            running.stop()
        LocalEmulator.end(state / "up")
        _forget(project_root, state)
        shutil.rmtree(state / "up", ignore_errors=True)
    say("the local AWS emulator has ended, with all that was deployed to it" if running else NONE)
    if running and os.environ.get("AWS_ENDPOINT_URL") == running.endpoint_url:
        say("this shell still points to it: leave it, or unset its AWS_ and TF_ variables")


def _forget(project_root: Path, state: Path) -> None:
    """Undo what an earlier `up` has made in the root, whether its emulator still ran or not."""
    (state / "env").unlink(missing_ok=True)
    record = state / "up.json"
    if not record.exists():
        return
    for name in (OVERRIDE, IMPLICIT_PROVIDER):
        (project_root / name).unlink(missing_ok=True)
    # What init has locked meanwhile is the mirror's: a real account would be stuck with the old release.
    if _recorded(record, "lock_to_come"):
        (project_root / LOCK).unlink(missing_ok=True)
    _move(state / LOCK, project_root / LOCK)
    _forget_resources(project_root / STATES, fresh=_recorded(record, "workspace_to_come"))
    record.unlink()


def _recorded(record: Path, what: str) -> bool:
    """Whether something wasn't there yet; where the record was cut off, it may be the user's own."""
    try:
        return bool(json.loads(record.read_text(encoding="utf-8"))[what])
    except (ValueError, KeyError, TypeError):
        return False


def _forget_resources(states: Path, *, fresh: bool) -> None:
    """Delete the state of our workspace: what it describes has gone with the emulator.

    Only if it knows the emulator's account alone, or nothing: another may use a workspace of that name. Where
    it is `fresh`, made since `up`, it need not name an account: the ARN of a bucket names none.
    """
    file = states / WORKSPACE / "terraform.tfstate"
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        if fresh:  # init has made the workspace, and nothing was applied
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
        return False  # cut off while it was written: there's no telling what it knew


def _move(source: Path, target: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        source.replace(target)


def _shell(target: Target, tools: Toolchain) -> str:
    """Lines for any POSIX shell; sourcing them twice changes nothing more."""
    settings = target.settings() | {
        "TF_CLI_CONFIG_FILE": str(tools.cli_config),
        "TF_WORKSPACE": WORKSPACE,
        # A root that declares it can destroy its buckets with what was put into them.
        "TF_VAR_ephemeral": "true",
    }
    if tools.old_provider:
        settings["TF_VAR_runtime"] = (
            "python3.8"  # the newest that the old provider knows; what deployments is ours
        )
        settings["TF_PLUGIN_CACHE_DIR"] = tools.environ()["TF_PLUGIN_CACHE_DIR"]
    lines = [
        "# The local AWS emulator for this shell. Source it: . .event-harness/env",
        "for name in $(env | sed -n 's/^\\(AWS_[A-Za-z0-9_]*\\)=.*/\\1/p'); do unset \"$name\"; done",
        *(f"export {name}={shlex.quote(value)}" for name, value in settings.items()),
        'case ",${NO_PROXY:-}," in *,127.0.0.1,*) ;; *) NO_PROXY="127.0.0.1,localhost,${NO_PROXY:-}" ;; esac',
        'export NO_PROXY no_proxy="$NO_PROXY"',
    ]
    if not shutil.which(tools.binary.name):  # the packaged one, which lies in the cache
        directory = shlex.quote(str(tools.binary.parent))
        lines.append(f'case ":$PATH:" in *:{directory}:*) ;; *) export PATH={directory}:"$PATH" ;; esac')
    return "\n".join(lines) + "\n"
