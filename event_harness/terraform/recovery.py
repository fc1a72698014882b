"""Decides whether a terraform command that failed should run again: transient errors go away by themselves.

The idea and several patterns are Terratest's (`DefaultRetryableTerraformErrors`) and Terragrunt's. Terraform
continues from its state, so what it has created before the error isn't created again.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from event_harness.terraform.diagnostics import Diagnostic, errors

# How often a command runs again after transient errors.
AGAIN = 2

# The connection to the service, the registry or a module's source failed.
_CONNECTION = (
    r"connection (was |has been )?(forcibly )?(closed|reset|refused|timed out)",
    r"use of closed network connection",
    r"broken pipe",
    r"(unexpected |: )EOF\b",
    r"i/o timeout",
    r"TLS handshake timeout",
    r"Client\.Timeout",
    r"context deadline exceeded",
    r"transport is closing",
    r"temporary failure in name resolution",
    r"timeout while waiting for plugin to start",
    r"timed out waiting for server handshake",
)
# The service answered that it is too busy, or that an earlier change is still in progress.
_BUSY = (
    r"\bThrottl(ing|ed)",
    r"\bRate exceeded",
    r"\bSlowDown\b",
    r"\bRequestLimitExceeded\b",
    r"\bTooManyRequests",
    r"\bTooManyUpdates\b",
    r"\bProvisionedThroughputExceeded",
    r"\bServiceUnavailable",
    r"\b(429 Too Many Requests|502 Bad Gateway|503 Service Unavailable|504 Gateway Time-?out)",
    r"The requested URL returned error: (429|50[234])",
    r"StatusCode: (429|50[234])\b",
    r"\bOperationAborted\b",
    r"\bConcurrentModification",
)
# MiniStack's words for an API that it doesn't have. It says so as "not found", but will never find it.
_NEVER = (r"\bUnknown API Gateway( v1)? path\b",)
# The service doesn't find yet what was created a moment ago.
_NOT_YET = (
    r"\bNoSuch(Bucket|Entity)\b",
    r"\bResourceNotFound",
    r"\bNotFoundException\b",
    r"\bNonExistentQueue\b",
    r"\bQueueDoesNotExist\b",
    r"cannot be assumed by Lambda",
    r"Root (resource|object) was present, but now absent",
    r"empty result",
    r"couldn't find resource",
)


@dataclass(frozen=True)
class Failure:
    """A terraform command that failed.

    Attributes:
        command: its name: "init", "apply", …
        output: what it printed to stdout.
        error_text: what it printed to stderr.
    """

    command: str
    output: str
    error_text: str

    @property
    def errors(self) -> list[Diagnostic]:
        """Its errors."""
        return errors(self.error_text)

    @property
    def created(self) -> bool:
        """Whether it created something before it failed."""
        return "Creation complete after" in self.output


class Recovery(Protocol):
    """Something that may let a command that failed run again."""

    def __call__(self, failure: Failure, used: int) -> str | None:
        """Prepare the next attempt.

        Args:
            failure: the attempt that failed.
            used: how often this recovery has let the same command run again.

        Returns:
            A line for the user, or None: another attempt wouldn't help.
        """


class Transient:
    """Lets init, plan, apply and destroy run again, at most twice, if all their errors are transient.

    Args:
        patterns: further regular expressions of transient errors, besides the harness's own.
        gone: whether the target is gone for good, so that another attempt would only take time.
    """

    def __init__(self, patterns: Iterable[str] = (), gone: Callable[[], bool] = lambda: False) -> None:
        self._gone = gone
        self._always = _any(_CONNECTION)
        self._service = _any(_BUSY)
        self._not_yet = _any(_NOT_YET)
        self._never = _any(_NEVER)
        self._own = [re.compile(pattern) for pattern in patterns]

    def __call__(self, failure: Failure, used: int) -> str | None:
        """The line for the user if the command should run again; see `Recovery`."""
        found = failure.errors
        if failure.command not in ("init", "plan", "apply", "destroy") or used >= AGAIN or not found:
            return None
        if not all(self._is_transient(failure, error) for error in found):
            return None
        if failure.command != "init" and self._gone():
            return None
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        return (
            f"terraform {failure.command} failed with a transient error and continues "
            f"(attempt {used + 2} of {AGAIN + 1}): {found[0]}{more}"
        )

    def _is_transient(self, failure: Failure, error: Diagnostic) -> bool:
        if self._never.search(error.text):
            return False
        if self._always.search(error.text) or any(one.search(error.text) for one in self._own):
            return True
        if self._service.search(error.text):
            return True
        # A name that the user has misspelt isn't found either. So something must have been created just now.
        return failure.created and not error.data and bool(self._not_yet.search(error.text))


def _any(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)
