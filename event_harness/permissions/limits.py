"""What no check of permissions covers, in words. It imports nothing, since pytest's header shows it."""

NOT_CHECKED = (
    "keys of KMS that roles use",
    "logs and traces",
    "other accounts",
    "s3:ListBucket for a missing object",
    "services that docs/permissions.md doesn't name",
)


def header(iam: str) -> str:
    """The line for pytest's header.

    Args:
        iam: the setting, "on" or "off".
    """
    if iam == "off":
        return "permissions: not checked (iam off)"
    return (
        "permissions: functions may do what their roles allow, connections are checked after apply; "
        f"not checked: {', '.join(NOT_CHECKED)}"
    )
