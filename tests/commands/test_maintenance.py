"""`make scan`, `make audit` and `make requirements`, as a person runs them in a fresh clone.

Each installs or asks what is on the Internet. Where that can't be reached, the test is skipped and says so.
"""

import re
import shutil
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request

import pytest
from documented import checkout, in_shell, users_environ

pytestmark = pytest.mark.timeout(3600)

MINUTES = 50 * 60  # seconds for one command, on a slow machine
PINS = ("dev", "terraform", "docs", "scan")
OLD = "# what stood here before\n"
# `make audit` asks for each release that is pinned; this one has been there since 2025.
RELEASE = "https://pypi.org/pypi/pip/25.0/json"


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A clone without the scanners: the first command installs them."""
    pip = [sys.executable, "-m", "pip", "index", "versions", "pip"]
    asked = subprocess.run(pip, capture_output=True, text=True, check=False)
    if asked.returncode:
        pytest.skip(f"PyPI can't be reached: {asked.stderr.strip().splitlines()[-1]}")
    directory = checkout(tmp_path_factory.mktemp("maintenance") / "clone")
    yield directory
    shutil.rmtree(directory / ".venv-scan", ignore_errors=True)  # 500 MB


def test_scan_reads_the_terraform_code_and_the_workflows_and_finds_nothing(clone):
    said = in_shell("make scan", clone, seconds=MINUTES)
    read = re.findall(r"^(\w+) scan results:\s+Passed checks: (\d+), Failed checks: 0,", said, re.MULTILINE)
    passed = {name: int(checks) for name, checks in read}
    assert passed["terraform"] > 200
    assert passed["github_actions"] > 100


def test_scan_fails_where_a_workflow_is_wrong(clone):
    workflow = clone / ".github" / "workflows" / "wrong.yml"
    workflow.write_text(
        "on: push\npermissions: {}\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    step: []\n",
        encoding="utf-8",
    )
    code, said = result_of("make scan", clone)
    workflow.unlink()
    assert code != 0
    assert 'unexpected key "step"' in said


def test_audit_asks_about_each_file_of_pins(clone):
    """Which vulnerabilities are known changes by the day: one that is found ends the command."""
    if (answer := answer_of(RELEASE)) != "200":
        pytest.skip(f"the service that knows vulnerabilities can't be reached: {RELEASE}: {answer}")
    code, said = result_of("make audit", clone)
    answers = re.findall(r"^(No|Found \d+) known vulnerabilit", said, re.MULTILINE)
    assert answers, said
    if code == 0:
        assert answers == ["No"] * len(PINS), said
    else:
        assert answers[-1] != "No", said


def answer_of(url):
    """The status of an answer, or what went wrong."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 (it is the one above)
            return str(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return str(error)
    except OSError as error:
        return str(error)


def result_of(command, directory):
    """The exit code of a command that may fail, and what it prints."""
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=directory,
        env=users_environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=MINUTES,
        check=False,
    )
    return done.returncode, done.stdout


def test_requirements_pins_all_that_is_asked_for_with_hashes(clone):
    for name in PINS:
        with (clone / "requirements" / f"{name}.txt").open("a", encoding="utf-8") as file:
            file.write(OLD)
    in_shell("make requirements", clone, seconds=MINUTES)
    for name in PINS:
        text = (clone / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        assert OLD not in text
        assert "://" not in re.sub(r"#.*", "", text)  # no address of an index
        pins = re.findall(r"^([\w.-]+)==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
        assert pins
        assert len(pins) == len(re.findall(r"^[\w.-]+==", text, re.MULTILINE))
        assert asked_for(clone, name) <= {normal(pin) for pin in pins}


def asked_for(clone, name):
    """The packages that a file of pins must hold."""
    lines = []
    source = clone / "requirements" / f"{name}.in"
    lines += source.read_text(encoding="utf-8").splitlines()
    if name == "dev":
        project = tomllib.loads((clone / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        extras = project["optional-dependencies"]
        lines += [*project["dependencies"], *extras["local"], *extras["debug"], *extras["report"]]
    names = (re.match(r"[\w.-]+", line) for line in lines)
    return {normal(found[0]) for found in names if found}


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()
