"""Measures one whole cycle on the local target, with warm caches: init, apply, one test, destroy.

The reference is tftest as its documentation shows it, on the same root. Its emulator runs already, while ours
is started and ended in each cycle. Both sides work in this process.
"""

import json
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import tftest

from benchmarks.figures import Figure, run
from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.targets import Target
from event_harness.deployments.session import Session
from event_harness.listening.listener import Listener
from event_harness.producers import producers_for
from event_harness.settings import Settings
from event_harness.system.correlation import new_session_id
from event_harness.system.deployed_system import DeployedSystem
from event_harness.terraform import toolchain
from event_harness.terraform.overrides import write_override

ROOT = Path(__file__).parents[1]
SAMPLE = ("main.tf", "variables.tf", "outputs.tf", "versions.tf", "modules", "functions")
TIMES = 2
FUNCTIONS, QUICK_FUNCTIONS = int(os.environ.get("FUNCTIONS", "6")), 1  # of the second root
VARIABLES = {"deploy_test_resources": "true", "ephemeral": "true", "runtime": "python3.8"}
BOUND = 0.7
TEXT = "straße"
MANY = """
provider "aws" {
  region = "eu-west-1"
}

variable "runtime" {
  default = "python3.8"
}

data "archive_file" "code" {
  type        = "zip"
  source_dir  = "${path.module}/src"
  output_path = "${path.module}/code.zip"
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this" {
  name_prefix        = "many-"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_lambda_function" "this" {
  count            = COUNT
  function_name    = "many-${terraform.workspace}-${count.index}"
  role             = aws_iam_role.this.arn
  filename         = data.archive_file.code.output_path
  source_code_hash = data.archive_file.code.output_base64sha256
  handler          = "app.handler"
  runtime          = var.runtime
}

output "functions" {
  value = aws_lambda_function.this[*].function_name
}
"""
Test = Callable[[dict[str, Any], Target], None]


def measure(quick: bool) -> list[Figure]:
    """Run cycles of both sides in turn."""
    with tempfile.TemporaryDirectory(prefix="event-harness-bench-") as folder:
        sample, many = Path(folder, "sample"), Path(folder, "many")
        functions = QUICK_FUNCTIONS if quick else FUNCTIONS
        _write_many(many, functions)
        of_many = _figure(f"{functions} functions", many, 1, _invoked, _invoke)
        if quick:
            return [of_many]
        _write_sample(sample)
        return [_figure("the sample", sample, TIMES, _by_the_harness, _by_polling), of_many]


def _figure(
    case: str, root: Path, times: int, ours: Callable[[DeployedSystem], None], theirs: Test
) -> Figure:
    mine, plain = [], []
    with _plain_root(root) as (terraform, target):
        for _ in range(times):
            plain.append(_seconds(lambda: _plain(terraform(), target, theirs)))
            mine.append(_seconds(lambda: _ours(root, ours)))
    return Figure(
        "one cycle: init, apply, test, destroy",
        case,
        "s",
        mine,
        plain,
        "plain tftest",
        bounds={"median ratio": BOUND},
    )


def _ours(root: Path, test: Callable[[DeployedSystem], None]) -> None:
    session = Session(Settings(environ={}), root)
    try:
        test(session.system())
    finally:
        session.close()


def _by_the_harness(system: DeployedSystem) -> None:
    listener = Listener(system.resources, system.target, new_session_id(), sla=60)
    sent = next(iter(producers_for(listener).values())).send(TEXT)
    assert listener.wait_for(sent).text == TEXT.upper()


def _invoked(system: DeployedSystem) -> None:
    _invoke(dict(system.outputs), system.target)


def _plain(terraform: tftest.TerraformTest, target: Target, test: Test) -> None:
    terraform.setup(cleanup_on_exit=False)
    variables = {
        name: value for name, value in VARIABLES.items() if f'"{name}"' in _text(Path(terraform.tfdir))
    }
    try:
        terraform.apply(tf_vars=variables)
        outputs = dict(terraform.output())
        test(outputs, target)
    finally:
        terraform.destroy(tf_vars=variables)


def _text(root: Path) -> str:
    return "".join(file.read_text(encoding="utf-8") for file in root.glob("*.tf"))


def _by_polling(outputs: dict[str, Any], target: Target) -> None:
    """Send a text, and poll for the result: fibonacci waits with full jitter."""
    client = target.client("s3")
    client.put_object(Bucket=outputs["source_bucket"], Key="a/b.txt", Body=TEXT.encode())
    waits, deadline = (1, 1), time.monotonic() + 60
    while time.monotonic() < deadline:
        found = client.list_objects_v2(Bucket=outputs["destination_bucket"]).get("Contents", [])
        if found:
            content = client.get_object(Bucket=outputs["destination_bucket"], Key=found[0]["Key"])
            assert content["Body"].read().decode() == TEXT.upper()
            return
        time.sleep(random.uniform(0, waits[0]))
        waits = (waits[1], sum(waits))
    raise TimeoutError("no result")


def _invoke(outputs: dict[str, Any], target: Target) -> None:
    answer = target.client("lambda").invoke(FunctionName=outputs["functions"][0], Payload=b'{"a": 1}')
    assert json.load(answer["Payload"]) == {"a": 1}


@contextmanager
def _plain_root(root: Path) -> Iterator[tuple[Callable[[], tftest.TerraformTest], Target]]:
    """Makes tftest's object for a copy of a root that leads plain Terraform to an emulator."""
    tools = toolchain.find(target="local")
    copy = root.with_name(f"{root.name}-plain")
    shutil.copytree(root, copy)
    with LocalEmulator.start(root.with_name(f"{root.name}-aws")) as aws:
        write_override(
            copy, endpoint_url=aws.endpoint_url, old_provider=tools.old_provider, copied=False, version=None
        )
        target = aws.target()
        environ = target.environ(dict(os.environ)) | tools.environ()
        yield partial(tftest.TerraformTest, str(copy), binary=str(tools.binary), env=environ), target


def _write_sample(directory: Path) -> None:
    for name in SAMPLE:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        directory.mkdir(exist_ok=True)
        copy(ROOT / name, directory / name)


def _write_many(directory: Path, functions: int) -> None:
    (directory / "src").mkdir(parents=True)
    (directory / "src" / "app.py").write_text("def handler(event, context):\n    return event\n")
    (directory / "main.tf").write_text(MANY.replace("COUNT", str(functions)))


def _seconds(call: Callable[[], None]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began


if __name__ == "__main__":
    raise SystemExit(run(measure, __doc__))
