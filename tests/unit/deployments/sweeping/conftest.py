"""A project with dead deployments, and what a sweep says of them."""

import pytest

from event_harness.deployments.record import DeploymentRecord
from event_harness.machine import processes


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


@pytest.fixture
def dead(state, tmp_path):
    """Makes the record of a deployment whose process has ended."""

    def make(**fields):
        record = DeploymentRecord.create(state, root=tmp_path, target="local")
        record.started -= 1000
        for name, value in fields.items():
            setattr(record, name, value)
        record.save()
        return record

    return make
