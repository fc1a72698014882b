"""The reference names everything that a project can use."""

import re
from pathlib import Path

import pytest

import event_harness
from event_harness import cli, errors, fixtures
from event_harness.settings import SETTINGS

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
EXPORTED = [
    "BodyError",
    "Collected",
    "ConfigurationError",
    "CredentialsError",
    "DeployedSystem",
    "Deployment",
    "DeploymentError",
    "DestroyError",
    "DynamoDBProducer",
    "EmulatorError",
    "EmulatorGoneError",
    "EventBridgeProducer",
    "Failure",
    "HarnessError",
    "HttpProducer",
    "InputFailedError",
    "KinesisProducer",
    "LambdaProducer",
    "Latencies",
    "LatencyError",
    "Listener",
    "LocalEmulator",
    "MachineError",
    "MissingPermissionError",
    "NoResult",
    "NoTestResourcesError",
    "OrderUnknownError",
    "Percentile",
    "Producer",
    "ProducerError",
    "ResourceMap",
    "ResourceMapError",
    "Response",
    "Result",
    "ResultsUnavailableError",
    "S3Producer",
    "Sent",
    "SettingError",
    "SnsProducer",
    "SqsProducer",
    "StateError",
    "StepFunctionsProducer",
    "SweepError",
    "Target",
    "ToolchainError",
    "UnexpectedResultError",
    "WaitError",
    "WaitTimeoutError",
]
ROWS = {line.split("|")[1].strip(): line for line in REFERENCE.splitlines() if line.startswith("| ")}


def test_package_exports_exactly_these_names():
    assert event_harness.__all__ == dir(event_harness) == EXPORTED


@pytest.mark.parametrize("name", event_harness.__all__)
def test_every_exported_name_can_be_imported_and_is_in_the_reference(name):
    assert getattr(event_harness, name).__name__ == name
    assert f"`{name}`" in REFERENCE


def test_every_error_is_exported_and_in_the_table_of_errors():
    names = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.HarnessError)
    }
    assert names <= set(event_harness.__all__)
    assert {f"`{name}`" for name in names - {"HarnessError"}} <= set(ROWS)


def test_unknown_name_raises_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'Magic'"):
        _ = event_harness.Magic


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_in_the_table_with_its_names_and_meaning(setting):
    row = ROWS[f"`{setting.option}`<br>`{setting.variable}`<br>`{setting.ini}`"]
    assert setting.help in row


def test_every_fixture_is_in_the_table():
    names = {
        name for name, value in vars(fixtures).items() if type(value).__name__ == "FixtureFunctionDefinition"
    }
    assert names
    assert {f"`{name}`" for name in names} <= set(ROWS)


def test_every_command_is_in_the_reference():
    section = REFERENCE[REFERENCE.index("## The command") :]
    commands = next(action.choices for action in cli.build()._actions if action.dest == "command")
    assert {name for name in commands if not re.search(rf"`{name}[` ]", section)} == set()
