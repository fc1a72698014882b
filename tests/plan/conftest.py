"""Fixtures of the plan tests: one local AWS emulator, and one `terraform init` for each configuration."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path

import boto3
import pytest
from planning import LAYER_PARAMETER, REAL_ACCOUNT, Planner, remove

from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.targets import Target
from event_harness.terraform import toolchain

REPOSITORY = Path(__file__).parents[2]
LAYER = "arn:aws:lambda:eu-west-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-x86_64:1"
ON_REAL_ACCOUNT = "_on_real_account"  # ends the name of a directory in `cases`
CONFIGURATIONS = Path(__file__).parent / "configurations"


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEmulator]:
    with LocalEmulator.start(tmp_path_factory.mktemp("plan-aws")) as aws:
        yield aws


@pytest.fixture(scope="session")
def planner(
    emulator: LocalEmulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Planner]]:
    """A function that returns the planner for a directory of `cases`."""
    target = emulator.target()
    tools = toolchain.find(target="local")
    base = tmp_path_factory.mktemp("plans")

    ends = ExitStack()

    @cache
    def make(name: str) -> Planner:
        configuration = name.removesuffix(ON_REAL_ACCOUNT)
        if real_account := configuration != name:
            _publish_layer(target)
        root = REPOSITORY if configuration == "root" else CONFIGURATIONS / configuration
        made = Planner(root, base / name, target, tools, real_account=real_account)
        return ends.enter_context(closing(made))

    with ends:
        yield make
    remove(base)


def _publish_layer(target: Target) -> None:
    """Create the parameter that names the Powertools layer, as AWS does."""
    ssm = boto3.client(
        "ssm",
        endpoint_url=target.endpoint_url,
        region_name=target.region,
        aws_access_key_id=REAL_ACCOUNT,
        aws_secret_access_key=target.credentials.secret_key,
    )
    ssm.put_parameter(Name=LAYER_PARAMETER, Value=LAYER, Type="String", Overwrite=True)
