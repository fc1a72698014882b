"""A terminal in which a test types."""

import os
import pty
import select
import subprocess
import termios
import time


class Terminal:
    """A process in a terminal of its own.

    Args:
        command: The program and its arguments.
        directory: Where it runs.
        environ: Its environment; this process's by default.
    """

    def __init__(self, command, directory, environ=None):
        self.screen = ""
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            command,
            cwd=directory,
            env=environ,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
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
