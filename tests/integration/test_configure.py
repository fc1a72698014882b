"""`event-harness configure` in a terminal: a secret stays secret, and the file is what Terraform expects."""

import os
import pty
import select
import subprocess
import sys
import termios
import time

from event_harness.terraform import toolchain

ROOT = """
variable "password" {
  description = "A secret."
  type        = string
  sensitive   = true
}

variable "text_of_the_owner" {
  description = "Any text."
  type        = string
}

variable "size" {
  description = "A number."
  type        = number
}

output "all" {
  value     = "${var.password}|${var.text_of_the_owner}|${var.size}"
  sensitive = true
}
"""


class Terminal:
    """A process in a terminal of its own."""

    def __init__(self, command, directory):
        self.screen = ""
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            command, cwd=directory, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)

    def answer(self, question, text, *, secret=False):
        """Type a line when a question is shown; a secret only once the echo is off.

        What was typed before that is discarded.
        """
        self._read_until(lambda: question in self.screen)
        if secret:
            self._read_until(lambda: not termios.tcgetattr(self.master)[3] & termios.ECHO)
        os.write(self.master, text.encode() + b"\n")

    def end(self):
        """Wait for the end and return the exit code."""
        self._read_until(lambda: False)
        os.close(self.master)
        return self.process.wait(300)

    def _read_until(self, seen):
        deadline = time.monotonic() + 300
        while not seen() and time.monotonic() < deadline:
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.screen += os.read(self.master, 4096).decode(errors="replace")
                except OSError:  # the other end is closed
                    return
            elif self.process.poll() is not None:
                return
        assert seen() or self.process.poll() is not None, self.screen


def test_secret_is_not_shown_and_terraform_reads_every_answer_as_it_was_typed(tmp_path):
    (tmp_path / "main.tf").write_text(ROOT)
    terminal = Terminal([sys.executable, "-m", "event_harness.cli", "configure"], tmp_path)
    terminal.answer("password [required]", 'hunter2 ${x} %{y} "z"', secret=True)
    terminal.answer("size [required]", "five")
    terminal.answer("answer with digits", "5")
    terminal.answer("text_of_the_owner [required]", "naïve ☕ C:\\new")
    assert terminal.end() == 0, terminal.screen
    assert "hunter2" not in terminal.screen
    saved = tmp_path / "deploy.tfvars"
    assert saved.stat().st_mode & 0o777 == 0o600

    tools = toolchain.find(target="local")
    environ = os.environ | tools.environ()

    def terraform(*arguments):
        command = [tools.binary, *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=True)

    terraform("fmt", "-check", "deploy.tfvars")
    terraform("init", "-input=false")
    terraform("apply", "-auto-approve", "-input=false", "-var-file=deploy.tfvars")
    shown = terraform("output", "-raw", "all").stdout
    assert shown == 'hunter2 ${x} %{y} "z"|naïve ☕ C:\\new|5'
