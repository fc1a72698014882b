"""The commands that call terraform: fmt, validate, configure, terraform."""

import argparse
import getpass
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from event_harness.commands.options import project, root, state_dir
from event_harness.errors import SettingError
from event_harness.machine import terminal
from event_harness.machine.command_line import spelled
from event_harness.settings import STATE_DIR
from event_harness.terraform import answers, toolchain, view
from event_harness.terraform.command import Terraform
from event_harness.terraform.overrides import write_override
from event_harness.terraform.provider_in_use import ProviderInUse
from event_harness.terraform.recovery import Transient
from event_harness.terraform.runtimes import RuntimeSubstitution


def fmt(options: argparse.Namespace) -> int:
    """Run `terraform fmt`."""
    tools = toolchain.find(target="local")
    flags = ["-recursive", "-diff"] + (["-check"] if options.check else [])
    for directory in options.directory:
        if not directory.exists():  # terraform reports success for it
            raise SettingError(f"{directory} doesn't exist; name a directory or a file to format")
        command = [str(tools.binary), "fmt", *flags, str(directory)]
        if subprocess.run(command, env=os.environ | tools.environ(), check=False).returncode:
            return 1
    return 0


def validate(options: argparse.Namespace) -> int:
    """Run `terraform validate` on a copy."""
    tools = toolchain.find(target="local")
    for directory in options.directory:
        with tempfile.TemporaryDirectory(prefix="event-harness-") as scratch:
            work = Path(scratch)
            copied = view.make(directory, work / "config").root
            write_override(copied, endpoint_url=None, old_provider=tools.old_provider)
            environ = os.environ | tools.environ() | {"TF_DATA_DIR": str(work / "data")}
            provider = ProviderInUse(tools, copied)
            terraform = Terraform(
                copied,
                binary=tools.binary,
                environ=environ,
                logs=work / "logs",
                recoveries=[Transient()],
                explain=provider.explain,
                say=terminal.say,
            )
            with tools.installing():
                terraform.init(backend=False)
            if tools.old_provider:  # only for emulators, so the runtimes of AWS may be newer
                RuntimeSubstitution(provider, copied, work / "data").prepare()
            terminal.say(f"{directory}: {terraform.execute_command('validate', '-no-color').out.strip()}")
    return 0


def configure(options: argparse.Namespace) -> int:
    """Ask for each variable of the Terraform root and save the answers."""
    tools = toolchain.find(target="local")

    def formatted(text: str) -> str:
        """Format a text with `terraform fmt`."""
        command, environ = [str(tools.binary), "fmt", "-"], os.environ | tools.environ()
        done = subprocess.run(command, env=environ, input=text, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SettingError(f"terraform refuses the answers: {' '.join(done.stderr.split())}")
        return done.stdout

    answers.configure(
        root(options),
        options.save,
        ask=input,
        ask_secretly=_ask_secretly,
        formatted=formatted,
    )
    return 0


def _ask_secretly(question: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(question)
    return input(question)  # no terminal shows it


def terraform(options: argparse.Namespace, arguments: Sequence[str]) -> int:
    """Run the harness's terraform or tofu with these arguments."""
    local = "AWS_ENDPOINT_URL" in os.environ
    if not local and (state_dir(options) / "up.json").exists():
        raise SettingError(
            "`up` has put an override for the local AWS emulator into this root, but this shell points to no"
            f" emulator: `. {STATE_DIR}/env` to deploy there,"
            f" or `make down` ({spelled('down', project=project(options))}) first to deploy to AWS"
        )
    tools = toolchain.find(target="local" if local else "aws")
    environ = {
        k: v for k, v in os.environ.items() if not (k == "TF_CLI_CONFIG_FILE" and not Path(v).exists())
    }
    sys.stdout.flush()
    return subprocess.run(
        [str(tools.binary), *arguments], env=tools.environ() | environ, check=False
    ).returncode
