"""The signals resilience test: signals at random moments, with a small program in place of terraform.

Each trial deploys, waits as a test does, and destroys, while one, two or three signals come. Afterwards
nothing may be left: no process, no deployment. A trial needs no AWS and no pytest, and takes some tenths of a
second, so thousands of moments can be tried. Most of them lie in the code that starts, follows and ends a
process.
"""

import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from event_harness.aws.ownership import PROCESS_MARK
from event_harness.aws.targets import Target
from event_harness.deployments import destroy
from event_harness.deployments.deployment import Deployment
from event_harness.deployments.ending import Ending
from event_harness.deployments.record import DeploymentRecord
from event_harness.machine import interrupts, processes
from event_harness.terraform import command
from event_harness.terraform.toolchain import Toolchain
from resilience.table import Options, Row

# Written for sh, which starts in a millisecond. `held` is what it has created.
TERRAFORM = """#!/bin/sh
trap 'echo interrupted; exit 1' INT
state=terraform.tfstate.d/$(cat ../workspace 2>/dev/null)/terraform.tfstate
case "$1" in
  workspace) for last; do :; done; echo "$last" > ../workspace; mkdir -p "terraform.tfstate.d/$last" ;;
  apply)
    echo '{"resources": [{"mode": "managed", "type": "a", "name": "b", "instances": [{}]}]}' > "$state"
    touch ../../../../held
    sleep 0.02 ;;
  destroy) sleep 0.01; rm -f ../../../../held; echo '{"resources": []}' > "$state" ;;
  output) echo '{}' ;;
esac
"""
LENGTH = 0.2  # seconds in which the signals of a trial come
LONGEST = 20.0  # seconds for one trial, most of it for a busy machine


def run(directory: Path, options: Options) -> Iterator[Row]:
    """Try as many moments as the options say, in processes of some hundred trials each."""
    row = Row("signals at random moments", "ends in time, destroyed or reported, no process left")
    with row.timed():
        while row.tried < options.signals:
            count = min(250, options.signals - row.tried)
            for fine, note in trials(directory / str(row.tried), count, options.seed + row.tried):
                row.add(fine, note, quiet=True)
    yield row


def trials(directory: Path, count: int, seed: int) -> list[tuple[bool, str]]:
    """Run trials in a process of their own. Returns for each whether it was fine, and what was found."""
    directory.mkdir(parents=True)
    python = [sys.executable, "-m", "resilience.signals", str(directory), str(count), str(seed)]
    try:
        done = subprocess.run(
            python, capture_output=True, text=True, timeout=60 + count * LONGEST / 4, check=False
        )
    except subprocess.TimeoutExpired as error:
        return [(False, f"seed {seed}: it hangs after: {str(error.stdout)[-300:]}")]
    found = [line.partition(" ") for line in done.stdout.splitlines()]
    outcomes = [(word == "fine", note) for word, _, note in found]
    if done.returncode or len(outcomes) != count:
        outcomes.append((False, f"seed {seed}: exit code {done.returncode}: {done.stderr[-500:]}"))
    return outcomes


def main(directory: Path, count: int, seed: int) -> None:
    """Print one line for each trial: `fine` or `FAILED`, and what was found."""
    setattr(destroy, "remove_all", lambda *_: [])  # noqa: B010 (there is no AWS to look at)
    (directory / "main.tf").write_text("", encoding="utf-8")
    binary = directory / "terraform"
    binary.write_text(TERRAFORM, encoding="utf-8")
    binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
    tools = Toolchain(binary, "terraform", "1.11.4", "registry", directory / "cli.tfrc")
    moments = random.Random(seed)  # noqa: S311
    command._LOOK = 0.002  # a trial shall not spend its time asleep
    with interrupts.orderly_interrupts():
        for number in range(count):
            interrupts.BURST = moments.choice([0.02, 0.1, 1.0])
            wrong = _wrong(directory, _trial(directory, tools, moments))
            line = " ".join(["FAILED" if wrong else "fine", f"seed {seed}, trial {number}:", *wrong])
            sys.stdout.write(line.replace("\n", " ") + "\n")
            sys.stdout.flush()


class _Session:
    """Deploys, and destroys when it is closed, as `Session` does."""

    def __init__(self, directory: Path, tools: Toolchain) -> None:
        self.directory, self.tools = directory, tools
        self.deployment: Deployment | None = None

    def deploy(self) -> None:
        with interrupts.deferred():
            record = DeploymentRecord.create(
                self.directory / ".event-harness", root=self.directory, target="local"
            )
            self.deployment = Deployment(
                self.directory, Target.local("http://127.0.0.1:9"), self.tools, record
            )
            self.deployment.apply()

    def close(self) -> None:
        if self.deployment:
            self.deployment.destroy()


def _trial(directory: Path, tools: Toolchain, moments: random.Random) -> list[str]:
    """One session. Returns what it has complained about."""
    said: list[str] = []
    ending = Ending(said.append, directory)
    session = _Session(directory, tools)
    ending.add(session)
    plan = sorted(moments.uniform(0, LENGTH) for _ in range(moments.randint(1, 3)))
    numbers = [moments.choice([signal.SIGINT, signal.SIGTERM]) for _ in plan]
    strikes = threading.Thread(target=_strike, args=(plan, numbers), daemon=True)
    # A signal between two steps ends this one: as in pytest, the next one goes on.
    steps = [strikes.start, session.deploy, lambda: time.sleep(0.02), *[ending.run] * 3]
    while steps or strikes.is_alive():
        try:
            if not steps:
                time.sleep(0.005)
            elif (step := steps.pop(0)) == strikes.start:
                with interrupts.deferred():
                    step()
            else:
                step()
        except KeyboardInterrupt:
            continue
    return said


def _strike(plan: list[float], numbers: list[signal.Signals]) -> None:
    began = time.monotonic()
    for moment, number in zip(plan, numbers, strict=True):
        time.sleep(max(0.0, began + moment - time.monotonic()))
        os.kill(os.getpid(), number)


def _wrong(directory: Path, said: list[str]) -> list[str]:
    """What is left although it must not be. A destroy may be left unfinished, if that is said."""
    wrong = [line for line in said if "is not destroyed" not in line]
    records = list((directory / ".event-harness" / "deployments").glob("*"))
    if not said and (records or (directory / "held").exists()):
        wrong.append(f"left, and not reported: {[*records, directory / 'held']}")
    for record in records:
        alive = processes.carrying(PROCESS_MARK, record.name)
        wrong += [f"process {process.pid} is left" for process in alive]
    if interrupts._state.depth:
        wrong.append("a section was entered and not left")
    subprocess.run(["rm", "-rf", directory / ".event-harness", directory / "held"], check=True)  # noqa: S607
    return wrong


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
