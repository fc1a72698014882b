"""What a release consists of: metadata, changelog, workflow; schedules, and the issue of the nightly job."""

import json
import os
import re
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
SUPPORT = (ROOT / "docs" / "support.md").read_text(encoding="utf-8")


def test_metadata_says_who_where_and_what():
    assert PROJECT["authors"]
    assert {"Documentation", "Source", "Changelog", "Issues"} <= set(PROJECT["urls"])
    assert {"pytest", "aws", "terraform"} <= set(PROJECT["keywords"])
    assert "Typing :: Typed" in PROJECT["classifiers"]


def test_classifiers_and_support_matrix_name_the_same_pythons():
    named = [text.rpartition(" ")[2] for text in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", text)]
    assert named == ["3.11", "3.12", "3.13", "3.14"]
    assert f"| Python | {named[0]} to {named[-1]} |" in SUPPORT
    assert PROJECT["requires-python"] == f">={named[0]}"


def test_changelog_knows_the_version():
    headings = re.findall(r"^## \[(.*?)\]", CHANGELOG, re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert PROJECT["version"] in headings
    kinds = set(re.findall(r"^### (.*)$", CHANGELOG, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_release_is_built_once_tested_attested_and_published_without_a_token():
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    assert [step.get("run") for step in jobs["build"]["steps"] if "run" in step] == ["make dist"]
    assert any("attest" in step.get("uses", "") for step in jobs["build"]["steps"])
    assert jobs["publish"]["needs"] == "build"
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert not [step for step in jobs["publish"]["steps"] if "run" in step]
    assert "secrets." not in text


def test_ci_tests_what_the_support_matrix_says():
    ci = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    assert ci["jobs"]["gate"]["strategy"]["matrix"]["python"] == ["3.11", "3.14"]
    assert "opentofu" in ci["jobs"]


def schedule(kind):
    done = subprocess.run(
        ["make", "--no-print-directory", "schedule", f"FOR={kind}"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def nightly():
    text = (ROOT / ".github" / "workflows" / "nightly.yml").read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    return [step["run"] for step in content["jobs"]["aws"]["steps"] if "run" in step], content[True]


def variables_of_nightly():
    """What the nightly workflow sets, as GitLab writes it."""
    content = yaml.safe_load((ROOT / ".github" / "workflows" / "nightly.yml").read_text(encoding="utf-8"))
    return {
        name: re.sub(r"\$\{\{ vars\.(\w+) \}\}", r"$\1", text)
        for name, text in content["jobs"]["aws"]["env"].items()
    }


def test_schedule_for_cron_does_what_the_nightly_job_does():
    _, when = nightly()
    *variables, line = [line for line in schedule("cron").splitlines() if not line.startswith("#")]
    assert line.startswith(when["schedule"][0]["cron"])
    assert line.endswith("make nightly TARGET=aws")
    assert {one.partition("=")[0] for one in variables} >= set(variables_of_nightly())


def test_page_about_ci_names_both_schedules():
    page = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
    assert re.findall(r"^make schedule FOR=(\w+)", page, re.MULTILINE) == ["gitlab", "cron"]


def test_schedule_for_gitlab_does_what_the_nightly_job_does():
    commands, when = nightly()
    printed = schedule("gitlab")
    job = yaml.safe_load(printed)["nightly-aws"]
    steps = [*job["before_script"], *job["script"], *job["after_script"]]
    assert [step for step in steps if step.startswith("make")] == commands
    assert steps[-1].endswith(" make issue")
    passed = {name: job["variables"][name] for name in variables_of_nightly()}
    assert passed == variables_of_nightly()
    assert job["resource_group"] == "nightly-aws"
    assert when["schedule"][0]["cron"] in printed
    assert job["artifacts"]["when"] == "always"


def test_schedule_for_another_system_is_refused_in_one_line():
    done = subprocess.run([ROOT / ".ci" / "schedule", "jenkins"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "make schedule FOR=cron or FOR=gitlab\n")


@pytest.mark.parametrize(
    ("outcome", "open_issue", "called"),
    [
        ("success failure", "", "issue create"),
        ("success failure", "7", "issue comment 7"),
        ("success cancelled", "7", "issue comment 7"),
        ("success success", "7", "issue close 7"),
        ("success success", "", None),
    ],
)
def test_issue_of_the_nightly_job_is_opened_updated_and_closed(tmp_path, outcome, open_issue, called):
    gh = tmp_path / "gh"
    gh.write_text(
        f"#!{sys.executable}\n"
        "import os, sys\n"
        "if sys.argv[1:3] == ['issue', 'list']:\n"
        "    print(os.environ['OPEN'])\n"
        "else:\n"
        "    open(os.environ['CALLED'], 'a').write(' '.join(sys.argv[1:]) + '\\n')\n"
    )
    gh.chmod(0o755)
    done = tmp_path / "called"
    environ = os.environ | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}", "OUTCOME": outcome, "OPEN": open_issue,
        "RUN_URL": "https://example.org/1", "CALLED": str(done),
    }  # fmt: skip
    subprocess.run([ROOT / ".ci" / "issue"], env=environ, check=True)
    said = done.read_text() if done.exists() else ""
    if called is None:
        assert said == ""
    else:
        assert said.startswith(called)
        assert "https://example.org/1" in said


class GitLab(BaseHTTPRequestHandler):
    """The part of GitLab's API that the script calls."""

    issues, calls = (), ()

    def do_GET(self):
        self._answer(json.dumps([{"iid": iid, "title": title} for iid, title in self.issues]))

    def do_POST(self):
        self._answer("{}")

    def do_PUT(self):
        self._answer("{}")

    def _answer(self, text):
        size = int(self.headers.get("Content-Length") or 0)
        body = dict(parse_qsl(self.rfile.read(size).decode()))
        path = self.path.partition("?")[0]
        type(self).calls += ((self.command, path, self.headers["PRIVATE-TOKEN"], body),)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_arguments):
        pass


@pytest.mark.parametrize(
    ("outcome", "issues", "called"),
    [
        ("failed", [], ["POST /issues"]),
        (
            "failed",
            [(3, "The nightly job fails sometimes"), (7, "The nightly job fails")],
            ["POST /issues/7/notes"],
        ),
        ("canceled", [(7, "The nightly job fails")], ["POST /issues/7/notes"]),
        ("success", [(7, "The nightly job fails")], ["POST /issues/7/notes", "PUT /issues/7"]),
        ("success", [(3, "The nightly job fails sometimes")], []),
    ],
)
def test_issue_at_gitlab_is_opened_updated_and_closed(outcome, issues, called):
    server = type("Server", (GitLab,), {"issues": issues, "calls": ()})
    with ThreadingHTTPServer(("127.0.0.1", 0), server) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        environ = os.environ | {
            "GITLAB_CI": "true", "GITLAB_TOKEN": "secret", "CI_PROJECT_ID": "1", "OUTCOME": outcome,
            "CI_API_V4_URL": f"http://127.0.0.1:{http.server_port}", "RUN_URL": "https://example.org/1",
        }  # fmt: skip
        subprocess.run([ROOT / ".ci" / "issue"], env=environ, check=True)
        http.shutdown()
    asked, *changes = server.calls
    assert asked[:3] == ("GET", "/projects/1/issues", "secret")
    assert [f"{method} {path.removeprefix('/projects/1')}" for method, path, _, _ in changes] == called
    assert {call[2] for call in changes} <= {"secret"}
    if changes:
        assert "https://example.org/1" in " ".join(changes[0][3].values())


@pytest.mark.parametrize(
    ("fails", "expected", "code"),
    [
        ("nothing", ["sweep", "test", "sweep", "summary", "issue success"], 0),
        ("test", ["sweep", "test", "sweep", "summary", "issue failure"], 2),
        ("sweep", ["sweep", "sweep", "summary", "issue failure"], 2),
    ],
)
def test_nightly_for_cron_runs_the_steps_of_the_workflow_and_sweeps_whatever_happens(
    tmp_path, fails, expected, code
):
    make, called = tmp_path / "make", tmp_path / "called"
    make.write_text(
        f'#!/bin/sh\necho "$*" "$OUTCOME" >> {called}\n[ "$1" != {fails} ] || exit 2\n', encoding="utf-8"
    )
    make.chmod(0o755)
    environ = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "TARGET": "aws",
        "RUN_URL": "https://example.org/1",
    }
    done = subprocess.run([ROOT / ".ci" / "nightly"], env=environ, check=False)
    steps = [" ".join(line.split()) for line in called.read_text().splitlines()]
    assert [step.removesuffix(" TARGET=aws") for step in steps] == expected
    assert done.returncode == code
    commands, _ = nightly()
    if fails == "nothing":
        assert [f"make {step}" for step in steps[:-1]] == commands[1:]


@pytest.mark.parametrize("there", [True, False])
def test_summary_says_if_there_is_no_report(tmp_path, there):
    if there:
        (tmp_path / "session").mkdir()
        (tmp_path / "session" / "report.json").write_text("{}")
    summary = tmp_path / "summary.md"
    environ = os.environ | {"REPORTS": str(tmp_path), "GITHUB_STEP_SUMMARY": str(summary)}
    subprocess.run([ROOT / ".ci" / "summary"], env=environ, check=True)
    assert summary.exists() is not there
    assert there or "There is no report" in summary.read_text()
