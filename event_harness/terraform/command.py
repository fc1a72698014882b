"""Runs terraform or tofu through tftest.

tftest builds the command lines and models plans and outputs. This subclass replaces the method that starts
a process: tftest's own hangs when stderr's pipe is full, has no timeout, and ignores the exit codes 2, 130
and -9. Never call `setup()`: it deletes the state at exit.
"""

import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO

import tftest

from event_harness.errors import DeploymentError, EmulatorGoneError
from event_harness.machine import children, clock, folders, interrupts
from event_harness.terraform.diagnostics import summary
from event_harness.terraform.provider_servers import COMMANDS, Provider, Servers
from event_harness.terraform.recovery import Failure, Recovery

# Seconds that an interrupted terraform may take to finish its current resources and write its state.
GRACE = 90.0
_CHECK = 1.0  # seconds between two checks of the target
_LOOK = 0.05  # seconds between two looks at its output
_PAUSE = 1.0  # seconds before a command's second attempt; twice as long before each further one


class Terraform(tftest.TerraformTest):  # type: ignore[misc]  # it comes without types
    """Runs terraform commands in one configuration directory.

    Args:
        directory: the root of the configuration; terraform's working directory.
        binary: terraform or tofu.
        environ: the whole environment of the process (nothing is added from os.environ).
        logs: directory for the output; each command writes a file of its own.
        timeout: seconds until a command is interrupted.
        on_line: called with each line that terraform prints.
        interrupted: when another thread sets it, the command ends as after Ctrl-C.
        check: called every second while a command runs; raises EmulatorGoneError if the target is gone.
        recoveries: asked in turn whether a command that failed should run again.
        explain: what to add to the message of a command that failed, the provider in use for instance.
        say: prints a line for the user before a command runs again.
        pause: seconds before the second attempt; twice as long before each further one.
        serve: the providers that one process each serves while a command runs; asked at each one.
    """

    def __init__(
        self,
        directory: Path,
        *,
        binary: Path,
        environ: Mapping[str, str],
        logs: Path,
        timeout: float = 1800.0,
        on_line: Callable[[str], None] | None = None,
        interrupted: threading.Event | None = None,
        check: Callable[[], None] = lambda: None,
        recoveries: Sequence[Recovery] = (),
        explain: Callable[[Failure], str] | None = None,
        say: Callable[[str], None] | None = None,
        pause: float = _PAUSE,
        serve: Callable[[], Iterable[Provider]] = tuple,
    ) -> None:
        super().__init__(str(directory), binary=str(binary), cache_dir=str(logs))
        self.env = dict(environ)
        self.logs = logs
        self.timeout = timeout
        self.on_line = on_line or (lambda _line: None)
        self.say = say or (lambda _line: None)
        self._recoveries = recoveries
        self._explain = explain or (lambda _failure: "")
        self._pause = pause
        self._serve = serve
        self._interrupted = interrupted or threading.Event()
        self._check = check

    def execute_command(self, cmd: str, *cmd_args: str) -> tftest.TerraformCommandOutput:
        """Run one command to its end and return its exit code, output and error text.

        A command that fails runs again, with the same arguments, as often as a recovery says so.
        An interrupt (Ctrl-C, or SIGTERM as an exception) goes to terraform first. Terraform finishes its
        current resources and writes its state. Then the interrupt is raised here.

        Raises:
            DeploymentError: the exit code isn't 0 (nor 2, if -detailed-exitcode is given).
        """
        used: Counter[Recovery] = Counter()
        while True:
            done, log = self._run(cmd, cmd_args)
            if done.retcode == 0 or (done.retcode == 2 and "-detailed-exitcode" in cmd_args):
                return done
            failure = Failure(cmd, done.out, done.err)
            if not self._recovered(failure, used):
                raise DeploymentError(
                    f"terraform {cmd} failed (exit code {done.retcode}): {summary(done.err)} [{log}]"
                    f"{self._explain(failure)}"
                )

    def _recovered(self, failure: Failure, used: Counter[Recovery]) -> bool:
        """Whether a recovery lets the command run again; waits a moment then."""
        for recovery in self._recoveries:
            if line := recovery(failure, used[recovery]):
                self.say(line)
                deadline = clock.monotonic() + self._pause * 2 ** used[recovery]
                used[recovery] += 1
                while (left := deadline - clock.monotonic()) > 0:
                    self._raise_interrupt(min(_LOOK, left))
                return True
        return False

    def _run(self, cmd: str, cmd_args: Sequence[str]) -> tuple[tftest.TerraformCommandOutput, Path]:
        """Run one attempt; return its exit code, output and error text, and the file with the latter."""
        folders.make(self.logs, exist_ok=True)
        log = self.logs / f"{len(list(self.logs.iterdir())):03d}-{cmd}.log"
        errors = log.with_suffix(".err")
        # No signal raises in here, except where `_follow` looks for one: the process must not be lost.
        with (
            log.open("w", encoding="utf-8") as out,
            errors.open("w", encoding="utf-8") as err,
            interrupts.deferred(),
            Servers(self._serve() if cmd in COMMANDS else (), self.env, Path(self.tfdir)) as servers,
        ):
            process = self._start([cmd, *cmd_args], out, err, servers.variables)
            try:
                code = self._follow(process, cmd, log)
            except EmulatorGoneError:  # there is nothing that terraform could finish
                process.kill()
                process.wait()
                raise
            except BaseException:
                _stop(process)
                raise
            finally:
                _end_group(process.pid)
            if code:
                err.write(servers.last_words())
        output = log.read_text(encoding="utf-8", errors="replace")
        error_text = errors.read_text(encoding="utf-8", errors="replace")
        if not error_text:
            errors.unlink()
        if "-json" in cmd_args:
            log.unlink()  # it is data, not a log, and shows sensitive values
        return tftest.TerraformCommandOutput(code, output, error_text), errors

    def planned(self, *flags: str) -> tftest.TerraformPlanOutput:
        """Plan, and return the plan. tftest's own method leaves the plan, with its secrets, in /tmp."""
        with tempfile.TemporaryDirectory(dir=self.logs.parent) as scratch:
            plan = f"{scratch}/plan"
            self.execute_command("plan", "-no-color", "-input=false", f"-out={plan}", *flags)
            shown = self.execute_command("show", "-json", plan)
        return tftest.TerraformPlanOutput(json.loads(shown.out))

    def _start(
        self, arguments: list[str], out: IO[str], err: IO[str], variables: dict[str, str]
    ) -> "subprocess.Popen[bytes]":
        try:
            return children.start(
                [self.binary, *arguments],
                at_our_end=signal.SIGINT,  # it still writes its state
                cwd=self.tfdir,
                env=self.env | variables,
                stdin=subprocess.DEVNULL,
                # Files, not pipes: a full pipe blocks terraform, and a provider that outlives terraform keeps
                # the pipe open.
                stdout=out,
                stderr=err,
                # In a session of its own, terraform gets each Ctrl-C once, from us, and its providers can be
                # ended as one group.
                start_new_session=True,
            )
        except OSError as error:
            raise DeploymentError(f"{self.binary} can't be started: {error}") from error

    def _follow(self, process: "subprocess.Popen[bytes]", cmd: str, log: Path) -> int:
        """Pass on terraform's lines as they come; return its exit code."""
        deadline = clock.monotonic() + self.timeout
        next_check = 0.0
        with log.open(encoding="utf-8", errors="replace") as lines:
            partial = ""
            while True:
                code = process.poll()
                while line := lines.readline():
                    partial += line
                    if partial.endswith("\n"):
                        self.on_line(partial.rstrip("\n"))
                        partial = ""
                if code is not None:
                    return code
                if clock.monotonic() > deadline:
                    raise DeploymentError(
                        f"terraform {cmd} took longer than {self.timeout:g} s and was interrupted: {log}"
                    )
                self._raise_interrupt(_LOOK)
                if clock.monotonic() > next_check:
                    self._check()
                    next_check = clock.monotonic() + _CHECK

    def _raise_interrupt(self, seconds: float) -> None:
        """Wait for so long; raise an interrupt if there is one."""
        if self._interrupted.wait(seconds):
            raise KeyboardInterrupt
        interrupts.check()


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Interrupt terraform and wait until it has written its state; kill it if that takes too long."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    deadline = clock.monotonic() + GRACE
    while process.poll() is None:
        if clock.monotonic() > deadline:
            process.kill()
            process.wait()
            return
        time.sleep(_LOOK)


def _end_group(pid: int) -> None:
    """End the rest of the process group: a provider outlives a terraform that was killed."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
