"""Inputs that a test sends by itself."""

import pytest
from listener_fakes import World, envelope

from event_harness.errors import ResourceMapError, SettingError, WaitTimeoutError


@pytest.fixture
def world():
    return World()


def test_an_input_that_a_test_sends_by_itself_is_awaited_like_any_other(world):
    sent = world.listener.sent("the order form", component="processor")
    assert (sent.session_id, sent.component, sent.size) == ("run", "processor", None)
    assert str(sent) == f"the order form (correlation id {sent.correlation_id})"
    world.arrives(sent, 2)
    assert world.listener.wait_for(sent).text == "HELLO"


def test_the_id_of_the_session_has_two_names(world):
    assert world.listener.run_id == world.listener.session_id == "run"
    assert world.listener.new_id().startswith("run/")


def test_ids_are_fresh(world):
    made = {world.listener.sent("a form").correlation_id for _ in range(10)}
    assert len(made | {world.listener.new_id() for _ in range(10)}) == 20


def test_an_id_can_be_made_before_the_input(world, monkeypatch):
    moments = iter([100.0, 200.0])
    monkeypatch.setattr("event_harness.listening.adopting.timestamp", lambda: next(moments))
    made = world.listener.new_id("order-17")
    assert made == "run/order-17"
    sent = world.listener.sent("a form", correlation_id=made)
    assert (sent.correlation_id, sent.sent_at) == (made, 100.0)


def test_an_id_made_by_one_listener_is_known_to_the_same_listener_with_another_sla(world):
    made = world.listener.with_sla(1).new_id()
    sent = world.listener.sent("a form", correlation_id=made)
    assert sent.sent_at == world.listener.made[made]


def test_it_enters_at_the_first_component_unless_another_is_named(world):
    assert world.listener.sent("a form").component == "source"
    with pytest.raises(ResourceMapError, match="no component 'api'; there are: source, processor"):
        world.listener.sent("a form", component="api")


def test_a_failure_is_found_by_the_id_that_the_service_gave(world):
    sent = world.listener.sent("a message", component="processor", service_id="message-7")
    world.queues.put("queue/processor", envelope({"Records": [{"messageId": "message-7", "body": "{not"}]}))
    assert world.listener.wait_for_failure(sent).error_message == "not UTF-8"


def test_it_takes_no_slot(world):
    world.listener.inflight._limit = 1
    for _ in range(3):
        world.listener.sent("a form")
    assert world.listener.inflight.outstanding == 0


@pytest.mark.parametrize("description", ["", " ", 7, None])
def test_a_description_that_says_nothing_is_refused(world, description):
    with pytest.raises(SettingError, match="must be a text that says what is sent"):
        world.listener.sent(description)


@pytest.mark.parametrize("own", ["", 7])
def test_an_id_that_is_none_is_refused(world, own):
    with pytest.raises(SettingError, match="must be a text with at least one character"):
        world.listener.new_id(own)


def test_its_timeout_is_explained_from_where_it_entered(world):
    sent = world.listener.sent("an upload by hand", component="source")
    with pytest.raises(WaitTimeoutError) as caught:
        world.listener.wait_for(sent, timeout=1)
    assert "no result for an upload by hand within 1 s" in str(caught.value)
    assert f"sent: correlation id {sent.correlation_id}" in str(caught.value)
    assert caught.value.report.findings[0].component == "source"
