"""Nothing here is Terraform's alone: OpenTofu took over what Terraform 1.3, our oldest, has."""

import re

from terraform_files import declarations, of_kind, strings

BLOCKS = {"data", "locals", "module", "output", "provider", "resource", "terraform", "variable"}
SETTINGS = {"required_providers", "required_version"}
# The functions of Terraform 1.3, all of which OpenTofu has; and the words of types.
FUNCTIONS = set(
    re.findall(
        r"\w+",
        """
        abs abspath alltrue anytrue base64decode base64encode base64gzip base64sha256 base64sha512 basename
        bcrypt can ceil chomp chunklist cidrhost cidrnetmask cidrsubnet cidrsubnets coalesce coalescelist
        compact concat contains csvdecode defaults dirname distinct element endswith file filebase64
        filebase64sha256 filebase64sha512 fileexists filemd5 fileset filesha1 filesha256 filesha512 flatten
        floor format formatdate formatlist indent index join jsondecode jsonencode keys length log lookup
        lower matchkeys max md5 merge min nonsensitive one parseint pathexpand pow range regex regexall
        replace reverse rsadecrypt sensitive setintersection setproduct setsubtract setunion sha1 sha256
        sha512 signum slice sort split startswith strrev substr sum templatefile textdecodebase64
        textencodebase64 timeadd timecmp timestamp title tobool tolist tomap tonumber toset tostring
        transpose trim trimprefix trimspace trimsuffix try upper urlencode uuid uuidv5 values yamldecode
        yamlencode zipmap
        any list map object optional set tuple
        """,
    )
)


def test_only_blocks_that_both_know_are_used() -> None:
    bad = [str(one) for one in declarations() if one.kind not in BLOCKS]
    assert not bad, "\n".join(bad)


def test_only_settings_that_both_know_are_used() -> None:
    bad = [
        f"{one}: {setting}"
        for one in of_kind("terraform")
        for setting in one.body
        if not setting.startswith("__") and setting not in SETTINGS
    ]
    assert not bad, "\n".join(bad)


def test_only_functions_that_both_know_are_called() -> None:
    bad = []
    for one in declarations():
        for text in strings(one.body):
            for expression in re.findall(r"\$\{.*\}", text, re.DOTALL):
                bare = re.sub(r'"(?:\\.|[^"\\$])*"', '""', expression)
                bad += [
                    f"{one}: {call}()"
                    for call in re.findall(r"([A-Za-z_:][\w:]*)\(", bare)
                    if call not in FUNCTIONS
                ]
    assert not bad, "\n".join(bad)


def test_no_value_is_ephemeral() -> None:
    bad = [str(one) for kind in ("variable", "output") for one in of_kind(kind) if "ephemeral" in one.body]
    assert not bad, "\n".join(bad)


def test_every_directory_asks_for_the_oldest_version_that_serves() -> None:
    bad = [
        f'{one}: write required_version = ">= 1.3"'
        for one in of_kind("terraform")
        if one.body.get("required_version") != ">= 1.3"
    ]
    assert not bad, "\n".join(bad)
