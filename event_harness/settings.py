"""Every setting of the harness, in one table, with one precedence and one validator.

Precedence: marker (if the setting has one), command line, environment, ini file, default. The error for a
bad value is one line: it shows the value, its origin, and the valid values.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from event_harness import setting_values as valid
from event_harness.errors import SettingError

STATE_DIR = ".event-harness"
"""The directory in a project in which the harness writes."""


@dataclass(frozen=True)
class Setting:
    """One setting: `--harness-NAME`, `EVENT_HARNESS_NAME`, `harness_NAME` in the ini file.

    Attributes:
        name: the name, with underscores.
        default: the value if nobody sets one.
        parse: turns text into a value; raises a ValueError that says which values are valid.
        help: one line.
        kind: `value`, `flag` (a switch), `optional` (a switch that may have a value), `list` (repeatable).
        bare: the value of an `optional` that is given without a value.
    """

    name: str
    default: Any
    parse: Callable[[str], Any]
    help: str
    kind: str = "value"
    bare: str = ""

    @property
    def option(self) -> str:
        """The command line option."""
        return "--harness-" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable."""
        return "EVENT_HARNESS_" + self.name.upper()

    @property
    def ini(self) -> str:
        """The name in pytest's ini file."""
        return "harness_" + self.name


@dataclass(frozen=True)
class Value:
    """The value of a setting and its origin."""

    value: Any
    origin: str


SETTINGS = (
    Setting(
        "target",
        "local",
        valid.target,
        "where to deploy: local (local AWS emulator), aws, or an emulator's URL",
    ),
    Setting("root", ".", valid.plain, "the Terraform root to deploy, relative to pytest's rootdir"),
    Setting(
        "var", {}, valid.assignment, "an input variable of the Terraform root, NAME=VALUE; repeatable", "list"
    ),
    Setting("var_file", (), valid.plain, "a file of variables, as for -var-file; repeatable", "list"),
    Setting("exclude", (), valid.plain, "a name or path that a deployment doesn't copy; repeatable", "list"),
    Setting(
        "include",
        (),
        valid.plain,
        "a name or path that a deployment copies although it is left out or large; repeatable",
        "list",
    ),
    Setting(
        "workspace",
        "default",
        valid.workspace,
        "terraform.workspace on target local; elsewhere it is the deployment's id",
    ),
    Setting(
        "state_dir", STATE_DIR, valid.plain, "where deployments are recorded, relative to pytest's rootdir"
    ),
    Setting(
        "remote_state",
        None,
        valid.bucket_url,
        "s3://BUCKET/PREFIX that also holds the state, so another machine can destroy; not on target local",
    ),
    Setting(
        "sla",
        30.0,
        valid.seconds,
        "seconds within which a result must arrive; also: @pytest.mark.sla(SECONDS)",
    ),
    Setting(
        "keep",
        False,
        valid.truth,
        "do not destroy the deployment at the end; reuse or sweep it later",
        "flag",
    ),
    Setting(
        "reuse",
        None,
        valid.deployment_id,
        "test a kept deployment: its id, or no value for the newest one",
        "optional",
        "last",
    ),
    Setting(
        "apply",
        False,
        valid.truth,
        "with --harness-reuse: apply what has changed in the Terraform files to the kept deployment",
        "flag",
    ),
    Setting(
        "debug",
        None,
        valid.plain,
        "let a function wait for a debugger: its component or name; no value: every function",
        "optional",
        "all",
    ),
    Setting(
        "resources",
        None,
        valid.plain,
        "test a system that something else deployed; its state or resource map: FILE.json, ssm:PARAMETER",
    ),
    Setting("terraform", None, valid.plain, "the terraform or tofu to use; default: the first on PATH"),
    Setting(
        "providers",
        None,
        valid.providers,
        "where Terraform gets its providers: registry or mirror; default: the registry if it can be reached",
    ),
    Setting(
        "retry",
        (),
        valid.pattern,
        "a regular expression of terraform errors after which apply and destroy continue; repeatable",
        "list",
    ),
    Setting(
        "region",
        None,
        valid.region,
        "AWS region; default: AWS_REGION or AWS_DEFAULT_REGION, else eu-west-1 locally, the profile's on aws",
    ),
    Setting(
        "in_flight",
        None,
        valid.count,
        "how many inputs may be in flight at once; default: learned locally, at first 4; 50 on aws",
    ),
    Setting(
        "readiness",
        120.0,
        valid.seconds_or_off,
        "seconds within which a readiness probe must arrive after apply; 0: send no probe",
    ),
    Setting(
        "iam",
        "on",
        valid.on_or_off,
        "on emulators: functions may do what their roles allow, and missing permissions are found; on or off",
    ),
    Setting(
        "destroy",
        "terraform",
        valid.destroyer,
        "what destroys a deployment on target local: terraform, or emulator (it ends, if nothing is outside)",
    ),
    Setting(
        "shortcuts",
        "on",
        valid.shortcuts,
        f"make a deployment on the local target quicker: on, off, or some of {', '.join(valid.SHORTCUTS)}",
    ),
    Setting(
        "report",
        None,
        valid.plain,
        "a directory for the report of the session (extra report): index.html and report.json",
    ),
    Setting("report_bodies", False, valid.truth, "show contents of inputs and results in the report", "flag"),
    Setting("otlp", None, valid.plain, "a file for the events' ways as OpenTelemetry spans (OTLP JSON)"),
    Setting("ttl", 4.0, valid.hours, "hours after which a sweep may destroy a dead deployment"),
    Setting(
        "allow_remote", False, valid.truth, "allow a target that is an emulator on another machine", "flag"
    ),
)
BY_NAME = {setting.name: setting for setting in SETTINGS}


class Settings:
    """The values that apply, each with its origin.

    Args:
        options: values from the command line, by setting name; None or missing if not given.
        environ: the environment variables.
        ini: text (or list of texts) from the ini file, by setting name.
        spelt: names of options that differ from the usual ones, by setting name, for messages.

    Raises:
        SettingError: a value isn't valid.
    """

    def __init__(
        self,
        options: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        ini: Mapping[str, Any] | None = None,
        *,
        spelt: Mapping[str, str] | None = None,
    ) -> None:
        environ = os.environ if environ is None else environ
        self._options = {setting.name: setting.option for setting in SETTINGS} | dict(spelt or {})
        self._values = {
            setting.name: self._resolve(
                setting, (options or {}).get(setting.name), environ, (ini or {}).get(setting.name)
            )
            for setting in SETTINGS
        }

    def __getitem__(self, name: str) -> Any:
        """The value of a setting."""
        return self._values[name].value

    def providers(self) -> str | None:
        """Where providers come from, as set for this target: an ini file's "mirror" doesn't count on aws."""
        value = self._values["providers"]
        on_aws_by_ini = value.origin == "ini" and self["target"] == "aws"
        return None if on_aws_by_ini and value.value == "mirror" else value.value

    def origin(self, name: str) -> str:
        """Where the value of a setting came from."""
        return self._values[name].origin

    def option(self, name: str) -> str:
        """The name of a setting's option on the command line."""
        return self._options[name]

    def header(self) -> str:
        """Return the line for pytest's header: target, SLA, and each setting that was set, with its origin.

        Input variables appear by name only: a value may be a secret.
        """
        said = []
        for setting in SETTINGS:
            value = self._values[setting.name]
            if setting.name in ("target", "sla") or value.origin != "default":
                shown = f"{value.value:g} s" if setting.name == "sla" else value.value
                shown = ", ".join(shown) if setting.kind == "list" else shown
                said.append(f"{setting.name} {shown} ({value.origin})")
        return "event-harness: " + ", ".join(said)

    def _resolve(self, setting: Setting, option: Any, environ: Mapping[str, str], ini: Any) -> Value:
        if option not in (None, [], False):
            origin = self.option(setting.name)
            return Value(_parsed(setting, option, origin), origin)
        if setting.variable in environ:
            given: Any = environ[setting.variable]
            if setting.kind == "list":
                # A regular expression may hold spaces, an assignment in the environment may not.
                given = given.split() if setting.parse is valid.assignment else given.splitlines()
            return Value(_parsed(setting, given, setting.variable), setting.variable)
        if ini not in (None, "", []):
            return Value(_parsed(setting, ini, f"{setting.ini} in the ini file"), "ini")
        return Value(setting.default, "default")


def parse(setting: Setting, text: str, origin: str) -> Any:
    """Return a value from its text.

    Raises:
        SettingError: the value is not valid; the message shows the value, its origin, and what is valid.
    """
    try:
        return setting.parse(text)
    except (ValueError, ArithmeticError, RecursionError, OSError) as error:
        raise SettingError(f"{setting.name} is {text!r} ({origin}); valid: {error}") from None


def _parsed(setting: Setting, given: Any, origin: str) -> Any:
    if given is True:
        return True
    if setting.kind == "list":
        values = [parse(setting, text, origin) for text in given]
        return dict(values) if setting.parse is valid.assignment else tuple(values)
    return parse(setting, str(given), origin)
