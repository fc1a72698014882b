"""The emulator answers every API call that hashicorp/aws 6.x makes for the types that we declare.

The provider itself can't be had everywhere, so its calls are listed in a data file and made with boto3.
"""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import jmespath
from botocore import xform_name
from botocore.exceptions import ClientError
from small_functions import zipped

from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.targets import Target

REPOSITORY = Path(__file__).parents[2]
CALLS = tomllib.loads(
    (Path(__file__).parent / "data" / "aws-provider-6-calls.toml").read_text(encoding="utf-8")
)
PHASES = ("create", "read", "update", "delete")
# They make no calls.
COMPUTED = {"data.aws_iam_policy_document", "data.aws_partition"}


class Player:
    """Makes calls on an emulator and keeps what later calls need."""

    def __init__(self, target: Target, name: str) -> None:
        self.target = target
        self.known: dict[str, Any] = {
            "unique": name,
            "region": target.region,
            "account": "000000000000",
            "zip": zipped("def handler(event, context): return None\n"),
            "trust_policy": _policy("sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"}),
            "allow_policy": _policy("logs:PutLogEvents", Resource="*"),
            "queue_policy": _policy("sqs:SendMessage", Principal={"AWS": "*"}, Resource="*"),
            "bucket_policy": _policy(  # a public one would be refused
                "s3:GetObject",
                Principal={"AWS": "arn:aws:iam::000000000000:root"},
                Resource=f"arn:aws:s3:::{name}/*",
            ),
        }

    def play(self, step: dict[str, Any]) -> str | None:
        """Make one call; return why it failed, None if the provider could go on."""
        service, operation = step["call"].split(".")
        try:
            client = self.target.client(service, retries={"total_max_attempts": 1})
            answer = getattr(client, xform_name(operation))(**self._filled(step["with"]))
        except ClientError as error:
            code = error.response["Error"]["Code"]
            return None if code in step.get("errors", ()) else f"{step['call']}: {error}"
        except KeyError as error:
            return f"{step['call']}: an earlier call failed, so {error} isn't known"
        for name, expression in step.get("save", {}).items():
            self.known[name] = jmespath.search(expression, answer)
            if not self.known[name]:
                return f"{step['call']}: the answer has no {expression}"
        return None

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._filled(inner) for inner in value]
        if not isinstance(value, str):
            return value
        if whole := re.fullmatch(r"\$(\w+)", value):
            return self.known[whole[1]]
        return re.sub(r"\$(\w+)", lambda name: str(self.known[name[1]]), value)


def _policy(action: str, **more: Any) -> str:
    statement = {"Effect": "Allow", "Action": action, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_emulator_answers_every_call_of_a_newer_provider(tmp_path: Path) -> None:
    """All gaps in one list, each with the type and the phase that it breaks."""
    gaps = []
    with LocalEmulator.start(tmp_path / "aws") as aws:
        player = Player(aws.target(), "calls-of-newer-providers")
        order = [(type_, phase) for type_ in CALLS for phase in ("create", "read")]
        order += [(type_, "update") for type_ in CALLS]
        order += [(type_, "delete") for type_ in reversed(CALLS)]
        for type_, phase in order:
            played = [player.play(step) for step in CALLS[type_].get(phase, [])]
            gaps += [f"{type_}, {phase}: {gap}" for gap in played if gap]
    assert not gaps, "\n".join(gaps)


def test_every_type_that_we_declare_has_its_calls_listed() -> None:
    """A new type in a module or an example must come with its calls."""
    places = ["main.tf", "modules", "examples"]
    files = [f for place in places for f in _terraform_files(REPOSITORY / place)]
    pattern = re.compile(r'^(resource|data) "(aws_\w+)"', re.MULTILINE)
    found = {m for f in files for m in pattern.findall(f.read_text(encoding="utf-8"))}
    declared = {f"data.{type_}" if kind == "data" else type_ for kind, type_ in found}
    assert declared - COMPUTED - set(CALLS) == set()


def test_every_listed_type_has_its_calls_for_each_phase() -> None:
    for type_, phases in CALLS.items():
        assert set(phases) <= set(PHASES), type_
        needed = {"read"} if type_.startswith("data.") else set(PHASES)
        assert needed <= set(phases), f"{type_} lacks {needed - set(phases)}"


def _terraform_files(place: Path) -> list[Path]:
    files = [place] if place.is_file() else list(place.rglob("*.tf"))
    return [f for f in files if not any(part.startswith(".") for part in f.relative_to(REPOSITORY).parts)]
