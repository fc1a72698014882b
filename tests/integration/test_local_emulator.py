"""The local AWS emulator starts on loopback, and nothing of it outlives the process that needs it."""

import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest
from small_functions import SmallFunction

from event_harness.aws import emulator as emulator
from event_harness.aws import supervisor as supervisor
from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.targets import Target
from event_harness.errors import EmulatorError
from event_harness.machine.ports import free_port, holder, is_free

WORKER = "import os\ndef handler(event, context): return os.getpid()\n"
# A function that runs for long and starts a process without an environment.
BUSY = (
    "import pathlib, subprocess, time\n"
    "def handler(event, context):\n"
    "    child = subprocess.Popen(['/bin/sleep', '600'], env={})\n"
    "    pathlib.Path(event['file']).write_text(str(child.pid))\n"
    "    time.sleep(600)\n"
)
# A harness that prints the address of its local AWS emulator and waits to be killed.
HARNESS = (
    "import pathlib, signal, sys, time\n"
    "from event_harness.aws.emulator import LocalEmulator\n"
    "for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP): signal.signal(number, signal.SIG_IGN)\n"
    "aws = LocalEmulator.start(pathlib.Path(sys.argv[1]), lasting=len(sys.argv) > 2)\n"
    "print(aws.endpoint_url, flush=True)\n"
    "if not sys.argv[2:]: time.sleep(600)\n"
)


@pytest.fixture
def directory(tmp_path):
    yield tmp_path / "aws"
    LocalEmulator.end(tmp_path / "aws")


@pytest.fixture
def aws(directory):
    with LocalEmulator.start(directory) as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """An emulator that no test ends."""
    with LocalEmulator.start(tmp_path_factory.mktemp("shared") / "aws") as running:
        yield running


@pytest.fixture
def harness(directory):
    """Another process that has started a local AWS emulator in `directory`; and the target to reach it."""
    process = subprocess.Popen(
        [sys.executable, "-c", HARNESS, directory], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    with process, process.stdout as said:
        yield process, Target.emulator(said.readline().strip())
        process.kill()


def eventually(condition, seconds=120):
    """Wait until a condition holds. Only a failing test waits long."""
    deadline = time.monotonic() + seconds
    while not (held := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return held


def nothing_is_left(directory, port):
    return (
        not supervisor.processes_of(directory)
        and is_free(port)
        and {path.name for path in directory.iterdir()} <= {supervisor.LOG}
    )


def busy_child(function, tmp_path):
    """Start a busy function and return the process that it has started."""
    file = tmp_path / "child"
    function.start(file=str(file))
    return psutil.Process(int(eventually(lambda: file.exists() and file.read_text())))


def is_gone(process):
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_it_listens_on_loopback_and_on_its_port_only(shared):
    SmallFunction(shared.target(), WORKER, name="worker")()
    listening = [
        connection.laddr
        for process in supervisor.processes_of(shared.directory)
        for connection in process.net_connections(kind="inet")
        if connection.status in (psutil.CONN_LISTEN, psutil.CONN_NONE)
    ]
    assert [(address.ip, address.port) for address in listening] == [("127.0.0.1", shared.port)]


def test_it_answers_as_an_account_of_its_own(shared):
    assert shared.target().check().account == "000000000000"
    assert shared.alive()


def test_stop_leaves_no_process_port_or_folder(aws, tmp_path):
    target = aws.target()
    worker = psutil.Process(SmallFunction(target, WORKER)())
    child = busy_child(SmallFunction(target, BUSY, name="busy"), tmp_path)
    assert list((aws.directory / "tmp").iterdir())
    aws.stop()
    assert nothing_is_left(aws.directory, aws.port)
    assert is_gone(worker)
    assert is_gone(child)
    assert not aws.alive()
    aws.stop()


def test_killed_harness_takes_everything_with_it(harness, directory, tmp_path):
    process, target = harness
    child = busy_child(SmallFunction(target, BUSY), tmp_path)
    process.kill()
    port = int(target.endpoint_url.rpartition(":")[2])
    assert eventually(lambda: nothing_is_left(directory, port))
    assert is_gone(child)


def test_harness_that_left_a_fork_behind_still_counts_as_gone(directory):
    """A fork holds the pipe to the supervisor open."""
    script = HARNESS.replace("time.sleep(600)", "os.fork() and os.kill(os.getpid(), 9); time.sleep(600)")
    with subprocess.Popen(
        [sys.executable, "-c", "import os\n" + script, directory],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        port = int(process.stdout.readline().strip().rpartition(":")[2])
        try:
            assert eventually(lambda: nothing_is_left(directory, port))
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def test_harness_and_supervisor_killed_leave_what_end_clears(harness, directory, tmp_path):
    process, target = harness
    child = busy_child(SmallFunction(target, BUSY), tmp_path)
    kept = psutil.Process(process.pid).children()[0]
    process.send_signal(signal.SIGSTOP)
    kept.kill()
    process.kill()
    LocalEmulator.end(directory)
    assert nothing_is_left(directory, int(target.endpoint_url.rpartition(":")[2]))
    assert is_gone(child)


def test_killed_supervisor_ends_the_emulator(aws):
    next(p for p in psutil.Process().children() if supervisor.is_of(p, aws.directory)).kill()
    assert eventually(lambda: is_free(aws.port))
    assert not aws.alive()
    aws.stop()
    assert nothing_is_left(aws.directory, aws.port)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_to_the_terminals_processes_does_not_reach_it(harness, directory, number):
    """`terraform destroy` still needs it after a Ctrl-C."""
    process, target = harness
    os.killpg(process.pid, number)
    assert target.check()
    assert LocalEmulator.find(directory).alive()


def test_taken_port_is_one_clear_line_that_names_the_process(directory):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(EmulatorError) as caught:
            LocalEmulator.start(directory, port=port)
    own = psutil.Process()
    assert str(caught.value).startswith(
        f"port {port} is taken by {own.name()} (process {own.pid}): choose another"
    )
    assert not directory.exists() or not list(directory.iterdir())


def test_port_that_another_process_takes_first_leads_to_another_try(directory, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as other:
        ports = itertools.chain([other.getsockname()[1]], iter(free_port, None))
        monkeypatch.setattr(emulator, "free_port", lambda: next(ports))
        with LocalEmulator.start(directory) as aws:
            assert aws.port != other.getsockname()[1]
            assert aws.alive()


def test_another_emulator_on_the_port_is_not_taken_for_ours(shared, tmp_path, monkeypatch):
    """The other one answers the health check while ours gives up."""
    monkeypatch.setattr(emulator, "free_port", lambda: shared.port)
    with pytest.raises(EmulatorError, match=f"port {shared.port} was just taken by .*process {shared.pid}"):
        LocalEmulator.start(tmp_path / "other")
    assert shared.alive()


def test_two_emulators_at_once_share_nothing(shared, tmp_path):
    with LocalEmulator.start(tmp_path / "other") as other:
        shared.target().client("s3").create_bucket(
            Bucket="mine", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        assert other.target().client("s3").list_buckets()["Buckets"] == []
    assert shared.alive()


def test_directory_holds_one_emulator_at_a_time(shared):
    with pytest.raises(EmulatorError, match=r"a local AWS emulator runs in .* already"):
        LocalEmulator.start(shared.directory)
    assert shared.alive()


@pytest.mark.parametrize("folder", supervisor.FOLDERS)
def test_what_an_emulator_left_that_was_killed_is_gone_before_the_next_one_starts(aws, folder):
    directory = aws.directory
    aws.stop()
    left = directory / folder / "left"
    left.mkdir(parents=True)
    with LocalEmulator.start(directory, wait=False):
        assert not left.exists()


def test_lasting_emulator_outlives_its_starter_and_is_found_and_ended(directory):
    subprocess.run(
        [sys.executable, "-c", HARNESS, directory, "lasting"], check=True, stdout=subprocess.DEVNULL
    )
    found = LocalEmulator.find(directory)
    assert found.alive()
    found.stop()
    assert LocalEmulator.find(directory) is None
    assert nothing_is_left(directory, found.port)


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"GATEWAY_PORT": "99999"}, "MiniStack ended while starting: .*port must be"),
        ({"GATEWAY_PORT": "none"}, "the supervisor of the local AWS emulator did not start: .*'none'"),
    ],
)
def test_emulator_that_fails_to_start_says_why_and_leaves_nothing(directory, environ, message):
    with pytest.raises(EmulatorError, match=message + r".*the whole log: .*emulator\.log"):
        LocalEmulator.start(directory, environ=environ)
    assert nothing_is_left(directory, free_port())


def test_policies_are_enforced_when_asked_for(directory):
    source = (
        "import boto3\n"
        "def handler(event, context):\n"
        "    try: boto3.client('s3').list_buckets(); return 'allowed'\n"
        "    except Exception as error: return str(error)\n"
    )
    with LocalEmulator.start(directory, auth=True) as aws:
        target = aws.target()
        role = target.client("iam").create_role(RoleName="poor", AssumeRolePolicyDocument='{"Statement": []}')
        assert "AccessDenied" in SmallFunction(target, source, role=role["Role"]["Arn"])()


def test_emulator_of_a_deleted_directory_is_found_by_its_processes_and_ended(tmp_path, directory):
    with LocalEmulator.start(directory) as aws:
        shutil.rmtree(directory)
        (found,) = LocalEmulator.find_by_mark(tmp_path)
        assert (found.pid, found.port, found.directory) == (aws.pid, aws.port, aws.directory)
        found.stop()
        assert is_free(aws.port)
        assert not supervisor.processes_of(directory)
        assert LocalEmulator.find_by_mark(tmp_path) == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import nothing_of_that_name\ndef handler(event, context): pass\n", "No module named 'nothing_of"),
        ("def handle(event, context): pass\n", "has no attribute 'handler'"),
    ],
)
def test_log_says_why_a_function_can_not_start(shared, source, said):
    target = shared.target()
    SmallFunction(target, source, name=f"broken-{len(source)}").start()
    assert target.emulator_log == shared.log
    assert eventually(lambda: re.search(f"Worker init failed: .*{said}", shared.log.read_text()))


def test_target_of_a_running_emulator_knows_its_log(shared):
    assert Target.emulator(shared.endpoint_url).emulator_log == shared.log


def test_holder_of_a_free_port_is_not_guessed():
    assert holder(free_port()) == "another process"
