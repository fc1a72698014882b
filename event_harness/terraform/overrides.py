"""The override files of a deployment: what it changes of a configuration without touching it.

Terraform merges override files over the others, in the order of their names; ours come last. They give each
`provider "aws"` the deployment's default tags, beside the user's own. For an emulator they add the settings
that it needs, and take away what leads elsewhere: a profile, a role, a list of accounts. They keep the state
beside the configuration, or in the harness's own backend, whatever backend it names.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from event_harness.terraform import hcl
from event_harness.terraform.configuration import LOCK, Configuration
from event_harness.terraform.generated import IMPLICIT_PROVIDER, OF_UP, OVERRIDE, TAGS_OVERRIDE
from event_harness.terraform.provider_3_39 import settings as provider_3_39

# A key in the configuration (`access_key = "test"`, say) gives way to the one in the environment.
_KEY_OF_THE_ENVIRONMENT: dict[str, Any] = {"access_key": None, "secret_key": None, "token": None}
# Provider 5.x and 6.x read AWS_ENDPOINT_URL. From 6.23 on the provider asks S3 Control for a bucket's tags,
# at <account>.<the emulator's host>, which can't be resolved. A provider that doesn't know the account asks
# S3 instead. It learns the account from STS while it validates the credentials, so both are skipped.
CHECKS_SKIPPED: dict[str, Any] = {
    "skip_credentials_validation": True,
    "skip_metadata_api_check": True,
    "skip_region_validation": True,
    "skip_requesting_account_id": True,
}
# Before that the provider may know the account: ARNs that it makes by itself (`execution_arn`) hold it.
_ASKS_S3_CONTROL = (6, 23)
# Earlier releases don't read AWS_ENDPOINT_URL for each service.
_READS_ENDPOINT_URL = (5, 40)
# Earlier ones know no s3_use_path_style either. `version = "~> 3.0"` means 3.76.
_NAMES_PATH_STYLE_OTHERWISE = (4, 0)

# Arguments and blocks of a provider that keep a deployment off an emulator; no emulator needs them.
_ELSEWHERE = (
    *("access_key", "secret_key", "token", "profile"),
    *("shared_credentials_file", "shared_credentials_files", "shared_config_files"),
    *("allowed_account_ids", "forbidden_account_ids", "sts_region", "custom_ca_bundle"),
    *("http_proxy", "https_proxy", "no_proxy", "use_fips_endpoint", "use_dualstack_endpoint"),
)
_ELSEWHERE_BLOCKS = ("assume_role", "assume_role_with_web_identity", "endpoints")


def write_override(
    directory: Path,
    *,
    endpoint_url: str | None,
    old_provider: bool,
    tags: Mapping[str, str] | None = None,
    copied: bool = True,
    state: Path | None = None,
    tofu: bool = False,
    version: str | None = None,
    backend: Mapping[str, Any] | None = None,
    of_up: Mapping[str, str] | None = None,
) -> list[Path]:
    """Write the override files beside a configuration and return their paths.

    Args:
        directory: the root of the configuration.
        endpoint_url: the emulator's URL, or None for the real AWS.
        old_provider: whether hashicorp/aws is 3.39: it reads no AWS_ENDPOINT_URL.
        tags: default tags to add.
        copied: whether it is a deployment's copy, where the backend and the modules may be overridden too
            (`make up` writes beside the user's own files, and into their root only).
        state: the state file in the workspace `default`, relative to the root; None for Terraform's own.
        tofu: whether OpenTofu will run.
        version: of hashicorp/aws, as far as it is known.
        backend: the backend block of a deployment's copy; by default its state lies beside it.
        of_up: if the files are written for `up`: the emulator's `access_key` and `secret_key`. A real account
            refuses them, so a terraform that doesn't point to the emulator never works in a wrong account.
    """
    root = Configuration.read(directory, tofu=tofu)
    override: dict[str, Any] = {}
    if copied:
        override["terraform"] = {"backend": dict(backend or {"local": {"path": str(state)} if state else {}})}
    settings = (
        provider_settings(endpoint_url, old_provider=old_provider, version=version) if endpoint_url else {}
    ) | dict(of_up or {})
    write = _write_for_up if of_up else _write
    written = []
    tree = root.tree() if copied else [root]
    if settings or tags:
        written += _override_providers(root, override, settings, tags or {}, emulated=bool(endpoint_url))
        if "" not in root.providers and any(map(_needs_aws, tree)):
            # Nothing to override: the default provider is implied by its resources.
            implicit = {**settings, **({"default_tags": {"tags": tags}} if tags else {})}
            written.append(write(directory / IMPLICIT_PROVIDER, {"provider": {root.aws: implicit}}))
    if old_provider and copied:
        # The lock file names a registry's providers, and the mirror holds other ones.
        (directory / LOCK).unlink(missing_ok=True)
    for module in tree[1:]:
        written += _override_module(module, settings, tags or {}, bool(endpoint_url))
    if override:
        written.append(write(directory / OVERRIDE, override))
    return written


def provider_settings(endpoint_url: str, *, old_provider: bool, version: str | None = None) -> dict[str, Any]:
    """The arguments of a provider block that an emulator needs.

    Args:
        endpoint_url: the emulator's URL.
        old_provider: whether hashicorp/aws is 3.39.
        version: of hashicorp/aws, as far as it is known.
    """
    settings = dict(CHECKS_SKIPPED)
    if version and _numbers(version) < _ASKS_S3_CONTROL:
        del settings["skip_requesting_account_id"]
    if old_provider or (version and _numbers(version) < _NAMES_PATH_STYLE_OTHERWISE):
        settings = provider_3_39.for_emulator(endpoint_url)
    elif version and _numbers(version) < _READS_ENDPOINT_URL:
        settings = settings | provider_3_39.endpoints(endpoint_url) | {"s3_use_path_style": True}
    return _KEY_OF_THE_ENVIRONMENT | settings


def _override_module(
    module: Configuration,
    settings: Mapping[str, Any],
    tags: Mapping[str, str],
    emulated: bool,
) -> list[Path]:
    override: dict[str, Any] = {}
    written = []
    # An empty block only passes on what the caller gives; a module with one of its own configures it.
    if any(set(body) - {"alias", "version"} for body in module.providers.values()):
        written += _override_providers(module, override, settings, tags, emulated=emulated)
    return written + ([_write(module.directory / OVERRIDE, override)] if override else [])


def _override_providers(
    module: Configuration,
    override: dict[str, Any],
    settings: Mapping[str, Any],
    tags: Mapping[str, str],
    *,
    emulated: bool,
) -> list[Path]:
    """Add the provider blocks of a module to its override; write the file of their tags."""
    blocks = []
    for alias, body in module.providers.items():
        block: dict[str, Any] = {"alias": alias} if alias else {}
        if emulated:
            block |= _led_back(body, settings)
        blocks.append({**block, **settings})
    if blocks:
        override["provider"] = {module.aws: blocks}
    if not (tags and blocks):
        return []
    text = "".join(_tags_block(module, alias, tags) for alias in module.providers)
    file = module.directory / TAGS_OVERRIDE
    file.write_text(text, encoding="utf-8")
    return [file]


def _led_back(body: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """What takes out of a provider block all that leads away from an emulator."""
    there = set(body) | {name for one in _listed(body.get("dynamic", {})) for name in one}
    block: dict[str, Any] = {name: None for name in _ELSEWHERE if name in there}
    # Terraform replaces the blocks of a type by those of the override, of which there are none here.
    none: dict[str, Any] = {"for_each": [], "content": {}}
    gone = {name: none for name in _ELSEWHERE_BLOCKS if name in there and name not in settings}
    return block | ({"dynamic": gone} if gone else {})


def _tags_block(module: Configuration, alias: str, tags: Mapping[str, str]) -> str:
    """A provider block with the deployment's default tags and, in their own words, those of the user.

    An override replaces the block of the tags as a whole.
    """
    own = _own_tags(module, alias)
    merged = f"merge(\n{own},\n{hcl.expression(tags)})" if own else hcl.expression(tags)
    named = f"  alias = {hcl.expression(alias)}\n" if alias else ""
    return f'provider "{module.aws}" {{\n{named}  default_tags {{\n    tags = {merged}\n  }}\n}}\n'


def _own_tags(module: Configuration, alias: str) -> str | None:
    """The expression of a provider's own default tags, that of the last file that has one."""
    found = [
        expression
        for file, content in module.contents.items()
        for expression in (
            _tags_in_json(content, module.aws, alias)
            if file.suffix == ".json"
            else _tags_in(file, module.aws, alias)
        )
    ]
    return found[-1] if found else None


def _tags_in_json(content: Mapping[str, Any], provider: str, alias: str) -> Iterator[str]:
    for (name,), body in hcl.labelled(content.get("provider", {}), 1):
        if name == provider and str(body.get("alias", "")) == alias:
            for tags in _listed(body.get("default_tags", [])):
                yield hcl.from_json(tags.get("tags", {}))
            for dynamic in _listed(body.get("dynamic", {})):
                for tags in _listed(dynamic.get("default_tags", [])):
                    for content_of in _listed(tags.get("content", {})):
                        yield _for_each(
                            hcl.from_json(tags.get("for_each", [])),
                            str(tags.get("iterator", "default_tags")),
                            hcl.from_json(content_of.get("tags", {})),
                        )


def _tags_in(file: Path, provider: str, alias: str) -> Iterator[str]:
    for block in hcl.block_texts(file.read_text(encoding="utf-8-sig"), "provider", provider):
        body_text = hcl.inside(block)
        if str(hcl.parsed(body_text).get("alias", "")) == alias:
            for tags in hcl.block_texts(body_text, "default_tags"):
                if expression := hcl.expression_text(hcl.inside(tags), "tags"):
                    yield expression
            for dynamic in hcl.block_texts(body_text, "dynamic", "default_tags"):
                inside = hcl.inside(dynamic)
                each, iterator = (hcl.expression_text(inside, name) for name in ("for_each", "iterator"))
                for content in hcl.block_texts(inside, "content"):
                    expression = hcl.expression_text(hcl.inside(content), "tags")
                    if each and expression:
                        yield _for_each(each, iterator or "default_tags", expression)


def _for_each(each: str, iterator: str, tags: str) -> str:
    """The tags of a dynamic block, which has one element at most, as one expression."""
    elements = f"[for key, value in (\n{each}\n) : {{ key = key, value = value }}]"
    return f"merge([for {iterator} in {elements} : (\n{tags}\n)]...)"


def _listed(node: Any) -> Iterable[Mapping[str, Any]]:
    """The bodies of a block without labels; in both syntaxes it may be one, or a list."""
    return [body for _, body in hcl.labelled(node, 0)]


def _needs_aws(module: Configuration) -> bool:
    kinds = {name for kind in ("resource", "data") for (name, _), _ in module.blocks(kind, 2)}
    fetched = any(not source.startswith(("./", "../")) for source in module.sources)
    return fetched or any(kind.startswith("aws_") for kind in kinds)


def _write(path: Path, content: Mapping[str, Any]) -> Path:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return path


def _write_for_up(path: Path, content: Mapping[str, Any]) -> Path:
    path.touch(mode=0o600)  # it holds the emulator's key
    return _write(path, {"//": OF_UP, **content})


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])
