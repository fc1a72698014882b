"""What no check of permissions covers, in words. It imports nothing, since pytest's header shows it."""

NOT_CHECKED = ("KMS keys of roles", "logs and traces", "other accounts", "s3:ListBucket", "rarer services")


def header(iam: str) -> str:
    """The line for pytest's header.

    Args:
        iam: the setting, "on" or "off".
    """
    if iam == "off":
        return "permissions: not checked (iam off)"
    return f"permissions: not checked: {', '.join(NOT_CHECKED)} (docs/permissions.md)"
