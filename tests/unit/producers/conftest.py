"""A service that remembers what it was asked, and producers that send to it."""

import pytest
from components import COMPONENTS
from listener_fakes import Target

from event_harness.aws.http_requests import Answer
from event_harness.producers import HttpProducer


class Service:
    """Any service: remembers what it was asked, and answers as told."""

    def __init__(self, **answers):
        self.asked = []
        self.answers = answers
        self.error = None

    def __getattr__(self, name):
        def call(**kwargs):
            if self.error:
                raise self.error
            self.asked.append((name, kwargs))
            return self.answers.get(name, {})

        return call

    @property
    def last(self):
        return self.asked[-1][1]


class Web:
    """Answers requests as told, and remembers them."""

    def __init__(self, service):
        self.service = service
        self.answer = Answer(200, {"x-amzn-requestid": "request-1"}, b"{}")

    def call(self, method, url, headers, body, *, sign, patient):
        if self.service.error:
            raise self.service.error
        asked = {"method": method, "url": url, "headers": headers, "body": body, "sign": sign}
        self.service.asked.append(("request", asked | {"patient": patient}))
        return self.answer


KEY_SCHEMA = {
    "Table": {
        "KeySchema": [
            {"AttributeName": "sort", "KeyType": "RANGE"},
            {"AttributeName": "pk", "KeyType": "HASH"},
        ]
    }
}


@pytest.fixture
def service():
    return Service(describe_table=KEY_SCHEMA)


@pytest.fixture
def web(service):
    return Web(service)


@pytest.fixture
def make(service, web):
    def make(producer, component=None, **more):
        target = Target(**{producer.service or "none": service})
        if producer is HttpProducer:
            more.setdefault("caller", web)
        return producer(component or COMPONENTS[producer.type], target, "run", now=lambda: 1234.5, **more)

    return make
