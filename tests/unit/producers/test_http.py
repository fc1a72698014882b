"""Requests to an API or to a function's URL."""

import pytest
from components import COMPONENTS
from listener_fakes import Target

from event_harness.aws.http_requests import Answer
from event_harness.errors import ProducerError, SettingError
from event_harness.producers import HttpProducer
from event_harness.system.resources import Component

BASE = COMPONENTS["http"].identifier


def test_the_id_is_in_a_header_and_the_body_is_json(make, service):
    sent = make(HttpProducer, path="/orders").send({"total": 3})
    asked = service.last
    assert (asked["method"], asked["url"]) == ("POST", f"{BASE}/orders")
    assert asked["headers"] == {"content-type": "application/json", "x-correlation-id": sent.correlation_id}
    assert asked["body"] == b'{"total": 3}'
    assert sent.description == f"POST {BASE}/orders"


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        (
            {"field": "order.id", "header": None},
            lambda id_: ("body", f'{{"order": {{"id": "{id_}"}}}}'.encode()),
        ),
        (
            {"query": "id", "header": None},
            lambda id_: ("url", f"{BASE}?a=1&a=2&id={id_.replace('/', '%2F')}"),
        ),
        (
            {"path": "/orders/*/lines", "header": None},
            lambda id_: ("url", f"{BASE}/orders/{id_.replace('/', '%2F')}/lines"),
        ),
        ({"header": "Trace"}, lambda id_: ("headers", {"Trace": id_, "content-type": "application/json"})),
    ],
)
def test_the_id_is_where_the_settings_say(make, service, settings, place):
    more = {"query": {"a": [1, 2]}} if "query" in settings else {}
    sent = make(HttpProducer, **settings).send({"order": {}}, **more)
    part, value = place(sent.correlation_id)
    if part == "body":
        assert service.last["body"] == value
    else:
        assert service.last[part] == value


def test_one_call_can_have_its_own_method_path_query_and_headers(make, service):
    producer = make(HttpProducer, path="/orders", headers={"Accept": "a", "X-Stage": "test"})
    producer.send("text", method="put", path="/a b/ü", headers={"accept": "b", "Content-Type": "text/csv"})
    asked = service.last
    assert (asked["method"], asked["url"]) == ("PUT", f"{BASE}/a%20b/%C3%BC")
    assert asked["headers"].items() >= {"accept": "b", "X-Stage": "test", "Content-Type": "text/csv"}.items()
    assert {"Accept", "content-type"}.isdisjoint(asked["headers"])


def test_a_request_may_have_no_body(make, service):
    make(HttpProducer, field="id").send(method="GET")
    assert service.last["body"] == b""
    assert "content-type" not in service.last["headers"]


def test_a_raw_body_is_sent_as_it_is(make, service):
    make(HttpProducer, field="id").send(b"{not json", raw=True)
    assert service.last["body"] == b"{not json"


def test_the_answer_is_on_the_input(make, web):
    web.answer = Answer(202, {"apigw-requestid": "r-7"}, b'{"queued": true}')
    sent = make(HttpProducer).send({})
    assert (sent.response.status, sent.response.json()) == (202, {"queued": True})
    assert sent.service_id == "r-7"


def test_a_request_that_nobody_has_signed_is_told_how_to_sign(make, web):
    web.answer = Answer(403, {}, b'{"message": "Missing Authentication Token"}')
    with pytest.raises(
        ProducerError, match=r"Token\"}; if it has the authorization type AWS_IAM, set sign=True; "
    ):
        make(HttpProducer).send({})


def test_an_error_status_is_raised_with_what_the_api_said(make, web):
    web.answer = Answer(400, {}, b'{"message":\n"no lines"}')
    with pytest.raises(
        ProducerError, match=r'POST https://abc.*: answered 400: {"message": "no lines"}; with'
    ):
        make(HttpProducer).send({})


def test_an_error_status_is_on_the_input_if_the_test_asks_for_it(make, web, service):
    web.answer = Answer(422, {}, b"no")
    sent = make(HttpProducer).send({}, check=False)
    assert (sent.response.status, sent.response.text) == (422, "no")
    assert service.last["patient"] is False


def test_a_producer_without_a_place_for_the_id_is_refused():
    with pytest.raises(SettingError, match="give a header, a field, a query parameter or a path"):
        HttpProducer(COMPONENTS["http"], Target(), "run", header=None)


def test_what_is_no_url_is_refused():
    with pytest.raises(ProducerError, match="component 'api': 'abc' isn't an http URL"):
        HttpProducer(Component("api", "http", url="abc"), Target(), "run")


@pytest.mark.parametrize("own", ["ü", "a\r\nb: c"])
def test_an_id_that_no_header_can_carry_is_refused(make, own):
    with pytest.raises(ProducerError, match="a header takes printable ASCII only"):
        make(HttpProducer).send({}, correlation_id=own)
