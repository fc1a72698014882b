"""Destroys what dead runs have left: from their records, and by tag where a record or a state is lost.

Safe to run twice, or twice at once.
"""

import os
import signal
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path

import psutil

from event_harness.aws.emulator import EmbeddedAws
from event_harness.aws.errors import AWS_ERRORS, message_of
from event_harness.aws.targets import Target
from event_harness.deployments import record as runs
from event_harness.deployments import sharing, unrecorded
from event_harness.deployments.deployment import Deployment
from event_harness.deployments.record import Run
from event_harness.deployments.unrecorded import Unrecorded
from event_harness.errors import (
    DeploymentError,
    DestroyError,
    EmbeddedAwsError,
    EmulatorGoneError,
    HarnessError,
    StateError,
)
from event_harness.machine import processes
from event_harness.orphans import orphans as leftovers
from event_harness.terraform import toolchain
from event_harness.terraform.command import GRACE

Say = Callable[[str], None]

_WAIT = 0.2  # seconds between two looks at whether another sweep is done


def sweep(state_dir: Path, *, only: Collection[str] = (), dry_run: bool = False, say: Say = print) -> int:
    """Destroy each run on record whose process is dead, end its processes and delete its directory.

    Args:
        state_dir: the project's `.event-harness`.
        only: run ids to take, kept ones too; empty: every dead run that isn't kept.
        dry_run: only say what would be done.
        say: prints a line.

    Returns:
        0 if nothing is left of what was to be swept, else 1.
    """
    found = [run for run in runs.recorded(state_dir) if not only or run.run_id in only]
    lost = [one for one in unrecorded.find(state_dir) if not only or one.run_id in only]
    missing = sorted(set(only) - {run.run_id for run in found} - {one.run_id for one in lost})
    for run_id in missing:
        say(f"{run_id}: no such run here; see: event-harness list")
    failed = len(missing)
    needed = [one for one in lost if not _forget(one, dry_run, say)]
    failed += len(needed)
    for run in found:
        if run.in_progress() and not (run.kept and only):
            say(f"{run.run_id}: in progress (process {run.pid} of {run.owner}), left alone")
        elif run.kept and not only:
            say(f"{run.run_id}: kept on purpose, left alone; name it to destroy it")
        elif dry_run:
            say(f"{run.run_id}: would be destroyed ({run.endpoint_url or run.target}, stage {run.stage})")
        else:
            failed += not _sweep_one(run, say)
    if not (found or missing or needed):
        say("nothing to sweep: no dead run is on record")
    if not (only or dry_run):
        sharing.forget_dead(state_dir)
    return 1 if failed else 0


def sweep_by_tag(
    state_dir: Path,
    target: Target,
    *,
    dry_run: bool = False,
    say: Say = print,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Remove, without any record or state, what the tags on a target prove to be ours and expired.

    Left alone: what has not expired, and the runs that are on record here (`sweep` takes the dead ones).
    With what it has removed of a run goes a directory of that run whose record can't be read.

    Args:
        state_dir: the project's `.event-harness`.
        target: where to look.
        dry_run: only say what would be done.
        say: prints a line.
        now: the time in UTC.

    Returns:
        0 if nothing expired is left, else 1.

    Raises:
        SweepError: a service can't be asked.
    """
    on_record = {run.run_id for run in runs.recorded(state_dir)}
    found = leftovers.remains(target)
    failed = False
    for remains in found:
        until = f"{remains.expires:%Y-%m-%d %H:%M} UTC" if remains.expires else "a time that can't be read"
        if remains.run_id in on_record:
            say(f"{remains.run_id}: {remains}, on record here, left to its record")
        elif not remains.expired(now()):
            say(f"{remains.run_id}: {remains}, tagged until {until}, left alone")
        elif dry_run:
            say(f"{remains.run_id}: {remains} would be deleted, expired {until}")
            for thing in [*remains.resources, *remains.others]:
                say(f"{remains.run_id}:   {thing}")
        else:
            left = leftovers.remove_remains(target, remains.run_id, say)
            for line in left or ["nothing of it is left"]:
                say(f"{remains.run_id}: {line}")
            failed = failed or bool(left)
            if not left:
                _forget_removed(state_dir, remains.run_id)
    if not found:
        say("nothing on the target carries the tags of a run")
    return 1 if failed else 0


def _forget(lost: Unrecorded, dry_run: bool, say: Say) -> bool:
    """Delete the directory of a run without a record if nothing depends on it; returns whether that is so."""
    if use := lost.use():
        say(
            f"{lost.run_id}: its record can't be read ({lost.why}) and {use}, left alone; once its tags have "
            "expired, event-harness sweep --target aws (or the emulator's URL) removes what carries them; "
            f"if you know that nothing is left, delete {lost.directory}"
        )
    elif not lost.is_old():
        say(f"{lost.run_id}: its record can't be read ({lost.why}), begun or ended just now, left alone")
    else:
        what = f"{lost.run_id}: its record can't be read ({lost.why}) and nothing depends on it"
        say(f"{what}: {'would be' if dry_run else 'is'} forgotten")
        if not dry_run:
            lost.delete()
    return not use


def _forget_removed(state_dir: Path, run_id: str) -> None:
    for lost in unrecorded.find(state_dir):
        if lost.run_id == run_id and not lost.working():
            lost.delete()


def _sweep_one(run: Run, say: Say) -> bool:
    said = False
    while True:
        try:
            with run.held():
                _sweep_held(run, say)
        except FileNotFoundError:
            return True  # another sweep has just done it
        except BlockingIOError:
            if _in_use(run):
                say(f"{run.run_id}: in use by tests that reuse it, left alone")
                return False
            if not said:
                say(f"{run.run_id}: another sweep is at it, waiting for its end")
            said = True
            time.sleep(_WAIT)
        except HarnessError as error:
            say(f"{run.run_id}: {error}")
            return False
        else:
            say(f"{run.run_id}: nothing of it is left")
            return True


def _in_use(run: Run) -> bool:
    """Whether tests hold the run that is locked: they share it, a sweep doesn't."""
    try:
        with run.held(shared=True):
            return run.directory.exists()
    except OSError:
        return False


def _sweep_held(run: Run, say: Say) -> None:
    run = Run.load(run.directory)  # another sweep may have come further
    if run.embedded:
        processes.end(run.processes())  # all that they work on ends here
        EmbeddedAws.end(run.directory / "aws")
    else:
        _let_terraform_end(run, say)
        if run.stage not in ("new", "init", "destroyed"):
            _destroy(run, say)
        processes.end(run.processes())
    run.delete()


def _destroy(run: Run, say: Say) -> None:
    try:
        target = run.find_target()
    except EmulatorGoneError:
        say(f"{run.run_id}: the emulator at {run.endpoint_url} is gone, and all that was in it")
        return
    except EmbeddedAwsError as error:
        raise DestroyError(
            f"its record and state are kept until it can be destroyed: {error}; "
            f"if that is gone for ever, delete {run.directory}"
        ) from error
    by_state = True
    try:
        _destroy_by_state(run, target, say)
    except DeploymentError as error:
        by_state = False
        why = error.reason if isinstance(error, DestroyError) else str(error)
        say(f"{run.run_id}: its state can't be used, so by its tags: {' '.join(why.split())}")
    # A resource may have been made and terraform killed before it had written that down.
    try:
        left = leftovers.remove_remains(target, run.run_id, say)
    except AWS_ERRORS as error:
        if not by_state:
            raise DestroyError(f"it can't be looked for: {message_of(error)}") from error
        say(f"{run.run_id}: not looked for what the state lacks: {message_of(error)}")
        return
    if left:
        raise DestroyError(f"{len(left)} resources are left: {'; '.join(left)}")
    if not by_state:
        _account_for_state(run, target, say)


def _destroy_by_state(run: Run, target: Target, say: Say) -> None:
    deployment = Deployment(run.configuration_dir, target, _tools(run), run, say=say)
    # Its owner may have died between two writes, or used another interpreter's provider mirror.
    deployment.write_override()
    deployment.initialise()
    deployment.destroy_by_state()


def _tools(run: Run) -> toolchain.Toolchain:
    """What the run was applied with, if it is still there: an older one can't read a newer one's state."""
    recorded = run.terraform if Path(run.terraform).is_file() else None
    return toolchain.find(
        None if os.environ.get(toolchain.VARIABLE) else recorded,
        target="aws" if run.target == "aws" else "local",
        origin="the run's record",
        providers=run.providers,
    )


def _account_for_state(run: Run, target: Target, say: Say) -> None:
    """See that a state which failed names nothing that tags and names don't tell of."""
    try:
        named = run.managed_resources()
    except StateError:
        return  # killed while it was written; there's nothing else to ask
    if named:
        _destroy_by_state(run, target, say)


def _let_terraform_end(run: Run, say: Say) -> None:
    """Wait for what still applies or destroys: it ends its resource and writes its state.

    Its owner's death has interrupted it already (on Linux); a second interrupt would make it drop all.
    """
    working = [process for process in run.processes() if _is_terraform(process)]
    if working:
        say(f"{run.run_id}: its terraform (process {working[0].pid}) is still writing its state, waiting")
    alive = processes.wait(working, GRACE)
    for process in alive:
        processes.send(process, signal.SIGINT)
    processes.wait(alive, GRACE)


def _is_terraform(process: psutil.Process) -> bool:
    """Whether it is terraform itself and none of its providers, which know theirs by a cookie."""
    try:
        environ = process.environ()
    except psutil.Error:
        return False
    return "TF_DATA_DIR" in environ and "TF_PLUGIN_MAGIC_COOKIE" not in environ
