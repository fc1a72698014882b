"""Turns the text of a setting into its value; the ValueError of each says in a few words what is valid."""

import re

SHORTCUTS = ("code", "commands", "init", "refresh", "providers", "parallelism", "memory")
"""What makes a deployment on an emulator of our own quicker; see `deployments.shortcuts`."""

_A_DAY, _A_YEAR = 24 * 60 * 60, 365 * 24  # in seconds, in hours
_MOST_INPUTS = 1000
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def target(text: str) -> str:
    """Where to deploy."""
    if text in ("local", "aws") or re.fullmatch(r"https?://[^\s/]+/?", text):
        return text.rstrip("/")
    raise ValueError("local, aws, or the URL of a running AWS emulator (http://127.0.0.1:4566)")


def seconds(text: str) -> float:
    """A number of seconds, a day at most."""
    return _positive(text, _A_DAY, "seconds")


def hours(text: str) -> float:
    """A number of hours, a year at most."""
    return _positive(text, _A_YEAR, "hours")


def _positive(text: str, most: int, unit: str) -> float:
    value = _number(text, float)
    if not 0 < value <= most:  # not a number compares as false
        raise ValueError(f"a number of {unit} above 0, at most {most}")
    return float(value)


def seconds_or_off(text: str) -> float:
    """A number of seconds; 0 for `off`."""
    return 0.0 if text in ("0", "off") else seconds(text)


def count(text: str) -> int:
    """How many inputs."""
    value = _number(text, int)
    if not 1 <= value <= _MOST_INPUTS:
        raise ValueError(f"a whole number from 1 to {_MOST_INPUTS}")
    return int(value)


def _number(text: str, kind: type[int] | type[float]) -> float:
    try:
        return kind(text)
    except ValueError:
        return float("nan") if kind is float else 0


def truth(text: str) -> bool:
    """A switch, as in an ini file."""
    lower = text.lower()
    if lower not in _TRUE + _FALSE:
        raise ValueError("true or false")
    return lower in _TRUE


def assignment(text: str) -> tuple[str, str]:
    """The name and the value of a variable of Terraform."""
    name, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name.strip()):
        raise ValueError("NAME=VALUE, the name of an input variable of the Terraform root")
    return name.strip(), value


def providers(text: str) -> str:
    """Where providers come from."""
    if text not in ("registry", "mirror"):
        raise ValueError("registry, or mirror (an old release from PyPI, for the local target)")
    return text


def workspace(text: str) -> str:
    """The name of a workspace of Terraform."""
    if not re.fullmatch(r"[\w.~-]{1,90}", text, re.ASCII):
        raise ValueError("the name of a Terraform workspace: letters, digits, and -_.~")
    return text


def pattern(text: str) -> str:
    """A regular expression."""
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"a regular expression ({error})") from None
    return plain(text)


def plain(text: str) -> str:
    """Any text that can be printed."""
    if not text.strip() or not text.isprintable():
        raise ValueError("a text that isn't empty and has no control characters")
    return text


def bucket_url(text: str) -> str | None:
    """A place in a bucket. A workflow passes a variable that isn't set as an empty text."""
    if text and not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]+[a-z0-9]/[\w./=-]*[\w.=-]/?", text):
        raise ValueError("s3://BUCKET/PREFIX")
    return text.rstrip("/") or None


def on_or_off(text: str) -> str:
    """`on` or `off`, from any word for a switch."""
    try:
        return "on" if truth(text) else "off"
    except ValueError:
        raise ValueError("on or off") from None


def destroyer(text: str) -> str:
    """What destroys a deployment."""
    if text not in ("terraform", "emulator"):
        raise ValueError("terraform, or emulator (which ends with all that was deployed to it)")
    return text


def shortcuts(text: str) -> str:
    """The names of short cuts, as one text."""
    wanted = [name.strip() for name in text.split(",")]
    if text in ("on", "off") or set(wanted) <= set(SHORTCUTS):
        return text
    raise ValueError(f"on, off, or some of: {', '.join(SHORTCUTS)}")


def region(text: str) -> str:
    """The name of a region of AWS."""
    if not re.fullmatch(r"[a-z]{2,}(-[a-z0-9]+){1,4}", text):
        raise ValueError("the name of an AWS region, such as eu-west-1")
    return text


def deployment_id(text: str) -> str:
    """The id of a deployment."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text):
        raise ValueError(
            "the id of a kept deployment, as `event-harness list` shows it; pytest reads the word after"
            " --harness-reuse as the id, unless it is a path with a slash or a dot in it"
        )
    return text
