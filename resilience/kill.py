"""The kill resilience test: each victim, in each stage, at random moments; afterwards nothing is left."""

import random
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.targets import Target
from event_harness.deployments.deployment import Deployment
from event_harness.deployments.record import DeploymentRecord
from event_harness.listening.listener import Listener
from event_harness.producers import producers_for
from event_harness.producers.inflight import InFlight
from event_harness.system.correlation import new_session_id
from event_harness.terraform import toolchain
from resilience.killing import EMULATOR, EVERYTHING, ROOT, Kill, Project, processes_about, to_json
from resilience.table import Options, Row

GUARANTEE = "listed, swept, nothing left"

_TEST_OF_THE_SAMPLE = """
def test_text_comes_back(producer, listener):
    for n in range(20):
        assert listener.wait_for(producer.send(f"text {n}")).text == f"TEXT {n}"
"""


def run(directory: Path, options: Options) -> Iterator[Row]:
    """Kill sessions whose AWS outlives them, sessions whose AWS is their own, and functions."""
    with LocalEmulator.start(directory / "aws") as aws:
        small = Project(directory / "small", aws.endpoint_url)
        for victim, stages in {
            "pytest": ("init", "apply", "test", "destroy"),
            "terraform": ("init", "apply", "destroy"),
            "provider": ("apply", "destroy"),
        }.items():
            for stage in stages:
                yield from _kills(small, victim, stage, options)
        for stage in ("apply", "destroy"):
            yield from _kills(small, EVERYTHING, stage, options, "a session with all its processes")
        row = Row("kill -9 of a sweep", GUARANTEE)
        yield from _repeat(row, options, small.kill_sweep)
        shared = Project(directory / "shared", aws.endpoint_url, options=("-n", "2"))
        for stage in ("apply", "test"):
            yield from _kills(shared, "worker", stage, options)
        yield from _kills(shared, "pytest", "test", options, "pytest with workers")
        sample = Project(directory / "sample", aws.endpoint_url, root=ROOT, test=_TEST_OF_THE_SAMPLE)
        for stage in ("apply", "test", "destroy"):
            yield from _kills(sample, "pytest", stage, options, "pytest, the sample system")
    local = Project(directory / "local", "local")
    for stage in ("init", "apply", "test", "destroy"):
        yield from _kills(local, "pytest", stage, options, "pytest, target local")
    for stage in ("apply", "test", "destroy"):
        yield from _kills(local, EMULATOR, stage, options, "a process of the local AWS emulator")
    yield from _functions(directory / "functions", options)


def _kills(project: Project, victim: str, stage: str, options: Options, what: str = "") -> Iterator[Row]:
    row = Row(f"kill -9 of {what or victim} during {stage}", GUARANTEE)
    yield from _repeat(row, options, lambda seed: project.kill(victim, stage, seed))


def _repeat(row: Row, options: Options, trial: Callable[[int], Kill]) -> Iterator[Row]:
    if not options.wants(row.what):
        return
    with row.timed():
        # Seeds of its own: with those of another row it would kill at the same fractions of its stage.
        seed = zlib.crc32(f"{options.seed} {row.what}".encode())
        missed = 0
        while row.tried < options.kills and missed < 5 + options.kills:
            kill = trial(seed)
            seed += 1
            if kill.hit or not kill.fine:
                row.add(kill.fine, _note(kill))
            else:
                missed += 1  # the stage was over before that moment: no kill, and nothing left either
    yield row


def _note(kill: Kill) -> str:
    return f"{kill.moment:.1f} s into it" if kill.fine else to_json(kill)


def _functions(directory: Path, options: Options) -> Iterator[Row]:
    """Kill the processes of functions while events are on their way: Lambda tries again, nothing is lost."""
    row = Row("kill -9 of a function at work", "the output arrives all the same")
    if not options.wants(row.what):
        return
    moments = random.Random(options.seed)  # noqa: S311
    with row.timed(), LocalEmulator.start(directory / "aws") as aws:
        target = Target.emulator(aws.endpoint_url)
        run_ = DeploymentRecord.create(
            directory, root=ROOT, target=target.name, endpoint_url=target.endpoint_url
        )
        with Deployment(ROOT, target, toolchain.find(target="local"), run_) as system:
            listener = Listener(system.resources, target, new_session_id(), sla=60, in_flight=InFlight(4))
            producer = producers_for(listener)["source"]
            listener.wait_for(producer.send("warm"))
            for number in range(options.kills):
                sent = producer.send(f"text {number}")
                time.sleep(moments.uniform(0, 0.05))
                workers = [
                    process
                    for process, environ in processes_about(directory / "aws")
                    if "AWS_LAMBDA_FUNCTION_NAME" in environ
                ]
                for process in moments.sample(workers, min(1, len(workers))):
                    try:
                        process.kill()
                    except psutil.NoSuchProcess:
                        continue
                row.add(listener.wait_for(sent, fail_early=False).text == f"TEXT {number}")
    yield row
