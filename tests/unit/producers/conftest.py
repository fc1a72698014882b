"""A service that remembers what it was asked, and producers that send to it."""

import pytest
from components import COMPONENTS
from listener_fakes import Target


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
def make(service):
    def make(producer, component=None, **more):
        target = Target(**{producer.service: service})
        return producer(component or COMPONENTS[producer.type], target, "run", now=lambda: 1234.5, **more)

    return make
