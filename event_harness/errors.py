"""Every error that the harness raises, in one tree.

`str(error)` tells a person what is wrong, where, and what to do.
"""

from typing import Protocol


def printable(text: str) -> str:
    """Make a text harmless for a terminal: only line feeds stay of its control characters.

    Keys, log lines and messages may come from anybody. Escape sequences in them could change the terminal.
    """
    return "".join(char if char == "\n" or char.isprintable() else " " for char in text)


def uncut(error: BaseException) -> str:
    """An error's text for a file: without the line breaks that fit it to the terminal."""
    return printable(getattr(error, "uncut", "") or str(error))


class Explanation(Protocol):
    """How far an input got; see `event_harness.explaining.report.Report`."""

    @property
    def cause(self) -> str:
        """The cause if it is known, else how far the input came; one sentence, the component first."""

    def terminal(self) -> str:
        """The explanation, cut to fit a terminal."""

    def full(self) -> str:
        """The whole explanation."""


class HarnessError(Exception):
    """Base of all errors of the harness. Its text holds no control characters."""

    def __str__(self) -> str:
        return printable(super().__str__())


class MachineError(HarnessError):
    """The machine refused something (a full disk, a missing permission), or a value can't be used."""


class SettingError(HarnessError):
    """The value of a setting is not valid; the message says where the value came from."""


class ToolchainError(HarnessError):
    """Terraform or a provider is missing or does not work."""


class EmulatorError(HarnessError):
    """The local AWS emulator did not start, or has ended."""


class EmulatorGoneError(EmulatorError):
    """Nothing listens on the port of a local emulator: the emulator has ended, and its content is gone."""


class CredentialsError(HarnessError):
    """The credentials for the real account are missing, expired, or those of another account."""


class ConfigurationError(HarnessError):
    """The Terraform configuration is not valid or can't be read."""


class DeploymentError(HarnessError):
    """init, plan or apply failed."""


class MissingPermissionError(DeploymentError):
    """The system lacks permissions that AWS would ask for; it was destroyed. One line for each permission."""


class DestroyError(DeploymentError):
    """Destroy failed; the state is kept, and the message says how to finish.

    Attributes:
        reason: only the cause, without the rest of the message.
    """

    reason: str = ""


class StateError(DeploymentError):
    """The Terraform state of a deployment can't be read."""


class SweepError(HarnessError):
    """The harness can't search the target for orphaned resources."""


class ResourceMapError(HarnessError):
    """The resource map (`event_harness`) is missing or is not valid."""


class NoTestResourcesError(ResourceMapError):
    """The system is deployed without its test resources (`deploy_test_resources = false`)."""


class ProducerError(HarnessError):
    """An input could not be sent."""


class WaitError(HarnessError, AssertionError):
    """A wait ended without the expected result. Also an AssertionError: a test that raises it has failed.

    Attributes:
        report: how far the event got, component by component; None if that is not known.
        uncut: the text without the report, for a file: not fitted to the terminal; empty if nothing was cut.
    """

    report: Explanation | None = None
    uncut: str = ""


class WaitTimeoutError(WaitError):
    """The deadline passed before the expected result arrived."""


class InputFailedError(WaitError):
    """The input is in a failure queue, so no result will arrive."""


class UnexpectedResultError(WaitError):
    """A result arrived that must not arrive: a duplicate, or one that a test excludes."""


class LatencyError(WaitError):
    """The latencies of a sample don't keep their limits, or the sample doesn't show that they do."""


class ResultsUnavailableError(HarnessError):
    """The results table can't be read, and waiting does not help: it is gone, or access is denied."""


class OrderUnknownError(HarnessError):
    """Two events were compared whose order isn't known: a source gives whole seconds, or no time at all."""


class BodyError(HarnessError):
    """The body of a result can't be read: not UTF-8, not JSON, gone, or with a wrong checksum."""
