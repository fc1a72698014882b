"""A project as a user has it, in a directory of its own, and pytest and event-harness run in it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).parents[2]
LETTERS = Path(__file__).parent / "systems" / "letters"
# In the environment of everything that a project starts.
MARK = "EVENT_HARNESS_TEST_PROJECT"
TOOLCHAIN = ("EVENT_HARNESS_TERRAFORM", "EVENT_HARNESS_PROVIDERS")

ARRIVES = """
def test_letter_arrives(producer, listener):
    assert listener.wait_for(producer.send("hello")).text == "hello"
"""


class Project:
    """The system `letters` with tests.

    Args:
        directory: where to make it.
        tests: the text of its one test module.
        environ: what its processes get beside the usual, of which the settings of the harness are left out,
            and what pytest tells a worker.
    """

    def __init__(self, directory: Path, tests: str = ARRIVES, **environ: str) -> None:
        self.directory = directory
        shutil.copytree(LETTERS, directory)
        main = directory / "main.tf"
        main.write_text(main.read_text().replace("../../../..", f"{REPOSITORY}/"))
        (directory / "test_letters.py").write_text(tests)
        ours = ("EVENT_HARNESS_", "PYTEST_")
        usual = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
        kept = {name: text for name, text in os.environ.items() if name in TOOLCHAIN}
        self.environ = usual | kept | {MARK: str(directory)} | environ

    def start(self, *arguments: str, module: str = "pytest") -> "subprocess.Popen[str]":
        """Start pytest, or the command line of another module, and return the process."""
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=self.directory,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, module: str = "pytest", fails: bool = False) -> str:
        """Run it to its end, which must be as expected, and return what it has printed."""
        with self.start(*arguments, module=module) as process:
            printed, _ = process.communicate(timeout=240)
        assert (process.returncode != 0) == fails, printed
        return printed

    def command(self, *arguments: str, fails: bool = False) -> str:
        """Run `event-harness`."""
        return self.run(*arguments, module="event_harness.cli", fails=fails)

    def left(self) -> list[str]:
        """What is left of its runs: processes, which all name its directory, and files but for logs."""
        found = []
        for process in psutil.process_iter():
            try:
                if any(str(self.directory) in text for text in process.environ().values()):
                    found.append(f"process {process.pid} {process.name()}")
            except psutil.Error:
                continue
        state = self.directory / ".event-harness"
        files = [path.relative_to(state) for path in state.rglob("*")]
        return found + [str(file) for file in files if file.parts[0] not in (".gitignore", "logs")]
