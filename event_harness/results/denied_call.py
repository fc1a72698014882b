"""Names a call that IAM has denied, from the text of an error: action, resource and role."""

import re

# Written by AWS and by the emulator. Some services leave the resource out.
_DENIED = re.compile(
    r"User: arn:[\w-]+:sts::\d*:assumed-role/(?P<role>[^/\s]+)/\S+ is not authorized to perform: "
    r"(?P<action>[\w-]+:\w+)(?: on resource: \"?(?P<resource>[^\s\"]+)\"?)?"
)


def denied_call(error: str) -> str | None:
    """What an error says that a role may not do; None if it doesn't tell of a denied call."""
    found = _DENIED.search(error)
    if found is None:
        return None
    where = f" on {found['resource']}" if found["resource"] and found["resource"] != "*" else ""
    return f"the role {found['role']} may not {found['action']}{where} (access denied)"
