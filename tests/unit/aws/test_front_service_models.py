"""What MiniStack is told of a service's model is what botocore says of it."""

import subprocess
import sys
from pathlib import Path

import botocore
import botocore.session
import pytest
from ministack.core import responses

from event_harness.aws.front import service_models

SERVICES = ("s3", "sqs", "sns", "lambda", "dynamodb", "iam", "states", "monitoring", "cloudfront", "ec2")


def whole(service):
    """Botocore's model of a service, as MiniStack finds it."""
    name = responses._BOTOCORE_NAME.get(service, service)
    try:
        return botocore.session.get_session().get_service_model(name)
    except botocore.exceptions.UnknownServiceError:
        return None


@pytest.mark.parametrize("service", SERVICES)
def test_metadata_are_those_of_botocore(service):
    told = service_models.quick(lambda _: pytest.fail("the whole model was read"))(service)
    assert told.metadata == whole(service).metadata


def test_metadata_of_each_service_that_botocore_knows_are_at_the_beginning():
    names = [path.name for path in (Path(botocore.__file__).parent / "data").iterdir() if path.is_dir()]
    services = [name for name in names if whole_is_there(name)]
    assert len(services) > 300
    assert [name for name in services if not service_models.metadata_of(name)["protocol"]] == []


def whole_is_there(name):
    return any((Path(botocore.__file__).parent / "data" / name).glob("*/service-2.json.gz"))


def test_whatever_else_is_asked_comes_from_the_whole_model():
    told = service_models.quick(whole)("sqs")
    assert "SendMessage" in told.operation_names
    assert told.operation_model("SendMessage").output_shape.members.keys() >= {"MessageId"}


@pytest.mark.parametrize("service", ["execute-api", "", "../sqs/2012-11-05"])
def test_service_without_a_model_has_none(service):
    assert service_models.quick(whole)(service) is None


SCRIPT = """
import sys
from ministack.core import responses
from event_harness.aws.front import service_models
if {installed}:
    service_models.install()
for service, emitted in (("sqs", "application/json"), ("iam", "application/xml"), ("ec2", "text/xml"),
                         ("s3", "text/xml"), ("lambda", "application/x-amz-json-1.0")):
    for status in (200, 400):
        headers = {{"Content-Type": emitted}}
        responses.fix_success_content_type(service, status, headers)
        responses.fix_error_content_type(service, status, headers)
        print(service, status, headers)
print("botocore" in sys.modules, file=sys.stderr)
"""


def test_answers_have_the_same_types_without_botocore():
    said = []
    for installed in (True, False):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT.format(installed=installed)],
            capture_output=True,
            text=True,
            check=True,
        )
        said.append((done.stdout, done.stderr.strip()))
    assert said[0][0] == said[1][0]
    assert [loaded for _, loaded in said] == ["False", "True"]
