"""The nightly job, as `make nightly` runs it, on an emulator that stands for the account."""

import json
import os
import subprocess

import pytest
from documented import checkout
from projects import TOOLCHAIN

from event_harness.aws.emulator import LocalEmulator
from event_harness.orphans.inventory import inventory

ONE_TEST = "tests/integration/test_text_processor.py::test_text_comes_back_in_upper_case"


@pytest.fixture
def account(tmp_path):
    """The target, with a bucket for states."""
    with LocalEmulator.start(tmp_path / "aws") as aws:
        target = aws.target()
        place = {"LocationConstraint": target.region}
        target.client("s3").create_bucket(Bucket="states", CreateBucketConfiguration=place)
        yield target


@pytest.fixture
def issues(tmp_path):
    """What `gh` was called with, but for the question for issues."""
    gh, called = tmp_path / "gh", tmp_path / "called"
    gh.write_text(f'#!/bin/sh\n[ "$2" = list ] || echo "$*" >> {called}\n')
    gh.chmod(0o755)
    return called


def nightly(account, tmp_path, tests):
    """Run the job with some of its tests; return the process and the job's summary.

    In a clone: the job sweeps the deployments of its project, and other tests have theirs in this one.
    """
    usual = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "EVENT_HARNESS_", "AWS_"))}
    kept = {name: text for name, text in os.environ.items() if name in TOOLCHAIN}
    summary = tmp_path / "summary.md"
    environ = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "EVENT_HARNESS_REMOTE_STATE": "s3://states/nightly",
        "GITHUB_STEP_SUMMARY": str(summary),
        "RUN_URL": "https://example.org/1",
    }
    command = [
        *("make", "nightly", f"TARGET={account.endpoint_url}", f"TESTS={tests}", "READY=", "WORKERS=1"),
        f"REPORTS={tmp_path}/reports",
    ]
    done = subprocess.run(
        command,
        cwd=checkout(tmp_path / "clone"),
        env=usual | kept | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return done, summary.read_text() if summary.exists() else ""


def test_nightly_job_tests_reports_and_leaves_neither_resources_nor_states(account, issues, tmp_path):
    done, summary = nightly(account, tmp_path, ONE_TEST)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert "1 passed" in summary
    report = json.loads((tmp_path / "reports" / "session" / "report.json").read_text())
    assert [event["state"] for event in report["events"]] == ["arrived"]
    assert (tmp_path / "reports" / "session" / "index.html").exists()
    assert [one for one in inventory(account) if "states" not in str(one)] == []
    assert "Contents" not in account.client("s3").list_objects_v2(Bucket="states")
    assert not issues.exists()  # none was open


def test_nightly_job_that_cannot_test_says_so_in_its_summary_and_opens_an_issue(account, issues, tmp_path):
    done, summary = nightly(account, tmp_path, "--no-such-option")
    assert done.returncode != 0
    assert "There is no report" in summary
    assert issues.read_text().startswith("issue create --title The nightly job fails")
