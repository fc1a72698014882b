"""Runs terraform or tofu through tftest, without tftest's traps.

tftest builds the command lines and models plans and outputs; this subclass replaces the one method
that starts a process. tftest's own neither ends on a full stderr pipe, nor has a timeout, nor notices
the exit codes 2, 130 and -9. `setup()` is not used at all: it deletes state on exit.
"""

import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

import tftest

from event_harness.errors import DeploymentError
from event_harness.machine import folders, interrupts

# How long an interrupted terraform may take to finish what it has begun and write its state, in seconds.
GRACE = 90.0
_LOOK = 0.05  # seconds between two looks at its output


class Terraform(tftest.TerraformTest):  # type: ignore[misc]  # it comes without types
    """One configuration directory and everything that is needed to run terraform in it.

    Args:
        directory: the root of the configuration; terraform's working directory.
        binary: terraform or tofu.
        environ: the whole environment of the process (nothing is added from os.environ).
        logs: each command's output goes to a file of its own in this directory.
        timeout: seconds until a command is interrupted.
        on_line: called with each line that terraform prints, for progress.
        interrupted: once set, by another thread, a command ends as Ctrl-C would end it.
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
    ) -> None:
        super().__init__(str(directory), binary=str(binary), cache_dir=str(logs))
        self.env = dict(environ)
        self.logs = logs
        self.timeout = timeout
        self.on_line = on_line or (lambda _line: None)
        self._interrupted = interrupted or threading.Event()

    def execute_command(self, cmd: str, *cmd_args: str) -> tftest.TerraformCommandOutput:
        """Run one command to its end and return its exit code, output and error text.

        An interrupt (Ctrl-C, SIGTERM turned into an exception) is passed on to terraform, which then
        finishes the resource at hand and writes its state, before it is raised again here.

        Raises:
            DeploymentError: on any exit code but 0, and but 2 where -detailed-exitcode asks for it.
        """
        folders.make(self.logs, exist_ok=True)
        log = self.logs / f"{len(list(self.logs.iterdir())):03d}-{cmd}.log"
        errors = log.with_suffix(".err")
        process = None
        with log.open("w", encoding="utf-8") as out, errors.open("w", encoding="utf-8") as err:
            try:
                with interrupts.held():
                    process = self._start([cmd, *cmd_args], out, err)
                code = self._follow(process, cmd, log)
            except BaseException:
                if process:
                    _stop(process)
                raise
            finally:
                if process:
                    _end_group(process.pid)
        output = log.read_text(encoding="utf-8", errors="replace")
        error_text = errors.read_text(encoding="utf-8", errors="replace")
        if not error_text:
            errors.unlink()
        if "-json" in cmd_args:
            log.unlink()  # no log but data, in which what is sensitive stands in the clear
        if code == 0 or (code == 2 and "-detailed-exitcode" in cmd_args):
            return tftest.TerraformCommandOutput(code, output, error_text)
        raise DeploymentError(f"terraform {cmd} failed (exit code {code}): {summary(error_text)} [{errors}]")

    def planned(self, *flags: str) -> tftest.TerraformPlanOutput:
        """Plan, and return the plan. tftest's own leaves each plan's file, secrets and all, in /tmp."""
        with tempfile.TemporaryDirectory(dir=self.logs.parent) as scratch:
            plan = f"{scratch}/plan"
            self.execute_command("plan", "-no-color", "-input=false", f"-out={plan}", *flags)
            shown = self.execute_command("show", "-json", plan)
        return tftest.TerraformPlanOutput(json.loads(shown.out))

    def _start(self, arguments: list[str], out: IO[str], err: IO[str]) -> "subprocess.Popen[bytes]":
        try:
            return subprocess.Popen(
                [self.binary, *arguments],
                cwd=self.tfdir,
                env=self.env,
                stdin=subprocess.DEVNULL,
                # Files, not pipes: a full pipe blocks terraform, and a provider that outlives it keeps a pipe
                # open for ever.
                stdout=out,
                stderr=err,
                # A session of its own: Ctrl-C in the terminal must not reach terraform twice, and its
                # provider processes can be ended as one group.
                start_new_session=True,
                preexec_fn=_interrupt_when_parent_dies,
            )
        except OSError as error:
            raise DeploymentError(f"{self.binary} can't be started: {error}") from error

    def _follow(self, process: "subprocess.Popen[bytes]", cmd: str, log: Path) -> int:
        """Pass on terraform's lines as they come, until it ends; returns its exit code."""
        deadline = time.monotonic() + self.timeout
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
                if time.monotonic() > deadline:
                    raise DeploymentError(
                        f"terraform {cmd} took longer than {self.timeout:g} s, was interrupted: {log}"
                    )
                if self._interrupted.wait(_LOOK) or interrupts.pending():
                    raise KeyboardInterrupt


def summary(error_text: str) -> str:
    """What terraform's boxed errors say, each in one line, without frames and repetitions."""
    text = re.sub(r"[│╷╵]", " ", error_text)
    found: list[str] = []
    for block in re.split(r"\n\s*Error: ", "\n" + text)[1:]:
        # The first paragraph is the headline; the one that isn't a source location says more.
        paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", block)]
        where = re.search(r"on (\S+ line \d+)", block)
        said = [p for p in paragraphs if p and not p.startswith(("with ", "on "))]
        line = ": ".join(said[:2]) + (f" ({where.group(1)})" if where else "")
        if line not in found:
            found.append(line)
    return " | ".join(found) or " ".join(error_text.split())[-400:] or "no message"


def _interrupt_when_parent_dies() -> None:
    """Linux: if we are killed, terraform is interrupted; it ends what it has begun and writes its state."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGINT)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _end_group(pid: int) -> None:
    """End what terraform left: a provider outlives a terraform that was killed."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
