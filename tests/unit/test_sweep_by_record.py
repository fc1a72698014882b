"""Sweeping by record: what is taken, what is left alone, and what remains of it."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from event_harness import keeper, processes, sharing, sweep
from event_harness import session as session_module
from event_harness.cli import main
from event_harness.errors import ToolchainError
from event_harness.runs import PROCESS_MARK, Run
from event_harness.settings import Settings
from event_harness.targets import Identity, Target


class Said(list):
    def __call__(self, line):
        self.append(line)

    def __str__(self):
        return "\n".join(self)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(processes, "_ENDED_WITHIN", 0.3)


@pytest.fixture
def said():
    return Said()


@pytest.fixture
def state(tmp_path):
    return tmp_path / ".event-harness"


HOLDING = '{"resources": [{"mode": "managed", "type": "aws_sqs_queue", "name": "a", "instances": [{}]}]}'
STATE = "config/terraform.tfstate.d/it/terraform.tfstate"


def with_state(run, text):
    (run.directory / STATE).parent.mkdir(parents=True)
    (run.directory / STATE).write_text(text)


def lose_record(run, text):
    record = run.directory / "record.json"
    record.unlink()
    if text is not None:
        record.write_text(text)
    return run


@pytest.fixture
def dead(state, tmp_path):
    """Makes the record of a run whose process has ended."""

    def make(**fields):
        run = Run.create(state, root=tmp_path, target="local")
        run.started -= 1000
        for name, value in fields.items():
            setattr(run, name, value)
        run.save()
        return run

    return make


def test_run_in_progress_is_left_alone(state, tmp_path, said):
    run = Run.create(state, root=tmp_path, target="local")
    assert sweep.sweep(state, say=said) == 0
    assert run.directory.exists()
    assert f"{run.run_id}: in progress" in str(said)


def test_run_in_progress_is_left_alone_even_if_it_is_named(state, tmp_path, said):
    run = Run.create(state, root=tmp_path, target="local")
    sweep.sweep(state, only=[run.run_id], say=said)
    assert run.directory.exists()


def test_run_of_a_dead_process_is_deleted_with_its_logs_and_temporary_files(dead, state, said):
    run = dead()
    run.logs.mkdir(parents=True)
    run.temporary.mkdir()
    assert sweep.sweep(state, say=said) == 0
    assert [path.name for path in state.iterdir()] == [".gitignore"]
    assert not run.temporary.exists()


def test_sweeping_again_finds_nothing_and_is_fine(dead, state, said):
    dead()
    assert [sweep.sweep(state, say=said) for _ in range(2)] == [0, 0]
    assert said[-1] == "nothing to sweep: no dead run is on record"


def test_dry_run_says_what_would_be_done_and_does_nothing(dead, state, said):
    run = dead(stage="applied")
    assert sweep.sweep(state, dry_run=True, say=said) == 0
    assert run.directory.exists()
    assert said == [f"{run.run_id}: would be destroyed (local, stage applied)"]


def test_kept_run_is_left_alone_until_it_is_named(dead, state, said):
    run = dead(kept=True)
    sweep.sweep(state, say=said)
    assert run.directory.exists()
    sweep.sweep(state, only=[run.run_id], say=said)
    assert not run.directory.exists()


def test_unknown_run_is_an_error_that_says_where_to_look(state, said):
    assert sweep.sweep(state, only=["r0"], say=said) == 1
    assert said == ["r0: no such run here; see: event-harness list"]


def test_run_of_another_host_is_left_alone_until_it_expires(dead, state, said):
    soon, past = (datetime.now(UTC) + timedelta(hours=h) for h in (1, -1))
    alive = dead(owner="somebody@elsewhere", expires_at=soon)
    expired = dead(owner="somebody@elsewhere", expires_at=past)
    sweep.sweep(state, say=said)
    assert alive.directory.exists()
    assert not expired.directory.exists()


def test_run_that_tests_reuse_is_left_alone(dead, state, said):
    run = dead(kept=True)
    with run.held(shared=True):
        assert sweep.sweep(state, only=[run.run_id], say=said) == 1
    assert run.directory.exists()
    assert "in use" in str(said)


def test_second_sweep_waits_for_the_first_and_finds_its_work_done(dead, state, said):
    run = dead()
    first = run.held()
    first.__enter__()
    second = threading.Thread(target=sweep.sweep, args=(state,), kwargs={"say": said})
    second.start()
    while not any("another sweep is at it" in line for line in said):
        time.sleep(0.01)
    run.delete()
    first.__exit__(None, None, None)
    second.join(10)
    assert not second.is_alive()
    assert not run.directory.exists()


def test_no_lock_file_is_left(dead, state, said):
    dead(kept=True)
    sweep.sweep(state, say=said)
    sweep.sweep(state, only=["r0"], say=said)
    assert sorted(path.name for path in state.iterdir()) == [".gitignore", "runs"]


def process(run, code, **environ):
    """A process of a run, which has said that it is ready."""
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | environ | {PROCESS_MARK: run.run_id},
        stdout=subprocess.PIPE,
    )
    child.stdout.readline()
    return child


IGNORANT = (
    "import signal, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('ready', flush=True)\n"
    "time.sleep(60)"
)
WRITES_ITS_STATE = (
    "import time, sys\n"
    "print('ready', flush=True)\n"
    "try:\n"
    "    time.sleep(0.5)\n"
    "except KeyboardInterrupt:\n"
    "    sys.exit(7)\n"
)


def test_processes_of_a_dead_run_are_ended_also_those_that_ignore_it(dead, state, said):
    run = dead()
    with process(run, IGNORANT) as child:
        sweep.sweep(state, say=said)
        assert child.wait(5) == -signal.SIGKILL
        child.stdout.close()


def test_terraform_that_writes_its_state_is_waited_for_and_not_interrupted_again(dead, state, said):
    run = dead()
    with process(run, WRITES_ITS_STATE, TF_DATA_DIR="x") as child:
        sweep.sweep(state, say=said)
        assert child.wait(5) == 0
        child.stdout.close()
    assert "waiting" in said[0]


def test_provider_that_outlived_its_terraform_is_not_waited_for(dead, state, said, monkeypatch):
    monkeypatch.setattr(sweep, "GRACE", 0)
    run = dead()
    with process(run, IGNORANT, TF_DATA_DIR="x", TF_PLUGIN_MAGIC_COOKIE="y") as child:
        sweep.sweep(state, say=said)
        assert child.wait(5) == -signal.SIGKILL
        child.stdout.close()
    assert not any("waiting" in line for line in said)


def test_run_that_died_while_it_was_deleted_is_found_and_finished(dead, state, said):
    run = dead(stage="destroyed", target="aws")
    assert sweep.sweep(state, say=said) == 0
    assert not run.directory.exists()


def test_record_is_the_last_thing_that_goes(dead, monkeypatch):
    run = dead(stage="applied")
    (run.directory / "config").mkdir()
    there = []
    monkeypatch.setattr("shutil.rmtree", lambda path, **_: there.append(Run.load(run.directory).stage))
    run.delete()
    assert set(there) == {"destroyed"}


@pytest.mark.parametrize("record", [None, "", "{", '{"run_id": "r0"}'])
@pytest.mark.parametrize(
    "state_text", [pytest.param(HOLDING, id="state"), pytest.param(HOLDING[:40], id="state cut off")]
)
def test_run_whose_record_can_not_be_read_is_told_of_and_kept_with_its_state(
    dead, state, said, record, state_text
):
    run = lose_record(dead(stage="applied"), record)
    with_state(run, state_text)
    os.utime(run.directory, (0, 0))
    for only in ([], [run.run_id]):
        assert sweep.sweep(state, only=only, say=said) == 1
    assert (run.directory / STATE).read_text() == state_text
    assert all(line.startswith(f"{run.run_id}: its record can't be read (") for line in said)
    assert len(said) == 2


@pytest.mark.parametrize("mark", [PROCESS_MARK, keeper.MARK])
def test_living_run_whose_record_is_lost_is_kept(dead, state, said, mark):
    run = lose_record(dead(), None)
    os.utime(run.directory, (0, 0))
    carries = {PROCESS_MARK: run.run_id, keeper.MARK: str(run.directory / "aws")}[mark]
    environ = {name: value for name, value in os.environ.items() if name != PROCESS_MARK} | {mark: carries}
    with subprocess.Popen([sys.executable, "-c", "input()"], env=environ, stdin=subprocess.PIPE) as child:
        assert sweep.sweep(state, say=said) == 1
        assert run.directory.exists()
        assert f"process {child.pid} works on it" in said[0]
        child.communicate(b"\n")


def test_run_without_a_record_that_has_nothing_goes(dead, state, said):
    run = lose_record(dead(), None)
    with_state(run, '{"resources": []}')
    os.utime(run.directory, (0, 0))
    assert sweep.sweep(state, say=said) == 0
    assert not run.directory.exists()


def test_record_that_can_not_be_read_keeps_no_other_run_from_being_swept(dead, state, said):
    broken, other = dead(), dead()
    record = broken.directory / "record.json"
    record.write_text(record.read_text().replace(f'"pid": {broken.pid}', '"pid": "x"'))
    with_state(broken, HOLDING)
    assert sweep.sweep(state, say=said) == 1
    assert not other.directory.exists()


def test_run_whose_record_can_not_be_read_is_listed(dead, state, capsys):
    run = lose_record(dead(), None)
    with_state(run, HOLDING)
    assert main(["--project", str(state.parent), "list"]) == 0
    assert f"{run.run_id}  ?       ?      record can't be read" in capsys.readouterr().out


def test_directory_without_a_record_goes_once_it_is_old(state, said):
    old, new = (state / "runs" / name for name in ("rold", "rnew"))
    for directory in (old, new):
        directory.mkdir(parents=True)
    os.utime(old, (0, 0))
    sweep.sweep(state, say=said)
    assert not old.exists()
    assert new.exists()


def test_what_a_dead_controller_of_xdist_lent_goes_and_what_a_living_one_lends_stays(state, said):
    living, killed = sharing.lending_folder(state), state / "lent" / f"{os.getpid()}-1.5"
    for folder in (living, killed):
        folder.mkdir(parents=True)
    sweep.sweep(state, say=said)
    assert living.exists()
    assert not killed.exists()


def test_emulator_that_is_gone_took_everything_along(dead, state, said, monkeypatch):
    run = dead(stage="applied", endpoint_url="http://127.0.0.1:9")
    gone = sweep.EmulatorGoneError("nobody listens")
    monkeypatch.setattr(Target, "check", lambda self: (_ for _ in ()).throw(gone))
    assert sweep.sweep(state, say=said) == 0
    assert "is gone" in said[0]
    assert not run.directory.exists()


def test_emulator_that_does_not_answer_keeps_record_and_state(dead, state, said, monkeypatch):
    run = dead(stage="applied", endpoint_url="http://127.0.0.1:9")
    hanging = sweep.EmbeddedAwsError("read timed out")
    monkeypatch.setattr(Target, "check", lambda self: (_ for _ in ()).throw(hanging))
    assert sweep.sweep(state, say=said) == 1
    assert Run.load(run.directory).stage == "applied"
    assert said == [
        f"{run.run_id}: its record and state are kept until it can be destroyed: read timed out; "
        f"if that is gone for ever, delete {run.directory}"
    ]


def test_run_is_not_swept_with_the_credentials_of_another_account(dead, state, said, monkeypatch):
    """Its state would be refreshed there, where nothing of it is, and lost."""
    run = dead(stage="applied", target="aws", region="eu-west-1", account="111111111111")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(Target, "check", lambda self: Identity("222222222222", "me"))
    assert sweep.sweep(state, say=said) == 1
    assert run.directory.exists()
    assert said == [
        f"{run.run_id}: it was deployed to the account 111111111111, but these credentials are of"
        " 222222222222: give that account's (AWS_PROFILE)"
    ]


def test_account_that_is_deployed_to_is_on_record(tmp_path, state, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(Target, "check", lambda self: Identity("111111111111", "me"))
    monkeypatch.setattr(session_module.toolchain, "find", lambda *_, **__: None)

    class FakeDeployment:
        def __init__(self, *_, **__):
            pass

        def apply(self):
            (run,) = sweep.runs.recorded(state)
            return run.account

    monkeypatch.setattr(session_module, "Deployment", FakeDeployment)
    settings = Settings({"target": "aws", "region": "eu-west-1"})
    assert session_module.Session(settings, tmp_path).system() == "111111111111"


def test_record_stays_when_the_account_can_not_be_reached(dead, state, said, monkeypatch):
    run = dead(stage="applied", target="aws", region="eu-west-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    expired = sweep.HarnessError("the AWS credentials have expired")
    monkeypatch.setattr(Target, "check", lambda self: (_ for _ in ()).throw(expired))
    assert sweep.sweep(state, say=said) == 1
    assert run.directory.exists()
    assert said == [f"{run.run_id}: the AWS credentials have expired"]


@pytest.mark.parametrize("there", [True, False])
def test_run_is_destroyed_by_what_had_applied_it_if_that_is_still_there(
    dead, state, tmp_path, monkeypatch, there
):
    monkeypatch.delenv("EVENT_HARNESS_TERRAFORM", raising=False)
    binary = tmp_path / "terraform-9"
    if there:
        binary.touch()
    dead(terraform=str(binary), providers="registry")
    asked = []
    monkeypatch.setattr(
        sweep.toolchain, "find", lambda setting, **settings: asked.append((setting, settings["providers"]))
    )
    (recorded,) = sweep.runs.recorded(state)
    sweep._tools(recorded)
    assert asked == [(str(binary) if there else None, "registry")]


def test_terraform_that_the_environment_names_goes_before_the_recorded_one(dead, monkeypatch):
    monkeypatch.setenv("EVENT_HARNESS_TERRAFORM", "/nowhere/tofu")
    with pytest.raises(ToolchainError, match="EVENT_HARNESS_TERRAFORM"):
        sweep._tools(dead(terraform=sys.executable, providers="registry"))
