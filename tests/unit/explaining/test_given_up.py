"""What the emulator's log tells of events that a function gave up, and that no failure queue keeps."""

import pytest

from event_harness.explaining.given_up import given_up
from event_harness.results.failures import FailureReader
from event_harness.system.known_ids import KnownIds

ID = "s1m8ayz87jefz8/01M8AYZGF6WJ7MGXCTF86MPQ7N"
LINE = "2999-01-01 00:00:00 INFO [event_harness] event given up by app-confirm after 3 attempts"


@pytest.fixture
def log(tmp_path):
    return tmp_path / "emulator.log"


def test_line_becomes_the_failure_of_its_inputs_once(log):
    read = given_up(log, {"app-confirm": "confirm"})
    assert read() == []
    log.write_text(f"{LINE} for {ID} s1m8ayz87jefz8/01M8AYZA7EATGQ4E64ETJ4PVS3\n{LINE} for")
    (failure,) = read()
    assert read() == []
    assert (failure.component, failure.attempts, failure.queue_url) == ("confirm", 3, "")
    assert str(failure) == "confirm failed after 3 attempts: no error given (RetriesExhausted)"
    concerned = (ID, f"{ID}/input.txt", f"{ID}.csv", f"{ID}X", "s1m8ayz87jefz8/01M8AYZA7EATGQ4E64ETJ4PVS3")
    assert [failure.concerns(one) for one in concerned] == [True, True, True, False, True]


def test_event_without_an_id_is_nobodys(log):
    log.write_text(f"{LINE}\n")
    assert given_up(log, {})() == []


def test_without_a_log_nothing_is_told():
    assert given_up(None, {})() == []


def test_reader_tells_it_with_each_look_as_it_tells_a_message_that_stays(log):
    ids = KnownIds()
    ids.note(f"{ID}/input.txt")
    log.write_text(f"{LINE} for {ID}\n")
    reader = FailureReader({}, None, ids=ids, given_up=given_up(log, {}))
    assert [len(reader.look()) for _ in range(2)] == [1, 0]
    assert len(reader.of(f"{ID}/input.txt", after=1)) == 1
    assert set(reader.by_input("s1m8ayz87jefz8", after=1)) == {f"{ID}/input.txt"}
