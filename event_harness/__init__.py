"""Test event-driven systems on AWS: an ephemeral deployment, a listener, errors that explain themselves.

What a project uses by name is here; docs/reference.md explains each. A name is imported when it is first
asked for, so that `event-harness --help` doesn't pay for boto3.
"""

from importlib import import_module
from typing import Any

_HOME = {
    "errors": (
        "BodyError",
        "ConfigurationError",
        "CredentialsError",
        "DeploymentError",
        "DestroyError",
        "EmulatorError",
        "EmulatorGoneError",
        "HarnessError",
        "InputFailedError",
        "LatencyError",
        "MachineError",
        "MissingPermissionError",
        "NoTestResourcesError",
        "OrderUnknownError",
        "ProducerError",
        "ResourceMapError",
        "ResultsUnavailableError",
        "SettingError",
        "StateError",
        "SweepError",
        "ToolchainError",
        "UnexpectedResultError",
        "WaitError",
        "WaitTimeoutError",
    ),
    "system.deployed_system": ("DeployedSystem",),
    "deployments.deployment": ("Deployment",),
    "aws.emulator": ("LocalEmulator",),
    "results.failures": ("Failure",),
    "listening.listener": ("Listener",),
    "listening.latencies": ("Latencies",),
    "listening.order_statistics": ("Percentile",),
    "listening.outcomes": ("Collected", "NoResult"),
    "producers": (
        "DynamoDBProducer",
        "EventBridgeProducer",
        "HttpProducer",
        "KinesisProducer",
        "LambdaProducer",
        "Producer",
        "S3Producer",
        "SnsProducer",
        "SqsProducer",
        "StepFunctionsProducer",
    ),
    "system.resources": ("ResourceMap",),
    "results.response": ("Response",),
    "results.result": ("Result",),
    "results.sent": ("Sent",),
    "aws.targets": ("Target",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:
    """Import a public name from the module that it lives in."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    """The public names."""
    return list(__all__)
