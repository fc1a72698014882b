"""The soak resilience test: many sessions against one local AWS emulator, and many whole cycles."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.targets import Target
from event_harness.deployments.records import recorded
from event_harness.deployments.sweep import sweep
from event_harness.orphans.inventory import inventory
from resilience.killing import ROOT, processes_about
from resilience.table import Options, Row

_SUITE = str(ROOT / "tests" / "integration" / "test_text_processor.py")


@dataclass(frozen=True)
class Size:
    """What there is of what must not grow."""

    processes: int
    folders: int
    open_files: int

    @classmethod
    def of(cls, aws: LocalEmulator, project: Path) -> "Size":
        """Measure a local AWS emulator and a project."""
        return cls(
            processes=len(processes_about(project.parent)),
            folders=sum(path.is_dir() for path in (aws.directory / "tmp").iterdir()) + _folders(project),
            open_files=psutil.Process(aws.pid).num_fds(),
        )


def _folders(directory: Path) -> int:
    """How many there are, at any depth. Links to what lies beside the project aren't followed."""
    return sum(len(names) for _, names, _ in os.walk(directory))


def run(directory: Path, options: Options) -> Iterator[Row]:
    """Sessions that reuse one deployment, then cycles of apply, test and destroy."""
    project = directory / "project"
    project.mkdir(parents=True)
    with LocalEmulator.start(directory / "aws") as aws:
        (project / "pytest.ini").write_text(
            f"[pytest]\nharness_root = {ROOT}\nharness_target = {aws.endpoint_url}\n", encoding="utf-8"
        )
        yield from _sessions(aws, project, options.sessions)
        yield _cycles(aws, project, options.cycles)


def _sessions(aws: LocalEmulator, project: Path, count: int) -> Iterator[Row]:
    row = Row("test session with a reused deployment", "every test passes")
    sizes = []
    with row.timed():
        printed = _pytest(project, "--harness-keep", "-k", "test_text_comes_back")
        if printed:
            raise RuntimeError(f"the deployment to reuse failed: {printed}")
        for _ in range(count):
            printed = _pytest(project, "--harness-reuse=last")
            row.add(not printed, printed)
            sizes.append(Size.of(aws, project))
    yield row
    kept = [record.deployment_id for record in recorded(project / ".event-harness")]
    growth = Row("growth over these sessions", "none after the first quarter")
    early, late = sizes[: max(1, count // 4)], sizes[max(1, count // 4) :] or sizes
    for what in ("processes", "folders", "open_files"):
        most_early, most_late = (max(getattr(size, what) for size in some) for some in (early, late))
        # A worker more or less is how the emulator breathes; what leaks, leaks with each session.
        growth.add(most_late <= most_early + 4, f"{what}: {most_early} early, {most_late} late")
        growth.notes.append(f"{what} {most_early} -> {most_late}")
    growth.notes = list(dict.fromkeys(growth.notes))
    yield growth
    sweep(project / ".event-harness", only=kept, say=lambda _line: None)


def _cycles(aws: LocalEmulator, project: Path, count: int) -> Row:
    row = Row("apply, test, destroy", "every test passes, nothing is left")
    target = Target.emulator(aws.endpoint_url)
    with row.timed():
        for _ in range(count):
            before = inventory(target)
            printed = _pytest(project, "-k", "test_text_comes_back or overflow_bucket")
            left = [str(found) for found in inventory(target) if found not in before]
            left += [str(path) for path in project.glob(".event-harness/*/*")]
            left += [str(process) for process, _ in processes_about(project)]
            row.add(not (printed or left), "; ".join([printed, *left]))
    return row


def _pytest(project: Path, *arguments: str) -> str:
    """Run the sample's suite; returns what pytest printed if it failed."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={project}"]
    done = subprocess.run(
        [*command, "-c", str(project / "pytest.ini"), *arguments, _SUITE],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr
