"""What to do about a failure of terraform that follows from how the harness deploys."""

from event_harness.settings import STATE_DIR
from event_harness.terraform import naming
from event_harness.terraform.recovery import Failure

_ANY_COMMAND = ("init", "plan", "apply")


def of(failure: Failure) -> str:
    """What to add to the message of a command that failed; may be empty."""
    return _left_out(failure) + _missing(failure) + _workspace(failure)


def _missing(failure: Failure) -> str:
    """How to give a variable that has no value; empty if that isn't the failure."""
    if not any(error.headline == "No value for required variable" for error in failure.errors):
        return ""
    return " (give it with --harness-var NAME=VALUE or --harness-var-file FILE)"


def _left_out(failure: Failure) -> str:
    """How to copy what terraform has missed; empty if it names nothing that a copy leaves out."""
    named = naming.left_out_named(failure.error_text) if failure.command in _ANY_COMMAND else []
    names = [name for name in named if name != STATE_DIR]  # the copy itself is there, and terraform names it
    if not names:
        return ""
    return f" ({names[0]} is left out of a deployment's copy: --harness-include={names[0]} copies it)"


def _workspace(failure: Failure) -> str:
    """What a value that depends on the workspace needs; empty if the error doesn't show the workspace."""
    if not any("terraform.workspace" in error.text for error in failure.errors):
        return ""
    return (
        " (the workspace is `default` on target local, unless --harness-workspace names another one, and the "
        "deployment's id elsewhere: look values up with a default, as in "
        "lookup(local.sizes, terraform.workspace, local.sizes.default))"
    )
