"""The calls of the AWS SDK that the emulator makes for state machines are those of MiniStack's own tables."""

import pytest
from ministack.services import stepfunctions

from event_harness.system.graph import sdk_calls
from event_harness.system.graph.sdk_calls import is_made


def test_services_are_those_of_ministack():
    known = set(stepfunctions._AWS_SDK_SERVICE_MAP)
    assert sdk_calls._SERVICES | sdk_calls._ONLY.keys() == known


def test_calls_of_objects_are_those_of_ministack():
    assert sdk_calls._ONLY["s3"] == set(stepfunctions._S3_OP_SPECS)


@pytest.mark.parametrize(
    ("service", "action", "made"),
    [
        ("s3", "putObject", False),
        ("s3", "headObject", True),
        ("lambda", "invoke", False),
        ("lambda", "getFunction", True),
        ("dynamodb", "query", True),
        ("bedrockruntime", "invokeModel", False),
    ],
)
def test_call_is_made_or_not(service, action, made):
    assert is_made(service, action) is made
