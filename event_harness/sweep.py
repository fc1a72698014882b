"""Destroys what dead runs have left, from their records; safe to run twice, or twice at once."""

import signal
from collections.abc import Callable, Collection
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from event_harness import runs, toolchain
from event_harness.deployment import Deployment
from event_harness.errors import EmbeddedAwsError, HarnessError
from event_harness.runs import Run
from event_harness.targets import Target
from event_harness.terraform import GRACE

Say = Callable[[str], None]


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
    for missing in sorted(set(only) - {run.run_id for run in found}):
        say(f"{missing}: no such run here; see: event-harness list")
    failed = len(set(only) - {run.run_id for run in found})
    for run in found:
        if run.in_progress() and not (run.kept and only):
            say(f"{run.run_id}: in progress (process {run.pid}), left alone")
        elif run.kept and not only:
            say(f"{run.run_id}: kept on purpose, left alone; name it to destroy it")
        elif dry_run:
            say(f"{run.run_id}: would be destroyed ({run.endpoint_url or run.target}, stage {run.stage})")
        else:
            failed += not _sweep_one(state_dir, run, say)
    if not found:
        say("nothing to sweep: no dead run is on record")
    return 1 if failed else 0


def _sweep_one(state_dir: Path, run: Run, say: Say) -> bool:
    lock = FileLock(state_dir / f"sweep-{run.run_id}.lock")
    try:
        with lock.acquire(timeout=0):
            if not run.directory.exists():
                return True  # another sweep has just done it
            _end_terraform(run)
            if not (run.embedded or run.stage in ("new", "init")):
                _destroy(run, say)
            _end_all(run.processes())
            run.delete()
    except Timeout:
        say(f"{run.run_id}: another sweep is at it")
        return True
    except HarnessError as error:
        say(str(error))
        return False
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)
    say(f"{run.run_id}: nothing of it is left")
    return True


def _destroy(run: Run, say: Say) -> None:
    if run.endpoint_url:
        target = Target.emulator(run.endpoint_url, region=run.region, allow_remote=True)
        try:
            target.check()
        except EmbeddedAwsError:
            say(f"{run.run_id}: the emulator at {run.endpoint_url} is gone, and all that was in it")
            return
    else:
        target = Target.aws(region=run.region)
        target.check()
    tools = toolchain.find(None, target="aws" if run.target == "aws" else "local")
    deployment = Deployment(run.configuration_dir, target, tools, run, say=say)
    # Its owner may have died between two writes, or used another interpreter's provider mirror.
    deployment.write_override()
    deployment.initialise()
    deployment.destroy()


def _end_terraform(run: Run) -> None:
    """Interrupt what still applies or destroys, so that it ends its resource and writes its state."""
    working = [p for p in run.processes() if _is_terraform(p)]
    for process in working:
        _signal(process, signal.SIGINT)
    _, alive = psutil.wait_procs(working, timeout=GRACE)
    _end_all(alive)


def _is_terraform(process: psutil.Process) -> bool:
    try:
        return "TF_DATA_DIR" in process.environ() and not process.name().startswith("terraform-provider")
    except psutil.Error:
        return False


def _end_all(processes: list[psutil.Process]) -> None:
    for process in processes:
        _signal(process, signal.SIGTERM)
    _, alive = psutil.wait_procs(processes, timeout=5)
    for process in alive:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=5)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.Error:
        return  # gone meanwhile
