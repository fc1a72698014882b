import copy

import pytest
from listener_fakes import MAP, Target

from event_harness.deployments import function_names
from event_harness.deployments.record import DeploymentRecord
from event_harness.errors import EmulatorError
from event_harness.system.deployed_system import DeployedSystem


@pytest.fixture
def record(tmp_path):
    return DeploymentRecord.create(tmp_path / ".event-harness", root=tmp_path, target="local")


@pytest.mark.parametrize(
    ("component", "function", "told"),
    [
        ("confirm", "orders-d1-confirm", "confirm"),
        ("text_processor", "app-d1-text-processor", "text_processor"),
        ("confirm", "orders-d1-accept", "confirm (orders-d1-accept)"),
    ],
)
def test_function_is_told_by_its_component(record, monkeypatch, component, function, told):
    described = copy.deepcopy(MAP)
    described["components"][1] |= {"name": component, "function": function}
    system = DeployedSystem("d1", Target(), {"event_harness": described})
    monkeypatch.setattr(function_names, "published", lambda _directory: system)
    assert function_names.told(record, [function, "unknown"]) == {function: told, "unknown": "unknown"}


def test_function_is_told_by_its_own_name_where_the_system_is_not_known(record, monkeypatch):
    assert function_names.told(record, ["f"]) == {"f": "f"}

    def unreachable(_directory):
        raise EmulatorError("gone")

    monkeypatch.setattr(function_names, "published", unreachable)
    assert function_names.told(record, ["f"]) == {"f": "f"}
