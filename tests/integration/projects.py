"""A user's project in a directory of its own; runs pytest and event-harness in it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).parents[2]
SYSTEMS = Path(__file__).parent / "systems"
LETTERS = SYSTEMS / "letters"
# The module of the listener, and what it refers to.
LISTENER = (
    "modules/event_listener",
    "modules/lambda_function",
    "modules/private_bucket",
    "functions/event_listener",
)
# A variable in the environment of every process that a project starts.
MARK = "EVENT_HARNESS_TEST_PROJECT"
# Our tests use these plugins, a user's session doesn't. Without them it starts in two thirds of the time.
LEAN = {
    "PYTEST_ADDOPTS": "-p no:hypothesispytest -p no:html -p no:metadata -p no:unraisableexception "
    "-p ends_at_once",
    "PYTHONPATH": str(Path(__file__).parent / "lean"),
}
# A slow machine needs longer than the default.
PATIENT = {"EVENT_HARNESS_SLA": "120"}
# For sessions of which no test asks how they destroy: terraform and its providers take a second of CPU time.
ENDS_WITH_EMULATOR = {"EVENT_HARNESS_DESTROY": "emulator"}
TOOLCHAIN = ("EVENT_HARNESS_TERRAFORM", "EVENT_HARNESS_PROVIDERS")

ARRIVES = """
def test_letter_arrives(producer, listener):
    assert listener.wait_for(producer.send("hello")).text == "hello"
"""


def vendor(directory: Path) -> None:
    """Copy the listener's module to the folder `harness` of a project, as a user does who keeps it there."""
    for name in LISTENER:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / name, directory / "harness" / name, ignore=ignored)


class Project:
    """A copy of a system of the folder `systems`, with tests.

    It has a copy of the listener's module, too. So all its modules are local, and `terraform init` runs only
    for the first of many projects that are the same.

    Its processes get this process's environment without the variables of the harness and of pytest.

    Args:
        directory: Where to create it.
        tests: The text of its only test module.
        system: The system's name.
        vendored: Whether it has that copy; else it names the module in this repository.
        environ: Further variables for its processes.
    """

    def __init__(
        self,
        directory: Path,
        tests: str = ARRIVES,
        *,
        system: str = "letters",
        vendored: bool = True,
        **environ: str,
    ) -> None:
        self.directory = directory
        shutil.copytree(SYSTEMS / system, directory)
        main = directory / "main.tf"
        place = "./harness" if vendored else f"{REPOSITORY}/"
        main.write_text(main.read_text().replace("../../../..", place))
        if vendored:
            vendor(directory)
        (directory / f"test_{system}.py").write_text(tests)
        ours = ("EVENT_HARNESS_", "PYTEST_", "GITHUB_STEP_SUMMARY")
        usual = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
        kept = {name: text for name, text in os.environ.items() if name in TOOLCHAIN}
        self.environ = usual | kept | LEAN | PATIENT | {MARK: str(directory)} | environ

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
        """Run it to its end, check that it succeeds (or fails), and return its output."""
        with self.start(*arguments, module=module) as process:
            printed, _ = process.communicate(timeout=600)
        assert (process.returncode != 0) == fails, printed
        return printed

    def command(self, *arguments: str, fails: bool = False) -> str:
        """Run `event-harness`."""
        return self.run(*arguments, module="event_harness.cli", fails=fails)

    def left(self) -> list[str]:
        """What its deployments have left: processes (all name its directory) and files other than logs."""
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
