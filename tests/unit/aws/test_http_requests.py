"""Requests to published URLs, on an emulator and on an account."""

import re

import pytest
from botocore.awsrequest import AWSResponse
from botocore.credentials import Credentials
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from event_harness.aws.http_requests import Caller, served_at
from event_harness.aws.targets import Target
from event_harness.errors import CredentialsError

EMULATOR = Target.local("http://127.0.0.1:5123")
API = "https://abc12345.execute-api.eu-west-1.amazonaws.com/prod/orders/a%2Fb?x=1"


@pytest.mark.parametrize(
    ("url", "place", "host"),
    [
        (API, "http://127.0.0.1:5123/prod/orders/a%2Fb?x=1", "abc12345.execute-api.localhost:5123"),
        (
            "http://abc12345.execute-api.localhost:4566",
            "http://127.0.0.1:5123/",
            "abc12345.execute-api.localhost:5123",
        ),
        (
            "https://xyz.lambda-url.eu-west-1.on.aws/a",
            "http://127.0.0.1:5123/a",
            "xyz.lambda-url.eu-west-1.on.aws",
        ),
        ("https://api.example.com/v1", "http://127.0.0.1:5123/v1", "api.example.com"),
        ("http://127.0.0.1:9000/x", "http://127.0.0.1:9000/x", None),
        ("http://localhost:9000/x", "http://localhost:9000/x", None),
    ],
)
def test_an_emulator_serves_every_url_that_is_not_on_this_machine(url, place, host):
    assert served_at(EMULATOR, url) == (place, host)


def test_on_an_account_a_url_is_its_own_place():
    assert served_at(Target("aws", "eu-west-1"), API) == (API, None)


class Session:
    def __init__(self, *answers):
        self.answers = list(answers)
        self.sent = []

    def send(self, request):
        self.sent.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        response = AWSResponse(request.url, answer, {"X-Amzn-RequestId": "r"}, None)
        response._content = b"body"
        return response


def calling(monkeypatch, target, *answers):
    session, pauses = Session(*answers), []
    monkeypatch.setattr("event_harness.aws.http_requests.URLLib3Session", lambda **_: session)
    return Caller(target, 30, sleep=pauses.append), session, pauses


def test_headers_of_an_answer_are_in_lower_case(monkeypatch):
    caller, session, _ = calling(monkeypatch, EMULATOR, 200)
    answer = caller.call("POST", API, {"a": "b"}, b"x")
    assert (answer.status, answer.headers, answer.body) == (200, {"x-amzn-requestid": "r"}, b"body")
    assert session.sent[0].headers["Host"] == "abc12345.execute-api.localhost:5123"
    assert "Authorization" not in session.sent[0].headers


def test_what_was_surely_not_taken_is_sent_again(monkeypatch):
    nobody = EndpointConnectionError(endpoint_url=API)
    caller, session, pauses = calling(monkeypatch, EMULATOR, nobody, 429, 200)
    assert caller.call("POST", API, {}, b"").status == 200
    assert (len(session.sent), pauses) == (3, [1.0, 2.0])


def test_what_may_have_been_taken_is_not_sent_again(monkeypatch):
    caller, session, _ = calling(monkeypatch, EMULATOR, ReadTimeoutError(endpoint_url=API))
    with pytest.raises(ReadTimeoutError):
        caller.call("POST", API, {}, b"")
    assert len(session.sent) == 1
    caller, session, _ = calling(monkeypatch, EMULATOR, 503)
    assert caller.call("POST", API, {}, b"").status == 503


def test_a_test_that_awaits_429_gets_it_at_once(monkeypatch):
    caller, _, pauses = calling(monkeypatch, EMULATOR, 429)
    assert caller.call("POST", API, {}, b"", patient=False).status == 429
    assert pauses == []


def test_attempts_end(monkeypatch):
    caller, session, _ = calling(monkeypatch, EMULATOR, *[429] * 6)
    assert caller.call("POST", API, {}, b"").status == 429
    assert len(session.sent) == 6


@pytest.mark.parametrize(
    ("url", "service"),
    [
        (API, "execute-api"),
        ("https://x.lambda-url.eu-west-1.on.aws/", "lambda"),
        ("https://a.test/", "execute-api"),
    ],
)
def test_a_signed_request_names_the_service_that_checks_it(monkeypatch, url, service):
    caller, session, _ = calling(monkeypatch, EMULATOR, 200)
    caller.call("GET", url, {}, b"", sign=True)
    signed = session.sent[0].headers["Authorization"]
    assert re.search(rf"Credential=test/\d+/eu-west-1/{service}/aws4_request, SignedHeaders=host;", signed)


def test_a_request_can_not_be_signed_without_credentials(monkeypatch):
    class Nobody:
        _session = type("", (), {"get_config_variable": lambda *_: None})()

        def get_credentials(self):
            return None

    caller, _, _ = calling(monkeypatch, Target("aws", "eu-west-1", None, Nobody()), 200)
    with pytest.raises(CredentialsError, match="no AWS credentials found to sign the request with"):
        caller.call("GET", API, {}, b"", sign=True)


def test_a_session_token_is_signed_too(monkeypatch):
    caller, session, _ = calling(monkeypatch, EMULATOR, 200)
    monkeypatch.setattr(Target, "signing_credentials", lambda _self: Credentials("key", "secret", "token"))
    caller.call("GET", API, {}, b"", sign=True)
    assert session.sent[0].headers["X-Amz-Security-Token"] == "token"
