"""The override files of a deployment: what it changes of a configuration without touching it.

Terraform merges files named `*_override.tf.json` over the others. Every `provider "aws"` gets the deployment's
default tags beside its own, and on an emulator what makes it work there; the state stays beside the
configuration whatever backend it names; and functions get a Lambda runtime that the old provider knows.
"""

import json
import re
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

# The services for which provider 3.39 must be told where they are; what is missing here can't be reached.
_OLD_PROVIDER_ENDPOINTS = re.findall(
    r"\w+",
    """
    apigateway cloudformation cloudwatch cloudwatchevents cloudwatchlogs cognitoidp dynamodb
    ec2 ecr ecs efs elasticache firehose glue iam kinesis kms lambda rds resourcegroupstaggingapi route53 s3
    secretsmanager ses sns sqs ssm stepfunctions sts
    """,
)


# From 6.23 on the provider asks S3 Control for a bucket's tags, at a host that begins with the account's
# number: nobody resolves 000000000000.127.0.0.1. Where it doesn't know the account it asks S3 as before.
_NEW_PROVIDER_SETTINGS: dict[str, Any] = {"skip_requesting_account_id": True}


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
        old_provider: whether hashicorp/aws is 3.x, which knows no AWS_ENDPOINT_URL and no new runtimes.
        tags: default tags to add.
        copied: whether it is a deployment's copy, where the backend and the modules may be overridden too
            (`make up` writes beside the user's own files, and into their root only).
    """
    root = Configuration.read(directory)
    override: dict[str, Any] = {"terraform": {"backend": {"local": {}}}} if copied else {}
    settings: dict[str, Any] = {}
    if endpoint_url:
        settings = _old_provider_settings(endpoint_url) if old_provider else _NEW_PROVIDER_SETTINGS
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
        # It names the providers of a registry; those of the mirror are others.
        (directory / ".terraform.lock.hcl").unlink(missing_ok=True)
        for module in root.tree():
            if module.directory == root.directory:
                override |= _runtimes(module.functions)
            else:
                written += override_runtimes(module)
    if override:
        written.append(_write(directory / OVERRIDE, override))
    return written


def override_runtimes(module: Configuration) -> list[Path]:
    """Give the Lambda functions of a module (a copy) a runtime that the old provider knows."""
    functions = _runtimes(module.functions)
    return [_write(module.directory / OVERRIDE, functions)] if functions else []


def _runtimes(functions: Mapping[str, Any]) -> dict[str, Any]:
    # Provider 3.39 refuses runtimes newer than python3.8 in the plan; MiniStack runs each python name on
    # the interpreter that it runs on itself.
    runtimes = {name: str(body.get("runtime", "")) for name, body in functions.items()}
    python = {
        name: {"runtime": "python3.8"} for name, text in runtimes.items() if re.search(r"python|\$\{", text)
    }
    return {"resource": {"aws_lambda_function": python}} if python else {}


def _old_provider_settings(endpoint_url: str) -> dict[str, Any]:
    return {
        "access_key": "test",
        "secret_key": "test",  # the emulator's well-known key
        "s3_force_path_style": True,
        "skip_credentials_validation": True,
        "skip_metadata_api_check": True,
        "skip_region_validation": True,
        "skip_get_ec2_platforms": True,
        "endpoints": [dict.fromkeys(_OLD_PROVIDER_ENDPOINTS, endpoint_url)],
    }


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
