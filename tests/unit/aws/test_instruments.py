"""What a session wants to see of the functions, in a file of the emulator's directory."""

import fcntl
import json

import pytest

from event_harness.aws import instruments
from event_harness.aws.front.function_workers import Wishes, in_turn, one_batch_at_a_time
from event_harness.aws.instruments import Debugged, Instruments, Owner
from event_harness.errors import EmulatorError

DEAD = Owner(2**22 + 1, 1.0)


@pytest.fixture
def wishes(tmp_path):
    (tmp_path / "session" / "attached").mkdir(parents=True)
    debug = {"orders-d1": Debugged("orders", 5678, "/code")}
    return Instruments(Owner.this_process(), str(tmp_path / "session"), "/coverage.ini", debug)


def test_wishes_of_a_living_session_are_read(tmp_path, wishes):
    wishes.write(tmp_path)
    assert instruments.read(tmp_path) == wishes


@pytest.mark.parametrize("text", ["", "{", "[]", '{"owner": 1}', '{"owner": {"pid": 1, "started": 2}}'])
def test_file_that_is_damaged_counts_for_nothing(tmp_path, text):
    (tmp_path / instruments.FILE).write_text(text)
    assert instruments.read(tmp_path) is None


def test_wishes_of_a_dead_session_count_for_nothing_and_are_overwritten(tmp_path, wishes):
    Instruments(DEAD, "/gone", "/coverage.ini").write(tmp_path)
    assert instruments.read(tmp_path) is None
    assert Wishes(tmp_path).now() is None
    wishes.write(tmp_path)
    assert instruments.read(tmp_path) == wishes


def test_two_living_sessions_cannot_look_into_one_emulator(tmp_path, wishes, monkeypatch):
    wishes.write(tmp_path)
    with pytest.raises(EmulatorError, match=rf"^process {wishes.owner.pid} debugs or measures .* already"):
        Instruments(DEAD, "/other").write(tmp_path)


def test_session_may_write_its_own_wishes_again(tmp_path, wishes):
    wishes.write(tmp_path)
    changed = Instruments(wishes.owner, wishes.folder)
    changed.write(tmp_path)
    assert instruments.read(tmp_path) == changed


def test_debugged_function_is_not_measured_and_the_others_are(wishes):
    orders, payments = json.loads(wishes.of("orders-d1")), json.loads(wishes.of("payments-d1"))
    assert (orders["debug"]["port"], orders["coverage"]) == (5678, "")
    assert (payments["debug"], payments["coverage"]) == (None, "/coverage.ini")


def test_function_without_a_task_gets_none(wishes):
    assert Instruments(wishes.owner, wishes.folder, "", wishes.debug).of("payments-d1") == ""


def test_deadlines_stand_still_while_a_process_holds_its_lock(wishes):
    (wishes.locks / "5678").touch()
    assert not wishes.suspended()
    with (wishes.locks / "5678").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert wishes.suspended()
    assert not wishes.suspended()


def test_file_is_read_again_after_a_change(tmp_path, wishes):
    seen = Wishes(tmp_path)
    assert seen.now() is None
    wishes.write(tmp_path)
    assert seen.now() == wishes
    (tmp_path / instruments.FILE).unlink()
    assert seen.now() is None


def test_debugged_function_gets_one_batch_at_a_time(tmp_path, wishes):
    limit = one_batch_at_a_time(lambda *_: 5, Wishes(tmp_path))
    mapping = {"FunctionName": "arn:aws:lambda:eu-west-1:0:function:orders-d1"}
    assert limit(mapping) == 5
    wishes.write(tmp_path)
    assert limit(mapping) == 1
    assert limit({"FunctionName": "payments-d1"}) == 5


def test_debugged_function_runs_one_invocation_at_a_time(tmp_path, wishes):
    wishes.write(tmp_path)
    seen = Wishes(tmp_path)
    turn = seen.turn("orders-d1")
    held = in_turn(lambda *_: turn.locked(), seen)
    assert held(None, {"FunctionName": "orders-d1"}, {}) is True
    assert held(None, {"FunctionName": "payments-d1"}, {}) is False
    assert turn.locked() is False
