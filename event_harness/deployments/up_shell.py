"""How a shell goes in and out of the emulator of `up`: two files to source, and a shell of its own."""

import os
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

from event_harness.aws.targets import Target
from event_harness.terraform import provider_in_use
from event_harness.terraform.toolchain import Toolchain

WORKSPACE = "local"
"""The Terraform workspace: a state of real resources in the root is never compared with the emulator."""
IN, OUT = "env", "deactivate"
"""The names of the files."""

_LOOPBACK = "127.0.0.1,localhost"
# Restores every variable that `env` has set or unset. Lists come from commands: zsh splits no others.
_LEAVE = """\
for name in $(printf '%s' "${_EVENT_HARNESS_NAMES:-}" | tr ' ' '\\n' | sort -u); do
  if eval "[ -n \\"\\${_EVENT_HARNESS_WAS_$name+x}\\" ]"; then
    eval "export $name=\\"\\$_EVENT_HARNESS_WAS_$name\\"; unset _EVENT_HARNESS_WAS_$name"
  else
    unset "$name"
  fi
done
if [ -n "${_EVENT_HARNESS_FUNCTION:-}" ]; then unset -f deactivate; fi
unset name _EVENT_HARNESS_NAMES _EVENT_HARNESS_FUNCTION
"""


def settings(target: Target, tools: Toolchain) -> dict[str, str]:
    """The variables that lead boto3 and terraform to the emulator."""
    found = target.settings() | {
        "TF_CLI_CONFIG_FILE": str(tools.cli_config),
        "TF_WORKSPACE": WORKSPACE,
        **provider_in_use.ON_EMULATOR,
        # A root that declares it can destroy buckets with their contents.
        "TF_VAR_ephemeral": "true",
    }
    if tools.old_provider:
        # The newest runtime that the old provider knows. The emulator runs it on our own interpreter.
        found["TF_VAR_runtime"] = "python3.8"
        found["TF_PLUGIN_CACHE_DIR"] = tools.environ()["TF_PLUGIN_CACHE_DIR"]
    return found


def going_in(target: Target, tools: Toolchain) -> str:
    """Lines for any POSIX shell that go in. They may be sourced twice.

    They define a function `deactivate` that goes out again, unless there is one already, as in a Python venv.
    """
    set_here = settings(target, tools)
    names = " ".join([*set_here, "NO_PROXY", "no_proxy", "PATH"])
    lines = [
        f"# The local AWS emulator for this shell. In: . .event-harness/{IN}   Out: . .event-harness/{OUT}",
        'if [ -z "${_EVENT_HARNESS_NAMES:-}" ]; then',
        f"  _EVENT_HARNESS_NAMES=\"{names} $(env | sed -n 's/^\\(AWS_[A-Za-z0-9_]*\\)=.*/\\1/p')\"",
        "  for name in $(printf '%s' \"$_EVENT_HARNESS_NAMES\"); do",
        '    if eval "[ -n \\"\\${$name+x}\\" ]"; then eval "_EVENT_HARNESS_WAS_$name=\\"\\$$name\\""; fi',
        "  done",
        "fi",
        "for name in $(env | sed -n 's/^\\(AWS_[A-Za-z0-9_]*\\)=.*/\\1/p'); do unset \"$name\"; done",
        "unset name",
        *(f"export {name}={shlex.quote(value)}" for name, value in set_here.items()),
        f'case ",${{NO_PROXY:-}}," in *,127.0.0.1,*) ;; *) NO_PROXY="{_LOOPBACK},${{NO_PROXY:-}}" ;; esac',
        'export NO_PROXY no_proxy="$NO_PROXY"',
    ]
    if directory := _of_packaged(tools):
        quoted = shlex.quote(directory)
        lines.append(f'case ":$PATH:" in *:{quoted}:*) ;; *) export PATH={quoted}:"$PATH" ;; esac')
    lines += [
        # Of a function, this prints the name; of a program on the PATH, its path.
        'if [ "$(command -v deactivate 2>/dev/null || true)" != deactivate ]; then',
        "_EVENT_HARNESS_FUNCTION=1",
        f"deactivate() {{\n{_LEAVE}}}",
        "fi",
    ]
    return "\n".join(lines) + "\n"


def going_out() -> str:
    """Lines for any POSIX shell that restore every variable as it was before `going_in`."""
    return f"# Leaves the local AWS emulator. Source it: . .event-harness/{OUT}\n{_LEAVE}"


def environ(target: Target, tools: Toolchain, base: Mapping[str, str]) -> dict[str, str]:
    """The environment of a shell that is in.

    Args:
        target: the emulator.
        tools: the terraform to use.
        base: the environment of the shell that it is started from.
    """
    kept = {name: text for name, text in base.items() if not name.startswith("AWS_")}
    beside = f"{_LOOPBACK},{kept['NO_PROXY']}" if kept.get("NO_PROXY") else _LOOPBACK
    found = kept | settings(target, tools) | {"NO_PROXY": beside, "no_proxy": beside}
    if directory := _of_packaged(tools):
        found["PATH"] = os.pathsep.join([directory, kept.get("PATH", os.defpath)])
    return found


def _of_packaged(tools: Toolchain) -> str:
    """The directory of a terraform that isn't on the PATH, as the packaged one in the cache."""
    return "" if shutil.which(tools.binary.name) else str(Path(tools.binary).parent)
