"""The case of a test session that is killed: what is left behind, and does anything know of it?"""

import subprocess
import sys
import time

from benchmarks.comparison.bench import Bench
from benchmarks.comparison.deployed import ROOT
from benchmarks.comparison.verdicts import Row, Verdict
from event_harness.orphans.inventory import inventory

WRITTEN_WITHIN = 10.0  # seconds in which the input of a killed test arrives in the table


def dies(bench: Bench) -> Row:
    """Kill both test sessions. The system of event-harness is gone afterwards, so this case comes last."""
    return Row("test session is killed (kill -9)", _sample(bench), ours := _ours(bench), ours.passed)


def _sample(bench: Bench) -> Verdict:
    before = _kept(bench)
    command = [sys.executable, "-m", "benchmarks.sample.polling", bench.url, bench.sample.system.to_json()]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as test:
        assert test.stdout is not None
        test.stdout.readline()
        test.kill()
    deadline = time.monotonic() + WRITTEN_WITHIN
    while (kept := _kept(bench)) - before < 3 and time.monotonic() < deadline:
        time.sleep(0.1)
    resources = len(inventory(bench.sample.target, part=bench.sample.system.name))
    return Verdict(
        f"nothing: {resources} resources, {kept - before} objects and rows stay, and no record of them"
    )


def _kept(bench: Bench) -> int:
    """The number of objects and rows that exist."""
    system, target = bench.sample.system, bench.sample.target
    s3, dynamodb = target.client("s3"), target.client("dynamodb")
    objects = sum(s3.list_objects_v2(Bucket=name)["KeyCount"] for name in (system.source, system.destination))
    return int(objects + dynamodb.scan(TableName=system.table, Select="COUNT")["Count"])


def _ours(bench: Bench) -> Verdict:
    target, deployment_id = bench.ours.target, bench.ours.system.deployment_id
    bench.deployed.kill()
    before = len(inventory(target, part=deployment_id))
    began = time.monotonic()
    command = [sys.executable, "-m", "event_harness.cli", "--project", str(bench.deployed.directory)]
    listed = subprocess.run([*command, "list"], cwd=ROOT, capture_output=True, text=True, check=False)
    swept = subprocess.run([*command, "sweep"], cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
    seconds = time.monotonic() - began
    after = len(inventory(target, part=deployment_id))
    found = deployment_id in listed.stdout
    says = (
        f"{before} resources stay, {'' if found else 'not '}listed by event-harness list;"
        f" after event-harness sweep {after}"
    )
    done = found and swept.returncode == 0 and before > 0 and after == 0
    return Verdict(says, seconds, passed=done)
