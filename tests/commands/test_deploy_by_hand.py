"""The commands of README.md that deploy the root by hand, on an emulator that stands for the account.

What they have deployed also serves the commands of docs/adopt.md and docs/failures.md for such systems.
"""

import json
import os
import re
import subprocess

import pytest
from documented import checkout, command_of, commands_of, in_shell, users_environ
from terminals import Terminal

from event_harness.aws.emulator import LocalEmulator
from event_harness.deployments.up import down
from event_harness.orphans.inventory import inventory
from event_harness.terraform import toolchain

pytestmark = pytest.mark.timeout(1800)

TERRAFORM = toolchain.find(target="local").binary.name
LEAD_IN = ". .event-harness/env"  # docs/reference.md: it leads a shell to the emulator of `up`
TEST = """
def test_text_comes_back(producer, listener):
    assert listener.wait_for(producer.send("by hand")).text == "BY HAND"
"""


@pytest.fixture
def clone(tmp_path):
    directory = checkout(tmp_path / "clone")
    yield directory
    down(directory, say=lambda line: None)


def led_in(clone, command, *answers):
    """Run a command of a page on a terminal that is led to the emulator, and answer its questions."""
    line = command.replace("terraform ", f"{TERRAFORM} ")
    environ = users_environ(TF_CLI_ARGS="-no-color")
    terminal = Terminal(["/bin/sh", "-c", f"{LEAD_IN} && {line}"], clone, environ)
    for question, text in answers:
        terminal.answer(question, text)
    assert terminal.end() == 0, terminal.screen
    return terminal.screen


APPLY = ("Enter a value:", "yes")


def test_documented_test_on_an_account_ends_in_one_line_without_credentials(clone):
    """No account is here. test_nightly.py runs the same target on an emulator that stands for it."""
    (command,) = {
        one for page in ("README.md", "docs/aws.md") for one in commands_of(page) if "make test T" in one
    }
    nobody = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": "eu-west-1",
    }
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=clone, env=users_environ(**nobody), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    said, *of_make = done.stderr.splitlines()
    assert said.startswith("event-harness: "), done.stderr
    assert "credentials" in said
    assert all(line.startswith("make") for line in of_make), done.stderr
    assert "test session starts" not in done.stdout


def test_documented_commands_deploy_test_and_destroy_the_root(clone):
    in_shell("make up", clone)
    target = LocalEmulator.find(clone / ".event-harness" / "up").target()
    configure, test, delete, init, apply = commands_of("README.md")[2:]
    assert test == "make test TARGET=aws"
    assert commands_of("docs/aws.md")[-3:] == [configure, test, delete]

    text = (clone / "variables.tf").read_text(encoding="utf-8")
    variables = sorted(re.findall(r'^variable "(\w+)"', text, re.MULTILINE))
    said = led_in(clone, configure, *((f"{name} [", "") for name in variables), APPLY)
    assert "Apply complete!" in said
    assert not [one for one in inventory(target) if "results" in str(one)]

    led_in(clone, init)
    assert "Apply complete!" in led_in(clone, apply, APPLY)
    assert [one for one in inventory(target) if "results" in str(one)]

    for command in commands_of("docs/adopt.md"):
        if "terraform show" in command:
            led_in(clone, command)
    (clone / "test_by_hand.py").write_text(TEST)
    tested = command_of("docs/adopt.md", "--harness-resources=system.json")
    there = {"AWS_REGION": target.region, "PYTEST_ADDOPTS": "test_by_hand.py"}
    said = in_shell(tested.replace("=aws", f"={target.endpoint_url}"), clone, **there)
    assert "1 passed" in said

    led_in(clone, "terraform output -json event_harness > map.json")
    assert json.loads((clone / "map.json").read_text())["schema"] == 1
    replay = command_of("docs/failures.md", "--resources map.json")
    said = in_shell(replay.replace(" aws", f" {target.endpoint_url}"), clone, **there)
    assert "0 replayed, 0 not" in said

    assert "Destroy complete!" in led_in(clone, delete, APPLY)
    assert inventory(target) == []
    assert "has ended" in in_shell("make down", clone)
