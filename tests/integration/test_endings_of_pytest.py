"""However pytest ends, the deployment is destroyed, once, by the process that made it.

Each test runs pytest in a project whose deployment is a fake: it writes to a file what is done to it.
"""

import os
import re
import subprocess
import sys

import pytest
from projects import LEAN

CONFTEST = """
import os, signal, time, types
import pytest, pytest_forked
from event_harness.deployments.session import Session
from event_harness.errors import DestroyError
from event_harness.system.deployed_system import DeployedSystem
from event_harness.aws.targets import Target

# pytest-forked 1.7.5 can't send the reports of pytest 9.2 to the parent: they hold an object.
serialize = pytest_forked.serialize_report
pytest_forked.serialize_report = lambda report: {
    name: value for name, value in serialize(report).items() if name != "_id"
} | {"nodeid": report.nodeid}

def note(what):
    with open("log", "a") as file:
        file.write(f"{what} {os.getpid()}\\n")

class FakeDeployment:
    record = types.SimpleNamespace(own_emulator=False)

    def destroy(self):
        note("destroyed")
        if os.path.exists("refuses"):
            raise DestroyError("deployment d1 is not destroyed")

def deployed(self):
    self.deployment = FakeDeployment()
    note("deployed")
    return DeployedSystem("d1", Target.local("http://127.0.0.1:9"), {})

Session._deployed = deployed

def interrupt(number=signal.SIGINT):
    os.kill(os.getpid(), number)
    for _ in range(100):  # the handler runs in between
        time.sleep(0.01)
"""

PASSES = "def test_passes(deployment): pass\n"


def module_with(text):
    """A test module with one test of this text."""
    return (
        f"import os, pytest, signal, sys, time\nfrom conftest import *\ndef test_one(deployment):\n{text}\n"
    )


@pytest.fixture
def ended(tmp_path):
    """Runs pytest to its end. Checks that what it deployed was destroyed by the process that deployed it."""

    def run(tests, *arguments, conftest="", deployed=1):
        (tmp_path / "conftest.py").write_text(CONFTEST + conftest)
        (tmp_path / "test_it.py").write_text(tests)
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        ours = ("EVENT_HARNESS_", "PYTEST_")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
            cwd=tmp_path,
            env={name: text for name, text in os.environ.items() if not name.startswith(ours)} | LEAN,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        log = tmp_path / "log"
        noted = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
        made, ended = ([pid for what, pid in noted if what == name] for name in ("deployed", "destroyed"))
        assert made == ended, done.stdout + done.stderr
        assert len(made) == deployed, done.stdout + done.stderr
        return done

    return run


@pytest.mark.parametrize(
    ("tests", "code"),
    [
        pytest.param(PASSES, 0, id="passes"),
        pytest.param(module_with("    assert False"), 1, id="fails"),
        pytest.param(module_with("    interrupt()"), 2, id="Ctrl-C"),
        pytest.param(module_with("    interrupt(signal.SIGTERM)"), 2, id="SIGTERM"),
        pytest.param(module_with("    interrupt(signal.SIGHUP)"), 2, id="SIGHUP"),
        pytest.param(
            module_with("    os.kill(os.getpid(), 2)\n    time.sleep(0.2)\n    interrupt()"),
            2,
            id="two Ctrl-C at once",
        ),
        pytest.param(
            module_with(
                "    try:\n        interrupt()\n    finally:\n        time.sleep(1.1)\n        interrupt()"
            ),
            2,
            id="two Ctrl-C one after the other",
        ),
        pytest.param(module_with("    pytest.exit('enough', 7)"), 7, id="pytest.exit"),
        pytest.param(module_with("    sys.exit(3)"), 1, id="sys.exit"),
        pytest.param(module_with("    raise GeneratorExit"), 1, id="GeneratorExit"),
    ],
)
@pytest.mark.usefixtures("hang_up_counts")
def test_session_destroys_however_its_test_ends(ended, tests, code):
    assert ended(tests).returncode == code


HOOK = "\ndef pytest_{}:\n    {}\n"


@pytest.mark.parametrize(
    "conftest",
    [
        pytest.param(HOOK.format("sessionfinish()", "1 / 0"), id="sessionfinish"),
        pytest.param(
            "\n@pytest.hookimpl(tryfirst=True)" + HOOK.format("sessionfinish()", "1 / 0"),
            id="first sessionfinish",
        ),
        pytest.param(
            "\n@pytest.hookimpl(wrapper=True, tryfirst=True)"
            + HOOK.format("sessionfinish()", "raise OSError('no')\n    yield"),
            id="wrapper of sessionfinish",
        ),
        pytest.param(HOOK.format("sessionfinish()", "interrupt()"), id="Ctrl-C in sessionfinish"),
        pytest.param(HOOK.format("sessionfinish()", "pytest.exit('enough', 3)"), id="exit in sessionfinish"),
        pytest.param(HOOK.format("unconfigure()", "1 / 0"), id="unconfigure"),
        pytest.param(HOOK.format("runtest_logreport(report)", "1 / 0"), id="INTERNALERROR"),
        pytest.param(HOOK.format("terminal_summary()", "1 / 0"), id="summary"),
        pytest.param(
            HOOK.format("runtest_logreport(report)", "raise SystemExit(3)"), id="SystemExit in a report"
        ),
    ],
)
def test_session_destroys_although_another_hook_fails(ended, conftest):
    assert ended(PASSES, conftest=conftest).returncode != 0


def test_session_destroys_although_no_hook_of_the_end_is_called(ended):
    """A second Ctrl-C may strike anywhere in pytest; then the interpreter's end is the last chance."""
    conftest = HOOK.format(
        "keyboard_interrupt(excinfo)",
        "from _pytest.config import Config\n"
        "    Config._ensure_unconfigure = lambda self: None\n"
        "    import pluggy\n"
        "    def strike(*_, **__): raise KeyboardInterrupt\n"
        "    pluggy.HookCaller.__call__ = strike",
    )
    assert ended(module_with("    interrupt()"), conftest=conftest).returncode != 0


def test_session_destroys_although_the_report_cannot_be_written(ended, tmp_path):
    (tmp_path / "reports").write_text("a file, no directory")
    assert ended(PASSES, "--junitxml=reports/junit.xml").returncode != 0


def test_session_destroys_after_ctrl_c_while_a_teardown_fails(ended):
    conftest = "\n@pytest.fixture\ndef broken():\n    yield\n    interrupt()\n    1 / 0\n"
    tests = "def test_one(deployment, broken): pass\n"
    assert ended(tests, conftest=conftest).returncode == pytest.ExitCode.INTERRUPTED


def test_session_destroys_after_the_first_failure(ended):
    tests = module_with("    assert False") + "def test_two(deployment): pass\n"
    assert "stopping after 1 failures" in ended(tests, "-x").stdout


def test_interrupt_in_collection_deploys_nothing(ended):
    done = ended("raise KeyboardInterrupt\n", deployed=0)
    assert done.returncode == pytest.ExitCode.INTERRUPTED


@pytest.mark.parametrize("arguments", [[], ["-p", "no:terminal"], ["-p", "no:capture"], ["-s"]])
def test_what_cannot_be_destroyed_is_said_once_on_stderr_and_fails_the_session(ended, tmp_path, arguments):
    (tmp_path / "refuses").touch()
    done = ended(PASSES, *arguments)
    assert done.stderr.count("event-harness: deployment d1 is not destroyed\n") == 1
    assert done.returncode == pytest.ExitCode.INTERNAL_ERROR


def test_forked_child_that_returns_from_its_test_destroys_nothing(ended):
    tests = module_with(
        "    child = os.fork()\n"
        "    if child:\n"
        "        assert os.waitpid(child, 0)[1] == 0\n"
        "        assert 'destroyed' not in open('log').read()"
    )
    assert ended(tests).returncode == 0


def test_pytest_forked_that_can_not_send_the_reports_of_this_pytest_is_refused_in_one_line(ended):
    conftest = "pytest_forked.serialize_report = serialize\n"
    done = ended(PASSES, "--forked", conftest=conftest, deployed=0)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    (line,) = (done.stdout + done.stderr).strip().splitlines()
    assert re.match(r"ERROR: pytest-forked [\d.]+ doesn't work with pytest [\d.]+: a child can't send", line)


@pytest.mark.parametrize("arguments", [[], ["-n1"]], ids=["one process", "xdist"])
def test_marker_forked_of_such_a_pytest_forked_fails_its_tests_with_that_line(ended, arguments):
    conftest = "pytest_forked.serialize_report = serialize\n"
    tests = PASSES + "import pytest\n@pytest.mark.forked\ndef test_forked(deployment): pass\n"
    done = ended(tests, *arguments, conftest=conftest)
    assert "1 passed, 1 error" in done.stdout
    assert re.search(
        r"^E? *pytest-forked [\d.]+ doesn't work .* without the marker `forked`, or",
        done.stdout,
        re.MULTILINE,
    )
    assert "Traceback" not in done.stdout


def test_test_with_the_marker_forked_does_not_deploy_and_one_line_says_why(ended):
    done = ended("import pytest\n@pytest.mark.forked\n" + PASSES, deployed=0)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "a forked child can't deploy the system" in done.stdout
    assert "Traceback" not in done.stdout


def test_forked_child_does_not_deploy_and_one_line_says_why(ended):
    done = ended(PASSES * 2, "--forked", deployed=0)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "a forked child can't deploy the system" in done.stdout
    assert "Traceback" not in done.stdout


def test_forked_test_uses_a_deployment_that_is_there_already(ended):
    tests = (
        "import pytest\nfrom conftest import *\n"
        "def test_first(deployment): pass\n"
        "@pytest.mark.forked\ndef test_second(deployment): assert deployment.deployment_id == 'd1'\n"
    )
    assert ended(tests).returncode == 0


def test_forked_children_of_a_worker_share_the_deployment_of_the_controller(ended):
    done = ended(
        PASSES + "def test_too(deployment): assert deployment.deployment_id == 'd1'\n", "--forked", "-n1"
    )
    assert done.returncode == 0
    assert "2 passed" in done.stdout
