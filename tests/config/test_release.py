"""What a release consists of: metadata, changelog, workflow; schedules, and the issue of the nightly job."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

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
    done = subprocess.run([ROOT / ".ci" / "schedule", kind], capture_output=True, text=True, check=True)
    return done.stdout


def nightly():
    text = (ROOT / ".github" / "workflows" / "nightly.yml").read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    return [step["run"] for step in content["jobs"]["aws"]["steps"] if "run" in step], content[True]


def test_schedule_for_cron_does_what_the_nightly_job_does():
    commands, when = nightly()
    (line,) = [line for line in schedule("cron").splitlines() if not line.startswith("#")]
    assert line.startswith(when["schedule"][0]["cron"])
    assert re.findall(r"make \w+ TARGET=aws", line) == [one for one in commands if "TARGET=aws" in one]


def test_schedule_for_gitlab_does_what_the_nightly_job_does():
    commands, when = nightly()
    printed = schedule("gitlab")
    job = yaml.safe_load(printed)["nightly-aws"]
    steps = [*job["before_script"], *job["script"], *job["after_script"]]
    assert [step for step in steps if step.startswith("make")] == commands
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
