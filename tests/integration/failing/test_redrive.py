"""Replaying failed inputs: `event-harness redrive`, once the cause is fixed."""

import dataclasses
import json

import pytest

from event_harness import cli
from event_harness.results.redrive import redrive


class Said(list):
    def __call__(self, line):
        self.append(line)


@pytest.fixture
def failed(breakable):
    """An input that has failed; the cause is fixed."""
    with breakable.broken(DESTINATION_BUCKET=None):
        sent = breakable.producer.send("try me again")
        breakable.listener.wait_for_failure(sent)
    return sent


def test_command_puts_the_original_event_back_and_its_output_arrives(breakable, failed, tmp_path, capsys):
    described = tmp_path / "resources.json"
    described.write_text(json.dumps(breakable.system.outputs["event_harness"]))
    where = ["--resources", str(described), "--target", breakable.target.endpoint_url]

    assert cli.main(["redrive", "--dry-run", *where]) == 0
    assert "would be replayed: text_processor can't start" in capsys.readouterr().out
    assert breakable.failed() == 1

    assert cli.main(["redrive", *where]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 replayed, 0 not"
    assert breakable.listener.wait_for(failed).text == "TRY ME AGAIN"
    assert breakable.failed() == 0


def test_what_fails_again_is_back_in_the_queue_as_it_was(breakable):
    with breakable.broken():
        sent = breakable.producer.send(b"\xff never text")
        first = breakable.listener.wait_for_failure(sent)
        assert redrive(breakable.system.resources, breakable.target, say=Said()) == 0
        again = breakable.listener.wait_for_failure(sent)
    assert again.message_id != first.message_id
    assert again.event == first.event
    assert breakable.failed() == 1


def test_what_the_listener_could_not_record_is_recorded_once_that_is_fixed(breakable):
    listener = breakable.system.resources.listener
    with breakable.broken(listener.function, RESULTS_TABLE="gone"):
        sent = breakable.producer.send("unrecorded")
        failure = breakable.listener.wait_for_failure(sent)
    assert failure.component == "event_listener"
    said = Said()
    assert (
        redrive(breakable.system.resources, breakable.target, components=["event_listener"], say=said) == 0
    ), said
    assert breakable.listener.wait_for(sent).text == "UNRECORDED"


def test_what_another_function_failed_on_stays_where_it_is(breakable, failed):
    processor = dataclasses.replace(breakable.processor, function="another")
    resources = dataclasses.replace(breakable.system.resources, components=(processor,))
    said = Said()
    assert redrive(resources, breakable.target, say=said) == 1
    assert said[0].endswith(f"{breakable.processor.function} is no component with this failure queue")
    assert breakable.listener.wait_for_failure(failed).event["Records"]
