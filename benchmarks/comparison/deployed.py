"""Deploys this repository's system in a process of its own, which a benchmark can kill.

`python -m benchmarks.comparison.deployed URL DIRECTORY` deploys the system and prints it as one line of JSON.
It destroys the system when its standard input ends.
"""

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from event_harness.deployments.session import Session
from event_harness.settings import Settings
from event_harness.system.deployed_system import DeployedSystem

ROOT = Path(__file__).parents[2]


class DeployedByAnother:
    """A system that another process has deployed; a context manager.

    Args:
        url: The emulator's address.
        directory: Where the process keeps its deployment records.
    """

    def __init__(self, url: str, directory: Path) -> None:
        self.directory = directory
        self._killed = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.comparison.deployed", url, directory],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def system(self) -> DeployedSystem:
        """Wait until the system is deployed, and return it.

        Raises:
            RuntimeError: The process could not deploy it.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("event-harness could not deploy its system, see above")
        return DeployedSystem.from_json(line)

    def kill(self) -> None:
        """Kill the process: nothing of its clean-up runs."""
        self._process.kill()
        self._process.wait()
        self._killed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.stdout is not None
        self._process.stdout.close()
        if (code := self._process.wait()) and not self._killed:
            print(f"the process that deployed event-harness's system ended with {code}", file=sys.stderr)


def main(url: str, directory: str) -> None:
    """Deploy, wait, destroy."""
    settings = Settings({"target": url, "root": str(ROOT)}, environ={})
    session = Session(settings, Path(directory), say=lambda line: print(f"  {line}", file=sys.stderr))
    try:
        print(session.system().to_json(), flush=True)
        sys.stdin.read()
    except KeyboardInterrupt:
        print("interrupted: destroying the deployed system", file=sys.stderr)
    finally:
        session.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
