"""Every error that the harness raises, in one tree.

`str(error)` of each is made for a person: what is wrong, where it came from, what to do.
"""

from typing import Protocol


class Explanation(Protocol):
    """How far an input came; see `event_harness.explaining.report.Report`."""

    @property
    def cause(self) -> str:
        """The likely cause, in one sentence."""

    def terminal(self) -> str:
        """The explanation, cut to fit a terminal."""

    def full(self) -> str:
        """The whole explanation."""


class HarnessError(Exception):
    """Base of all errors of the harness."""


class SettingError(HarnessError):
    """A setting has a value that can't be used; the message says where it came from."""


class ToolchainError(HarnessError):
    """No terraform or provider can be had, or one doesn't work."""


class EmulatorError(HarnessError):
    """The local AWS emulator did not start, or is gone."""


class EmulatorGoneError(EmulatorError):
    """Nobody listens any more where an emulator was on this machine: what was in it is gone, too."""


class CredentialsError(HarnessError):
    """The credentials for the real account are missing, expired, or those of another account."""


class ConfigurationError(HarnessError):
    """The Terraform configuration can't be read or is not valid."""


class DeploymentError(HarnessError):
    """init, plan or apply failed."""


class DestroyError(DeploymentError):
    """Destroy failed; the state is kept and the message says how to finish it.

    Attributes:
        reason: why, without the rest.
    """

    reason: str = ""


class StateError(DeploymentError):
    """The Terraform state of a deployment can't be read: terraform was killed while it wrote it."""


class SweepError(HarnessError):
    """The target can't be searched for what deployments have left."""


class ResourceMapError(HarnessError):
    """The resource map (`event_harness`) is missing, or isn't what the harness can read."""


class GateShutError(ResourceMapError):
    """The system is deployed without its test resources (`deploy_test_resources = false`)."""


class ProducerError(HarnessError):
    """An input could not be sent."""


class WaitError(HarnessError, AssertionError):
    """A wait ended without what was awaited. An AssertionError too: a test that sees it has failed.

    Attributes:
        report: how far the event came, component by component; None where nobody has looked.
    """

    report: Explanation | None = None


class WaitTimeoutError(WaitError):
    """The deadline passed before the awaited result came."""


class InputFailedError(WaitError):
    """The input that is waited for lies in an on-failure queue, so no result will come."""


class UnexpectedResultError(WaitError):
    """A result came that must not come: a duplicate, or one where none was expected."""


class ResultsUnavailableError(HarnessError):
    """The results table can't be read and waiting longer can't heal it (it is gone, or access is denied)."""


class BodyError(HarnessError):
    """A result's body can't be had as asked: not UTF-8, not JSON, gone, or its checksum is wrong."""
