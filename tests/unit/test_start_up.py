"""The plugin and the help of the command load none of the heavy libraries."""

import json
import subprocess
import sys

import pytest

HEAVY = {"boto3", "botocore", "filelock", "hcl2", "jmespath", "pygohcl", "rich", "tftest", "ulid"}
SAY_LOADED = """
def write(config):
    import json, pathlib, sys
    name = "worker" if hasattr(config, "workerinput") else "main"
    pathlib.Path(config.rootpath, f"{name}.json").write_text(json.dumps(sorted(sys.modules)))

def pytest_sessionfinish(session):  # xdist may kill a worker after this hook
    write(session.config)

def pytest_unconfigure(config):  # `--help` has no session
    if not hasattr(config, "workerinput"):
        write(config)
"""


@pytest.mark.parametrize("arguments", [[], ["-n1"], ["--help"]])
def test_a_project_that_does_not_use_the_harness_does_not_load_what_the_harness_needs(tmp_path, arguments):
    (tmp_path / "conftest.py").write_text(SAY_LOADED)
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass\n")
    # A base directory of its own: xdist would clean up all that earlier sessions have left in the shared one.
    where = ["--rootdir", tmp_path, "--basetemp", tmp_path / "base"]
    command = [sys.executable, "-m", "pytest", "-q", *where, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    for name in ["main", "worker"] if arguments == ["-n1"] else ["main"]:
        loaded = set(json.loads((tmp_path / f"{name}.json").read_text()))
        assert "event_harness.plugin" in loaded
        assert not HEAVY & loaded


@pytest.mark.parametrize("arguments", [["--help"], ["sweep", "--help"]])
def test_help_of_the_command_loads_none_of_them(arguments):
    script = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(sorted(sys.modules), file=sys.stderr))\n"
        "from event_harness.cli import main\n"
        f"main({arguments!r})\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "usage: event-harness" in done.stdout
    assert "event_harness.cli" in done.stderr
    assert not [name for name in HEAVY if f"'{name}'" in done.stderr]


def test_a_command_ends_without_a_last_search_for_garbage():
    script = (
        "import atexit, gc\n"
        "atexit.register(lambda: print('frozen', gc.get_freeze_count()))\n"
        "from event_harness.cli import main\n"
        "main(['--help'])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert int(done.stdout.rpartition("frozen ")[2]) > 0


def test_the_emulator_starts_without_what_few_systems_need():
    script = "import event_harness.aws.front.__main__, sys; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "'ministack.app'" in done.stdout, done.stderr
    slow = ("boto3", "botocore", "ministack.services.cloudformation", "ministack.services.cognito")
    assert not [name for name in slow if f"'{name}'" in done.stdout]
