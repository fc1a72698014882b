"""Both ways of testing, deployed side by side on one local AWS emulator."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from benchmarks.comparison.deployed import ROOT, DeployedByAnother
from benchmarks.comparison.effort import Effort
from benchmarks.comparison.verdicts import Counting, Verdict, counting, verdict
from benchmarks.sample import system as sample_system
from benchmarks.sample.polling import PolledTest
from benchmarks.sample.system import SampleSystem
from event_harness.aws.emulator import LocalEmulator
from event_harness.listening.listener import Listener
from event_harness.producers import S3Producer
from event_harness.producers.inflight import InFlight
from event_harness.system.correlation import new_session_id
from event_harness.system.deployed_system import DeployedSystem


@dataclass(frozen=True)
class Sample:
    """A test with the sample's poll loop."""

    target: Counting
    system: SampleSystem
    limit: float

    def test(self, body: str | bytes, expected: str, key: str | None = None) -> Verdict:
        """Send, check and clean up. The verdict also names an error of the clean-up."""
        test = PolledTest(self.target, self.system, key or f"{uuid.uuid4()}.txt", limit=self.limit)

        def checked() -> None:
            test.send(body)
            test.check(expected)

        said = verdict(self.target, checked)
        try:
            test.tear_down()
        except Exception as error:
            says = f"{said.error or said.says}, then its clean-up fails: {type(error).__name__}"
            return Verdict(says, said.seconds, said.reads, error=said.error or error)
        return Verdict(str(said.error or said.says), said.seconds, said.reads, said.passed, said.error)


@dataclass(frozen=True)
class Ours:
    """A test with event-harness."""

    target: Counting
    system: DeployedSystem
    listener: Listener
    producer: S3Producer

    def test(self, body: str | bytes, expected: str, key: str | None = None) -> Verdict:
        """Send and check, as a project's tests do."""

        def checked() -> None:
            text = self.listener.wait_for(self.producer.send(body, correlation_id=key)).text
            assert text == expected, f"{text[:40]!r} is not {expected[:40]!r}"

        return verdict(self.target, checked)

    def expect_one(self, body: str, settle: float) -> Verdict:
        """Send, and expect exactly one result."""
        return verdict(
            self.target, lambda: self.listener.expect_exactly(self.producer.send(body), 1, settle=settle)
        )


@dataclass(frozen=True)
class Bench:
    """Both systems, deployed on one emulator."""

    url: str
    sample: Sample
    ours: Ours
    deployed: DeployedByAnother
    effort: Effort

    def warm_up(self) -> None:
        """Send one text each way: the first one starts the emulator's workers."""
        self.effort.both(*(partial(way.test, "warm", "WARM") for way in (self.sample, self.ours)))

    def another(self) -> "Bench":
        """The same systems, with a test session of its own, whose reads are counted apart."""
        return replace(
            self,
            sample=replace(self.sample, target=counting(self.url)),
            ours=_ours(self.url, self.ours.system, self.effort),
        )

    @property
    def processors(self) -> dict[str, Path]:
        """The name of each text processor, and the directory of its code."""
        component = self.ours.system.resources.component("text_processor")
        return {
            self.sample.system.processor: sample_system.FUNCTIONS / "text_processor",
            str(component.function): ROOT / "functions" / "text_processor",
        }


def _ours(url: str, system: DeployedSystem, effort: Effort) -> Ours:
    target = counting(url)
    listener = Listener(system.resources, target, new_session_id(), sla=effort.sla, in_flight=InFlight(4))
    return Ours(target, system, listener, S3Producer.on(listener))


@contextmanager
def benches(directory: Path, effort: Effort) -> Iterator[Bench]:
    """Start a local AWS emulator, deploy both systems on it and warm them up; end everything afterwards."""
    with (
        LocalEmulator.start(directory / "aws") as aws,
        DeployedByAnother(aws.endpoint_url, directory / "project") as deployed,
    ):
        theirs = counting(aws.endpoint_url)
        name = f"sample-{uuid.uuid4().hex[:8]}"
        sample = Sample(theirs, sample_system.deploy(theirs, name), effort.limit)
        ours = _ours(aws.endpoint_url, deployed.system(), effort)
        bench = Bench(aws.endpoint_url, sample, ours, deployed, effort)
        bench.warm_up()
        yield bench
