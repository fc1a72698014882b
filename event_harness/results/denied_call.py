"""Names a call that IAM has denied, from the text of an error: action, resource and role."""

import re

# Written by AWS and by the emulator. Some services leave the resource out.
_DENIED = re.compile(
    r"User: arn:[\w-]+:sts::\d*:assumed-role/(?P<role>[^/\s]+)/\S+ is not authorized to perform: "
    r"(?P<action>[\w-]+:\w+)"
    r"(?: on resource: (?:\"(?P<quoted>[^\"]+)\"|(?P<bare>.+?)(?= because\b| with an explicit deny|$|\n)))?"
)


def denied_call(error: str) -> str | None:
    """What an error says that a role may not do; None if it doesn't tell of a denied call."""
    found = _DENIED.search(error)
    if found is None:
        return None
    resource = found["quoted"] or found["bare"]
    where = f" on {resource}" if resource and resource != "*" else ""
    return f"the role {found['role']} may not {found['action']}{where} (access denied)"
