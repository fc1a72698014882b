"""What `event-harness doctor` looks at: one function for each thing that a test session needs."""

import importlib.metadata
import importlib.util
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.errors import AWS_ERRORS, message_of
from event_harness.aws.targets import Target
from event_harness.deployments import records
from event_harness.errors import HarnessError, MachineError, SettingError
from event_harness.machine import ports
from event_harness.machine.boundary import explained
from event_harness.machine.cache import VARIABLE as CACHE
from event_harness.machine.cache import cache_directory
from event_harness.machine.command_line import about_records, spelled
from event_harness.settings import STATE_DIR, Settings
from event_harness.system.deployed_system import OUTPUT
from event_harness.terraform import cli_config, registry, toolchain
from event_harness.terraform.configuration import Configuration

OK, NOTE, MISSING = "ok", "note", "missing"
_INSTALL = "pip install 'event-harness[{}]'"
_ANOTHER_ROOT = "export EVENT_HARNESS_ROOT=DIRECTORY"


@dataclass(frozen=True)
class Finding:
    """What is known of one thing.

    Attributes:
        state: `ok`; `note` for what works but may surprise; `missing` for what tests would fail for.
        says: what is there, or what is wrong.
        fix: a command that fixes it; empty if nothing is to be fixed, or if `says` tells how.
        name: of the thing.
    """

    state: str
    says: str
    fix: str = ""
    name: str = ""

    def named(self, name: str) -> "Finding":
        """The finding with the name of its thing."""
        return replace(self, name=name)


@dataclass(frozen=True)
class Asked:
    """What the checks look at.

    Attributes:
        settings: those of the ini file and of the environment.
        rootdir: pytest's rootdir.
        state_dir: where deployments are recorded.
        root: returns the Terraform root.
    """

    settings: Settings
    rootdir: Path
    state_dir: Path
    root: Callable[[], Path]

    @property
    def on_aws(self) -> bool:
        """Whether tests would run on a real account."""
        return bool(self.settings["target"] == "aws")

    def target(self) -> Target | None:
        """The target; None for the emulator that a test session starts by itself."""
        name, region = self.settings["target"], self.settings["region"]
        if name == "local":
            return None
        if name == "aws":
            return Target.aws(region=region)
        return Target.emulator(name, region=region, allow_remote=self.settings["allow_remote"])


def python(_asked: Asked) -> Finding:
    """The interpreter and the harness."""
    version = importlib.metadata.version("event-harness")
    return Finding(OK, f"{platform.python_version()} ({sys.executable}), event-harness {version}")


def terraform(asked: Asked) -> Finding:
    """The terraform or tofu."""
    try:
        tools = _tools(asked)
    except HarnessError as error:
        return Finding(MISSING, str(error), _fix_of_tools(asked, str(error)))
    return Finding(OK, f"{tools.kind} {tools.version} ({tools.binary})")


def provider(asked: Asked) -> Finding:
    """The hashicorp/aws."""
    try:
        tools = _tools(asked)
    except HarnessError:
        return Finding(NOTE, "not looked at: Terraform is missing")
    version = " 3.39.0" if tools.old_provider else ""
    said = f"hashicorp/aws{version} {tools.source}"
    if tools.providers == "registry" and tools.cli_config.name != cli_config.REGISTRY:
        return Finding(NOTE, f"{said}; whether it is there was not looked at")
    answers = registry.reachable(tools.kind, cache_directory())
    if tools.old_provider:
        if asked.settings.providers():
            return Finding(OK, said)
        fix = "export EVENT_HARNESS_PROVIDERS=registry" if answers else ""
        return Finding(NOTE, f"{said}; it is an old release", fix)
    if answers:
        return Finding(OK, said)
    fix = "" if asked.on_aws else "export EVENT_HARNESS_PROVIDERS=mirror"
    return Finding(MISSING, f"{said}: but {registry.HOSTS[tools.kind]} can't be reached", fix)


def root(asked: Asked) -> Finding:
    """The Terraform root."""
    try:
        directory = asked.root()
    except SettingError as error:
        return Finding(MISSING, str(error), _ANOTHER_ROOT)
    if not any(directory.glob("*.tf*")):
        said = f"{directory} holds no *.tf; name the Terraform root (harness_root)"
        return Finding(MISSING, said, _ANOTHER_ROOT)
    configuration = Configuration.read(directory)
    if OUTPUT in configuration.outputs:
        return Finding(OK, str(directory))
    fix = spelled("init", project=asked.rootdir)
    return Finding(NOTE, f"{directory} has no output {OUTPUT!r}, so tests have no listener", fix)


def cache(_asked: Asked) -> Finding:
    """The cache, which must be writable."""
    try:
        return Finding(OK, str(cache_directory()))
    except HarnessError as error:
        return Finding(MISSING, str(error), f"export {CACHE}=DIRECTORY")


def record_directory(asked: Asked) -> Finding:
    """Where deployments are recorded, which must be writable."""
    directory = next(one for one in (asked.state_dir, *asked.state_dir.parents) if one.is_dir())
    try:
        with tempfile.TemporaryFile(dir=directory):
            return Finding(OK, str(asked.state_dir))
    except OSError as error:
        said = f"{asked.state_dir} can't be written: {error.strerror}"
        return Finding(MISSING, said, "export EVENT_HARNESS_STATE_DIR=DIRECTORY")


def emulator(asked: Asked) -> Finding:
    """The local AWS emulator: it is started for a moment."""
    if asked.on_aws:
        return Finding(OK, "none is needed on aws")
    if target := asked.target():
        identity = target.check()
        return Finding(OK, f"{target.endpoint_url} answers as account {identity.account}")
    if importlib.util.find_spec("ministack") is None:
        return Finding(MISSING, "MiniStack is not installed", _INSTALL.format("local"))
    with tempfile.TemporaryDirectory(prefix="event-harness-") as scratch:
        started = LocalEmulator.start(Path(scratch) / "emulator")
        started.stop()
    return Finding(OK, f"MiniStack {importlib.metadata.version('ministack')} starts")


def credentials(asked: Asked) -> Finding:
    """The credentials of the target."""
    none = Finding(OK, "none are needed: an emulator takes its own")
    if not asked.on_aws:
        return none
    try:
        target = asked.target()
        identity = target.check() if target else None
    except SettingError as error:  # no region
        return Finding(MISSING, str(error), "export AWS_REGION=REGION")
    except HarnessError as error:
        return Finding(MISSING, str(error), "aws sso login, or aws configure")
    if target is None or identity is None:
        return none
    return Finding(OK, f"account {identity.account}, {target.region}: {identity.arn}")


# Calls that change nothing, with the action that each needs. Sweeps by tag, waits and explanations need them.
_CALLS: Mapping[str, tuple[str, str, Mapping[str, object]]] = {
    "tag:GetResources": ("resourcegroupstaggingapi", "get_resources", {"ResourcesPerPage": 1}),
    "dynamodb:ListTables": ("dynamodb", "list_tables", {"Limit": 1}),
    "lambda:ListFunctions": ("lambda", "list_functions", {"MaxItems": 1}),
    "logs:DescribeLogGroups": ("logs", "describe_log_groups", {"limit": 1}),
    "iam:ListRoles": ("iam", "list_roles", {"MaxItems": 1}),
}
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")


def permissions(asked: Asked) -> Finding:
    """What the credentials may do: a few calls that change nothing."""
    try:
        target = asked.target()
        if target is None:
            return Finding(OK, "an emulator of a test session allows its root everything")
        target.check()
    except HarnessError:
        told = "there are no credentials that work" if asked.on_aws else "the emulator does not answer"
        return Finding(NOTE, f"not looked at: {told}")
    refused = []
    for action, (service, call, arguments) in _CALLS.items():
        try:
            getattr(target.client(service), call)(**arguments)
        except AWS_ERRORS as error:
            answer = getattr(error, "response", None) or {}
            code = answer.get("Error", {}).get("Code", "")
            if code not in _DENIED:
                return Finding(MISSING, f"{action} can't be asked: {message_of(error)}")
            refused.append(action)
    if not refused:
        return Finding(OK, f"{', '.join(_CALLS)} are allowed; docs/aws.md lists all that a system may need")
    said = f"{', '.join(refused)} refused: a policy to start from is docs/aws-role-policy.json"
    return Finding(
        MISSING, said, "aws iam put-role-policy --policy-document file://docs/aws-role-policy.json …"
    )


def port(asked: Asked) -> Finding:
    """A port on this machine's loopback, for the emulator."""
    if asked.on_aws:
        return Finding(OK, "none is needed on aws")
    try:
        return Finding(OK, f"{ports.LOOPBACK}:{ports.free_port()} is free")
    except OSError as error:
        raise MachineError(f"no port on {ports.LOOPBACK} can be had: {error.strerror}") from error


def deployments(asked: Asked) -> Finding:
    """What earlier sessions have left."""
    found = list(records.recorded(asked.state_dir))
    kept = [one.deployment_id for one in found if one.kept]
    stale = [one.deployment_id for one in found if not one.kept and not one.in_progress()]
    if stale:
        said = f"{len(stale)} left behind: {', '.join(stale)}"
        return Finding(MISSING, said, about_records(asked.state_dir, "sweep"))
    if kept:
        said = f"{len(kept)} kept on purpose: {', '.join(kept)}"
        return Finding(OK, said)
    return Finding(OK, "none is left behind")


def lasting_emulator(asked: Asked) -> Finding:
    """The emulator of `up`: its files say where it is, also if it has died."""
    try:
        directory = asked.root()
    except HarnessError:
        return Finding(NOTE, "not looked for: there is no root")
    if not (directory / STATE_DIR / "up.json").exists():
        return Finding(OK, "`up` has started none here")
    running = LocalEmulator.find((directory / STATE_DIR / "up").absolute())
    if running is None:
        said = "that of `up` doesn't run on this machine, but its override leads terraform to it"
        return Finding(MISSING, said, spelled("down", project=directory))
    if os.environ.get("AWS_ENDPOINT_URL") in (None, running.endpoint_url):
        return Finding(NOTE, f"`up` runs one at {running.endpoint_url}", spelled("down", project=directory))
    return Finding(NOTE, f"`up` runs one at {running.endpoint_url}, but AWS_ENDPOINT_URL names another")


def _tools(asked: Asked) -> toolchain.Toolchain:
    known = asked.settings
    return toolchain.find(
        known["terraform"],
        target="aws" if asked.on_aws else "local",
        providers=known.providers(),
        origin=known.origin("terraform"),
        providers_origin=known.origin("providers"),
    )


def _fix_of_tools(asked: Asked, told: str) -> str:
    """The command that gives a Terraform; empty if another thing is wrong, such as the network."""
    try:
        cache_directory()
    except HarnessError:
        return f"export {CACHE}=DIRECTORY"
    known = asked.settings
    if asked.on_aws and known.providers() == "mirror":
        named = known.origin("providers")
        return (
            f"unset {named}" if named.startswith("EVENT_HARNESS_") else "pytest --harness-providers=registry"
        )
    if known["terraform"] and known.origin("terraform").startswith("EVENT_HARNESS_"):
        return f"unset {known.origin('terraform')}"
    package = "event-harness[terraform]"
    return f"pip install {package!r}" if package in told else ""


def _whole(look: Callable[[Asked], Finding]) -> Callable[[Asked], Finding]:
    def checked(asked: Asked) -> Finding:
        """Look, and turn an error of the machine into one line."""
        with explained():
            return look(asked)

    return checked


ALL: Mapping[str, Callable[[Asked], Finding]] = {
    "Python": _whole(python),
    "Terraform": _whole(terraform),
    "provider": _whole(provider),
    "root": _whole(root),
    "cache": _whole(cache),
    "records": _whole(record_directory),
    "emulator": _whole(emulator),
    "up": _whole(lasting_emulator),
    "credentials": _whole(credentials),
    "permissions": _whole(permissions),
    "ports": _whole(port),
    "deployments": _whole(deployments),
}
