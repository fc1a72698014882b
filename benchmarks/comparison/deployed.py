"""The process that deploys event-harness's side, so that it can be killed.

`python -m benchmarks.comparison.deployed URL DIRECTORY` deploys this repository's system, prints it as one
line of JSON and destroys it once its input ends.
"""

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from event_harness.deployments.session import Session, from_json, to_json
from event_harness.settings import Settings
from event_harness.system.deployed_system import DeployedSystem

ROOT = Path(__file__).parents[2]


class DeployedByAnother:
    """A system that a process of its own has deployed; a context manager.

    Args:
        url: the emulator.
        directory: where that process keeps its records.
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
        """Wait until it is deployed.

        Raises:
            RuntimeError: it could not be.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("event-harness could not deploy its side, see above")
        return from_json(line)

    def kill(self) -> None:
        """End the process as it is never expected."""
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
            print(f"the process that deployed event-harness's side ended with {code}", file=sys.stderr)


def main(url: str, directory: str) -> None:
    """Deploy, wait, destroy."""
    settings = Settings({"target": url, "root": str(ROOT)}, environ={})
    session = Session(settings, Path(directory), say=lambda line: print(f"  {line}", file=sys.stderr))
    try:
        print(to_json(session.system()), flush=True)
        sys.stdin.read()
    except KeyboardInterrupt:
        print("interrupted: what was deployed is destroyed", file=sys.stderr)
    finally:
        session.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
