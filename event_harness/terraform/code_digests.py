"""Digests of functions' code in a state: whether something else than the functions depends on the code."""

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from event_harness.terraform import state_file

# A text that may hold a digest in hexadecimal or base64; those of an archive's own use don't count.
_TOKEN = re.compile(r"[0-9A-Za-z+/]{22,}={0,2}")
_OF_THE_CODE = ("source_code_hash", "code_sha256", "filename", "s3_key")
OBJECTS = ("aws_s3_object", "aws_s3_bucket_object")
"""Resources that hold code for functions."""
_DIGESTS = ("md5", "sha1", "sha256", "sha512")
_OUTPUTS = [f"output_{kind}" for kind in ("md5", "sha", "sha256", "sha512", "base64sha256", "base64sha512")]


def other_use(address: str, digest: str, files: Iterable[str], resources: Iterable[Mapping[str, Any]]) -> str:
    """What else depends on the content of some code; empty if nothing does.

    If something does, new code of the function is not all that an apply would change.

    Args:
        address: of the `archive_file` that the code is made by, or of its function.
        digest: SHA-256 of the code, in base64.
        files: the files that it is made from.
        resources: those of the state.
    """
    digests = {digest} | {one for file in files for one in _digests(Path(file))}
    for one, instance in state_file.instances(resources, "data", ("archive_file",)):
        if state_file.address(one, instance) == address:
            digests |= {str(instance["attributes"].get(name)) for name in _OUTPUTS}
    for one in resources:
        if one["mode"] != "managed" or one["type"] in OBJECTS:
            continue
        used = _OF_THE_CODE if one["type"] == "aws_lambda_function" else ()
        for instance in one["instances"]:
            others = {name: value for name, value in instance["attributes"].items() if name not in used}
            if any(digests.intersection(_TOKEN.findall(text)) for text in _texts(others)):
                return f"{state_file.address(one, instance)} depends on it, too"
    return ""


def _digests(file: Path) -> Iterator[str]:
    try:
        content = file.read_bytes()
    except OSError:
        return
    for name in _DIGESTS if content else ():  # empty files are anywhere
        digest = hashlib.new(name, content, usedforsecurity=False).digest()
        yield digest.hex()
        yield base64.b64encode(digest).decode()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
