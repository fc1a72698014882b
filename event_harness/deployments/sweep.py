"""Destroys what dead deployments have left: by their records, or by tag if a record or a state is lost.

A sweep may be repeated, and two sweeps may run at the same time.
"""

import signal
import time
from collections.abc import Callable, Collection
from pathlib import Path

import psutil

from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.errors import AWS_ERRORS, message_of
from event_harness.aws.targets import Target
from event_harness.deployments import records, sharing, unrecorded
from event_harness.deployments.destroy import Destroyer
from event_harness.deployments.record import DeploymentRecord
from event_harness.deployments.recorded_toolchain import recorded_toolchain
from event_harness.deployments.terraform_calls import TerraformCalls
from event_harness.deployments.unrecorded import Unrecorded
from event_harness.errors import (
    ConfigurationError,
    DeploymentError,
    DestroyError,
    EmulatorError,
    EmulatorGoneError,
    HarnessError,
    StateError,
)
from event_harness.machine import processes, temporary, terminal
from event_harness.machine.command_line import about_records, spelled
from event_harness.orphans import by_tag
from event_harness.terraform.command import GRACE

Say = Callable[[str], None]

_WAIT = 0.2  # seconds between two looks while another sweep works on a deployment


def sweep(
    state_dir: Path, *, only: Collection[str] = (), dry_run: bool = False, say: Say = terminal.say
) -> int:
    """Destroy each recorded deployment whose process is dead, end its processes and delete its directory.

    Args:
        state_dir: the project's `.event-harness`.
        only: ids of the deployments to sweep, also kept ones; empty: every dead deployment that isn't kept.
        dry_run: only say what would be done.
        say: prints a line.

    Returns:
        0 if nothing of these deployments is left, else 1.
    """
    found = [record for record in records.recorded(state_dir) if not only or record.deployment_id in only]
    lost = [one for one in unrecorded.find(state_dir) if not only or one.deployment_id in only]
    missing = sorted(
        set(only) - {record.deployment_id for record in found} - {one.deployment_id for one in lost}
    )
    for deployment_id in missing:
        say(f"{deployment_id}: no such deployment here; see: {about_records(state_dir, 'list')}")
    failed = len(missing)
    needed = [one for one in lost if not _forget(one, dry_run, say)]
    failed += len(needed)
    for record in found:
        if record.in_progress() and not (record.kept and only):
            say(f"{record.deployment_id}: in progress (process {record.pid} of {record.owner}), left alone")
        elif record.kept and not only:
            say(f"{record.deployment_id}: kept on purpose, left alone; name it to destroy it")
        elif dry_run:
            where = record.endpoint_url or record.target
            say(f"{record.deployment_id}: would be destroyed ({where}, stage {record.stage})")
        else:
            failed += not _sweep_one(record, say)
    if not (found or missing or needed):
        say("nothing to sweep: no dead deployment is on record")
    if not only:
        failed += not _end_lost_emulators(state_dir, dry_run, say)
    if not (only or dry_run):
        sharing.forget_dead(state_dir)
        temporary.delete_lost()
    return 1 if failed else 0


def sweep_by_tag(
    state_dir: Path,
    target: Target,
    *,
    dry_run: bool = False,
    say: Say = terminal.say,
) -> int:
    """Remove resources whose tags prove that they are ours and have expired. No record or state is needed.

    Resources that have not expired stay. So do deployments with a record here: `sweep` takes the dead ones.
    If a removed deployment has a directory without a readable record here, the directory is deleted too.

    Args:
        state_dir: the project's `.event-harness`.
        target: where to look.
        dry_run: only say what would be done.
        say: prints a line.

    Returns:
        0 if nothing expired is left, else 1.

    Raises:
        SweepError: a service can't be asked.
    """
    on_record = {record.deployment_id for record in records.recorded(state_dir)}
    found = by_tag.find(target)
    now = by_tag.time_of(target)  # this machine's clock may be wrong
    failed = False
    for orphaned in found:
        until = f"{orphaned.expires:%Y-%m-%d %H:%M} UTC" if orphaned.expires else "a time that can't be read"
        if orphaned.deployment_id in on_record:
            say(f"{orphaned.deployment_id}: {orphaned}, on record here, left alone (sweep without --target)")
        elif not orphaned.expired(now):
            say(f"{orphaned.deployment_id}: {orphaned}, tagged until {until}, left alone")
        elif dry_run:
            say(f"{orphaned.deployment_id}: {orphaned} would be deleted, expired {until}")
            for thing in [*orphaned.resources, *orphaned.others]:
                say(f"{orphaned.deployment_id}:   {thing}")
        else:
            left = by_tag.remove_all(target, orphaned.deployment_id, say)
            for line in left or ["nothing of it is left"]:
                say(f"{orphaned.deployment_id}: {line}")
            failed = failed or bool(left)
            if not left:
                _forget_removed(state_dir, orphaned.deployment_id)
    if not found:
        say("nothing on the target carries the tags of a deployment")
    return 1 if failed else 0


def _forget(lost: Unrecorded, dry_run: bool, say: Say) -> bool:
    """Delete an unrecorded directory if nothing depends on it. Returns whether nothing does."""
    if use := lost.use():
        say(
            f"{lost.deployment_id}: its record can't be read ({lost.why}) and {use}, left alone; once its "
            f"tags have expired, {spelled('sweep', '--target', 'aws')} (or the emulator's URL) "
            "removes its resources; "
            f"if you know that nothing is left, delete {lost.directory}"
        )
    elif not lost.is_old():
        why = f"its record can't be read ({lost.why})"
        say(f"{lost.deployment_id}: {why}, started or ended just now, left alone")
    else:
        what = f"{lost.deployment_id}: its record can't be read ({lost.why}) and nothing depends on it"
        say(f"{what}: {'would be' if dry_run else 'is'} forgotten")
        if not dry_run:
            lost.delete()
    return not use


def _forget_removed(state_dir: Path, deployment_id: str) -> None:
    for lost in unrecorded.find(state_dir):
        if lost.deployment_id == deployment_id and not lost.working():
            lost.delete()


def _end_lost_emulators(state_dir: Path, dry_run: bool, say: Say) -> bool:
    """End the lasting emulators whose directories were deleted: no record leads to them. Returns success."""
    done = True
    for aws in LocalEmulator.find_by_mark(state_dir):
        if aws.directory.exists() or not aws.lasting:
            continue  # it is on record, or it ends with its session
        what = f"the local AWS emulator at {aws.endpoint_url}, whose directory was deleted"
        if dry_run:
            say(f"{what}, would be ended")
            continue
        try:
            aws.stop()
        except EmulatorError as error:
            say(str(error))
            done = False
        else:
            say(f"{what}, has ended")
    return done


def _sweep_one(record: DeploymentRecord, say: Say) -> bool:
    said = False
    while True:
        try:
            with record.held():
                _sweep_held(record, say)
        except FileNotFoundError:
            return True  # another sweep has finished it
        except BlockingIOError:
            if _in_use(record):
                say(f"{record.deployment_id}: in use by tests that reuse it, left alone")
                return False
            if not said:
                say(f"{record.deployment_id}: another sweep works on it, waiting for its end")
            said = True
            time.sleep(_WAIT)
        except HarnessError as error:
            say(f"{record.deployment_id}: {error}")
            return False
        else:
            say(f"{record.deployment_id}: nothing of it is left")
            return True


def _in_use(record: DeploymentRecord) -> bool:
    """Whether tests hold the lock of the deployment: they share it, a sweep doesn't."""
    try:
        with record.held(shared=True):
            return record.directory.exists()
    except OSError:
        return False


def _sweep_held(record: DeploymentRecord, say: Say) -> None:
    record = DeploymentRecord.load(record.directory)  # another sweep may have changed it
    if record.own_emulator:
        processes.end(record.processes())  # their resources end with the emulator
        LocalEmulator.end(record.directory / "aws")
    else:
        _let_terraform_end(record, say)
        if record.stage not in ("new", "init", "destroyed"):
            _destroy(record, say)
        processes.end(record.processes())
    record.delete()


def _destroy(record: DeploymentRecord, say: Say) -> None:
    try:
        target = record.find_target()
    except EmulatorGoneError:
        say(f"{record.deployment_id}: the emulator at {record.endpoint_url} is gone, and all that was in it")
        return
    except EmulatorError as error:
        raise DestroyError(
            f"its record and state are kept until it can be destroyed: {error}; "
            f"if the emulator is gone for ever, delete {record.directory}"
        ) from error
    by_state = True
    calls = TerraformCalls(record, target, recorded_toolchain(record), say=say)
    try:
        _destroy_by_state(calls, say)
    except (ConfigurationError, DeploymentError, StateError, OSError) as error:
        if isinstance(error.__cause__, KeyboardInterrupt):
            raise
        by_state = False
        why = error.reason if isinstance(error, DestroyError) else str(error)
        say(f"{record.deployment_id}: its state can't be used, so by its tags: {' '.join(why.split())}")
    # Terraform may have been killed after it created a resource and before it wrote the state.
    try:
        left = by_tag.remove_all(target, record.deployment_id, say)
    except AWS_ERRORS as error:
        if not by_state:
            raise DestroyError(f"it can't be looked for: {message_of(error)}") from error
        say(f"{record.deployment_id}: not looked for what the state lacks: {message_of(error)}")
        return
    if left:
        raise DestroyError(f"{len(left)} resources are left: {'; '.join(left)}")
    if not by_state:
        _account_for_state(calls, say)
    calls.forget_state()


def _destroy_by_state(calls: TerraformCalls, say: Say) -> None:
    record = calls.record
    if calls.remote and calls.remote.unlock(record):
        say(f"{record.deployment_id}: the lock of its killed terraform is removed")
    destroyer = Destroyer(calls)
    # Its owner may have died between two writes, or used the provider mirror of another interpreter.
    try:
        calls.initialise()
    except (ConfigurationError, DeploymentError) as error:
        say(f"{record.deployment_id}: its configuration can't be used, so without it: {error}")
        destroyer.by_configuration = False
    destroyer.by_state()


def _account_for_state(calls: TerraformCalls, say: Say) -> None:
    """Destroy by a state that failed before, if it still names resources: these carry no tags."""
    try:
        named = calls.record.managed_resources()
    except StateError:
        return  # it was cut off: nothing else knows the resources
    if named:
        _destroy_by_state(calls, say)


def _let_terraform_end(record: DeploymentRecord, say: Say) -> None:
    """Wait for a terraform that still runs: it finishes its resource and writes its state.

    On Linux the owner's death has interrupted it already. A second interrupt would make it lose the state.
    """
    working = [process for process in record.processes() if _is_terraform(process)]
    if working:
        pid = working[0].pid
        say(f"{record.deployment_id}: its terraform (process {pid}) is still writing its state, waiting")
    alive = processes.wait(working, GRACE)
    for process in alive:
        processes.send(process, signal.SIGINT)
    processes.wait(alive, GRACE)


def _is_terraform(process: psutil.Process) -> bool:
    """Whether it is terraform itself. Its providers carry a cookie in their environment."""
    try:
        environ = process.environ()
    except psutil.Error:
        return False
    return "TF_DATA_DIR" in environ and "TF_PLUGIN_MAGIC_COOKIE" not in environ
