"""The override files of a deployment: what it changes of a configuration without touching it.

Terraform merges files named `*_override.tf.json` over the others. They give each `provider "aws"` the
deployment's default tags and the settings that an emulator needs. They keep the state beside the
configuration, whatever backend it names. They give functions a Lambda runtime that the provider knows.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from event_harness.terraform.configuration import (
    IMPLICIT_PROVIDER,
    OVERRIDE,
    Configuration,
    expression,
    literal,
)
from event_harness.terraform.provider_3_39 import settings as provider_3_39
from event_harness.terraform.runtimes import override_runtimes, substituted

# A key that the configuration itself names (`access_key = "test"`, say) gives way to the one in the environment.
_KEY_OF_THE_ENVIRONMENT: dict[str, Any] = {"access_key": None, "secret_key": None, "token": None}
# Provider 5.x and 6.x read AWS_ENDPOINT_URL. From 6.23 on the provider asks S3 Control for a bucket's tags,
# at <account>.<the emulator's host>, which can't be resolved. A provider that doesn't know the account asks
# S3 instead. It learns the account from STS while it validates the credentials, so both are skipped.
_NEW_PROVIDER_SETTINGS: dict[str, Any] = {
    "skip_credentials_validation": True,
    "skip_metadata_api_check": True,
    "skip_region_validation": True,
    "skip_requesting_account_id": True,
}


def write_override(
    directory: Path,
    *,
    endpoint_url: str | None,
    old_provider: bool,
    tags: Mapping[str, str] | None = None,
    copied: bool = True,
) -> list[Path]:
    """Write the override files beside a configuration and return their paths.

    Args:
        directory: the root of the configuration.
        endpoint_url: the emulator's URL, or None for the real AWS.
        old_provider: whether hashicorp/aws is 3.39: it reads no AWS_ENDPOINT_URL and knows old runtimes only.
        tags: default tags to add.
        copied: whether it is a deployment's copy, where the backend and the modules may be overridden too
            (`make up` writes beside the user's own files, and into their root only).
    """
    root = Configuration.read(directory)
    override: dict[str, Any] = {"terraform": {"backend": {"local": {}}}} if copied else {}
    settings: dict[str, Any] = {}
    if endpoint_url:
        settings = provider_3_39.for_emulator(endpoint_url) if old_provider else _NEW_PROVIDER_SETTINGS
        settings = _KEY_OF_THE_ENVIRONMENT | settings
    blocks = [{**_alias(block), **settings, **_default_tags(block, tags or {})} for block in root.providers]
    written = []
    if settings or tags:
        if blocks:
            override["provider"] = {"aws": blocks}
        if not any("alias" not in block for block in root.providers):
            # Nothing to override: the default provider is implied by its resources.
            implicit = {"provider": {"aws": {**settings, **_default_tags({}, tags or {})}}}
            written.append(_write(directory / IMPLICIT_PROVIDER, implicit))
    if old_provider and copied:
        # The lock file names a registry's providers, and the mirror holds other ones.
        (directory / ".terraform.lock.hcl").unlink(missing_ok=True)
        for module in root.tree():
            if module.directory == root.directory:
                override |= substituted(module.functions)
            else:
                written += override_runtimes(module)
    if override:
        written.append(_write(directory / OVERRIDE, override))
    return written


def _alias(block: Mapping[str, Any]) -> dict[str, str]:
    return {"alias": literal(block["alias"])} if "alias" in block else {}


def _default_tags(block: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
    """The provider's own default tags and the deployment's: an override replaces the block as a whole."""
    if not tags:
        return {}
    own = (block.get("default_tags") or [{}])[0].get("tags", {})
    ours = ", ".join(f"{json.dumps(key)} = {json.dumps(value)}" for key, value in tags.items())
    return {"default_tags": [{"tags": f"${{merge({expression(own)}, {{ {ours} }})}}"}]}


def _write(path: Path, content: Mapping[str, Any]) -> Path:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return path
