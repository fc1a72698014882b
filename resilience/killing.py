"""One session of pytest, one of its processes killed at one moment, and what is left once it was swept."""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import psutil

from event_harness.aws import supervisor as supervisor
from event_harness.aws.targets import Target
from event_harness.deployments.records import recorded
from event_harness.orphans.inventory import inventory
from event_harness.setting_values import SHORTCUTS

ROOT = Path(__file__).parents[1]
SMALL_ROOT = ROOT / "resilience" / "small_root"

STAGES = {"init": "init", "apply": "apply", "test": "applied", "destroy": "destroy"}  # as the record says it
# A remembered init takes 20 ms: no kill would strike it.
_BUT_INIT = ",".join(name for name in SHORTCUTS if name != "init")
PATIENCE = 600.0  # seconds for a session or a sweep to end
EMULATOR = "local AWS emulator"  # as a victim: its supervisor, or one of the processes that it starts
EVERYTHING = "everything"  # as a victim: all processes of the session at once

_TEST = """
import time

def test_something(deployment):
    s3 = deployment.target.client("s3")
    for n in range(10):
        s3.put_object(Bucket=deployment.outputs["bucket"], Key=str(n), Body=b"x")
        time.sleep(0.1)
"""


@dataclass
class Kill:
    """What was killed, and what came of it.

    Attributes:
        victim: pytest, terraform, provider, worker (of pytest-xdist), lambda (a function's process),
            local AWS emulator, everything, or sweep.
        stage: init, apply, test or destroy.
        seed: of the moment.
        moment: seconds after the stage had begun.
        hit: whether there was such a process at that moment.
        exit_code: of pytest.
        deployment_id: of the session's deployment.
        listed: whether `event-harness list` told of what was left (True where nothing was).
        swept: exit codes of the sweeps.
        left: what is still there after them: resources, processes, folders.
    """

    victim: str
    stage: str
    seed: int
    moment: float = 0.0
    hit: bool = False
    exit_code: int | None = None
    deployment_id: str = ""
    listed: bool = False
    swept: list[int] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def fine(self) -> bool:
        """Whether what was guaranteed has happened."""
        return self.listed and not any(self.swept) and not self.left


class Project:
    """A user's project: a pytest file, a Terraform root, a target.

    Args:
        directory: an empty one; every process of a session knows its name, which is how they are found.
        target: `local`, or the URL of an emulator that stays.
        root: the Terraform root.
        test: source of the test file.
        options: further arguments of pytest.
    """

    def __init__(
        self,
        directory: Path,
        target: str,
        *,
        root: Path = SMALL_ROOT,
        test: str = _TEST,
        options: tuple[str, ...] = (),
    ) -> None:
        self.directory = directory
        self.target = target
        self.options = options
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "test_system.py").write_text(test, encoding="utf-8")
        (directory / "pytest.ini").write_text(
            f"[pytest]\nharness_root = {root}\nharness_target = {target}\nharness_shortcuts = {_BUT_INIT}\n",
            encoding="utf-8",
        )
        self.state_dir = directory / ".event-harness"

    @cached_property
    def durations(self) -> dict[str, float]:
        """Seconds of each stage in a session that nobody disturbs."""
        session = self._start()
        began: dict[str, float] = {}
        while session.poll() is None:
            for record in recorded(self.state_dir):
                began.setdefault(record.stage, time.monotonic())
            time.sleep(0.01)
        began["end"] = time.monotonic()
        if session.returncode:
            raise RuntimeError(f"pytest fails undisturbed: {(self.directory / 'output').read_text()}")
        ends = [*list(STAGES.values())[1:], "end"]
        return {stage: began[end] - began[STAGES[stage]] for stage, end in zip(STAGES, ends, strict=True)}

    def kill(self, victim: str, stage: str, seed: int) -> Kill:
        """Run one session, kill the victim at a random moment of the stage, sweep, and look what is left."""
        kill = Kill(victim, stage, seed, moment=_moment(seed, self.durations[stage]))
        before = self._resources()
        session = self._start()
        self._await_stage(session, kill)
        time.sleep(kill.moment)
        kill.hit = self._strike(session, kill)
        kill.exit_code = session.wait(PATIENCE)
        self._settle(kill, before)
        return kill

    def kill_sweep(self, seed: int) -> Kill:
        """Kill a session that has deployed, kill the sweep at a random moment, sweep again."""
        as_long_as_a_sweep = self.durations["init"] + self.durations["destroy"]
        kill = Kill("sweep", "test", seed, moment=_moment(seed, as_long_as_a_sweep))
        before = self._resources()
        session = self._start()
        self._await_stage(session, kill)
        session.kill()
        kill.exit_code = session.wait(PATIENCE)
        with subprocess.Popen(self._command("sweep"), cwd=ROOT, stdout=subprocess.DEVNULL) as sweep:
            time.sleep(kill.moment)
            kill.hit = sweep.poll() is None
            sweep.kill()
        self._settle(kill, before)
        return kill

    def _settle(self, kill: Kill, before: list[str]) -> None:
        self.clear(kill)
        kill.left = sorted(set(self._resources()) - set(before)) + list(self._leavings(kill))

    def clear(self, kill: Kill) -> None:
        """List and sweep as a user does; with an odd seed two sweeps at once."""
        there = [record.deployment_id for record in recorded(self.state_dir)]
        listed = self._harness("list").stdout
        kill.listed = all(deployment_id in listed for deployment_id in there)
        with ThreadPoolExecutor() as pool:
            sweeps = [pool.submit(self._harness, "sweep") for _ in range(1 + kill.seed % 2)]
            done = [sweep.result() for sweep in sweeps]
        kill.swept = [sweep.returncode for sweep in done]
        (self.directory / "swept").write_text("\n".join(s.stdout + s.stderr for s in done), encoding="utf-8")

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *self.options]
        with (self.directory / "output").open("wb") as output:
            return subprocess.Popen(
                command,
                cwd=self.directory,
                env=os.environ | {"EVENT_HARNESS_RESILIENCE": str(self.directory)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def _command(self, command: str) -> list[str]:
        return [sys.executable, "-m", "event_harness.cli", "--project", str(self.directory), command]

    def _harness(self, command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self._command(command),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def _await_stage(self, session: "subprocess.Popen[bytes]", kill: Kill) -> None:
        deadline = time.monotonic() + PATIENCE
        while session.poll() is None and time.monotonic() < deadline:
            for record in recorded(self.state_dir):
                kill.deployment_id = record.deployment_id
                if record.stage == STAGES[kill.stage]:
                    return
            time.sleep(0.005)

    def _strike(self, session: "subprocess.Popen[bytes]", kill: Kill) -> bool:
        """Kill the victim; where there is none yet, the first that comes within the stage."""
        while session.poll() is None:
            victims = [
                process
                for process, environ in processes_about(self.directory)
                if kill.victim in (EVERYTHING, _kind(process, environ, session.pid))
            ]
            if kill.victim != EVERYTHING:  # one of them, another with each seed
                victims = random.Random(kill.seed).sample(victims, min(1, len(victims)))  # noqa: S311
            killed = [_killed(victim) for victim in victims]
            if any(killed):
                return True
            if not any(record.stage == STAGES[kill.stage] for record in recorded(self.state_dir)):
                return False
            time.sleep(0.005)
        return False

    def _resources(self) -> list[str]:
        if self.target == "local":
            return []  # they end with the session
        return [str(found) for found in inventory(Target.emulator(self.target))]

    def _leavings(self, kill: Kill) -> Iterator[str]:
        for process, environ in processes_about(self.directory):
            yield f"process {process.pid}, {_kind(process, environ, 0)}"
        for folder in ("deployments", "lent"):
            for path in (self.state_dir / folder).rglob("*"):
                yield f"folder {path}"
        temporary = Path(tempfile.gettempdir()) / f"event-harness-{kill.deployment_id}"
        if temporary.exists():
            yield f"folder {temporary}"


def _moment(seed: int, longest: float) -> float:
    return random.Random(seed).uniform(0, longest)  # noqa: S311


def _killed(process: psutil.Process) -> bool:
    try:
        process.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        return False
    return True


def processes_about(directory: Path) -> list[tuple[psutil.Process, dict[str, str]]]:
    """Every living process, but this one, whose environment names a path below the directory; with it."""
    found = []
    for process in psutil.process_iter():
        try:
            environ = process.environ()
            if (
                process.pid != os.getpid()
                and any(str(directory) in value for value in environ.values())
                and process.status() != psutil.STATUS_ZOMBIE
            ):
                found.append((process, environ))
        except (psutil.Error, OSError):
            continue  # just gone, or not ours to look at
    return found


def _kind(process: psutil.Process, environ: dict[str, str], session: int) -> str:
    if process.pid == session:
        return "pytest"
    if "AWS_LAMBDA_FUNCTION_NAME" in environ:
        return "lambda"
    if supervisor.MARK in environ:
        return EMULATOR
    if "TF_PLUGIN_MAGIC_COOKIE" in environ:
        return "provider"
    return "terraform" if "TF_DATA_DIR" in environ else "worker"


def to_json(kill: Kill) -> str:
    """One line for a log."""
    return json.dumps(kill.__dict__)
