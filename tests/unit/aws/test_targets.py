"""Targets: the clients and environments that they make. Requests are caught before they are sent."""

import os
import re
import types
from getpass import GetPassWarning

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
    UnauthorizedSSOTokenError,
)
from botocore.loaders import JSONFileLoader
from botocore.parsers import ResponseParserError

from event_harness.aws import targets
from event_harness.aws.credentials import Credentials
from event_harness.aws.targets import NOWHERE, Target
from event_harness.errors import CredentialsError, EmulatorError, EmulatorGoneError, SettingError

URL = "http://127.0.0.1:4567"

PLANTED = {
    "AWS_PROFILE": "production",
    "AWS_DEFAULT_PROFILE": "production",
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_SECRET_ACCESS_KEY": "real-secret",
    "AWS_SESSION_TOKEN": "real-token",
    "AWS_ENDPOINT_URL": "https://s3.amazonaws.com",
    "AWS_ENDPOINT_URL_S3": "https://s3.amazonaws.com",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": "/planted/config",
    "AWS_SHARED_CREDENTIALS_FILE": "/planted/credentials",
    "AWS_CA_BUNDLE": "/planted/bundle.pem",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/planted/token",
    "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/real",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.2/creds",
    "AWS_MAX_ATTEMPTS": "99",
    "HTTP_PROXY": "http://proxy.example:3128",
    "HTTPS_PROXY": "http://proxy.example:3128",
}


@pytest.fixture
def planted(monkeypatch):
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)
    return {**os.environ}


@pytest.fixture
def sent(monkeypatch):
    """Calls an operation and returns the request that would have been sent."""
    monkeypatch.setattr(AWSResponse, "content", b"")

    def call(client, operation, **arguments):
        requests = []

        def catch(request, **_):
            requests.append(request)
            return AWSResponse(request.url, 200, {}, None)

        client.meta.events.register("before-send", catch)
        getattr(client, operation)(**arguments)
        return requests[0]

    return call


class FakeSession:
    """Makes clients of STS that fail in one way."""

    def __init__(self, error):
        self.error = error

    def client(self, service, **_):
        return self

    def get_caller_identity(self):
        raise self.error


def test_local_clients_ignore_all_of_the_users_environment(planted, sent):
    request = sent(Target.local(URL).client("s3"), "head_object", Bucket="bucket", Key="a/b c")
    assert request.url == f"{URL}/bucket/a/b%20c"
    assert "Credential=test/" in str(request.headers["Authorization"])
    assert "/eu-west-1/s3/" in str(request.headers["Authorization"])
    assert "X-Amz-Security-Token" not in request.headers


def test_local_clients_use_no_proxy(planted):
    client = Target.local(URL).client("sqs")
    assert client._endpoint.http_session._proxy_config.proxy_url_for(URL) is None
    assert client.meta.config.retries["total_max_attempts"] == 8


def test_children_on_the_local_target_see_nothing_of_the_users_aws(planted):
    environ = Target.local(URL, "eu-central-1").environ(planted)
    aws = {name: value for name, value in environ.items() if name.startswith("AWS_")}
    assert aws == {
        "AWS_ENDPOINT_URL": URL,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.mark.parametrize(
    "name", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"]
)
def test_children_on_the_local_target_can_not_leave_this_machine(planted, name):
    environ = Target.local(URL).environ(planted)
    assert environ[name] == NOWHERE
    assert environ["NO_PROXY"] == environ["no_proxy"] == "127.0.0.1,localhost"


def test_init_may_use_the_users_network_but_not_their_account(planted):
    environ = Target.local(URL).environ(planted, allow_internet=True)
    assert environ["HTTPS_PROXY"] == PLANTED["HTTPS_PROXY"]
    assert environ["AWS_ACCESS_KEY_ID"] == "test"
    assert "AWS_PROFILE" not in environ


def test_children_keep_variables_that_are_not_about_aws(planted):
    assert Target.local(URL).environ({"PATH": "/bin", "TF_VAR_x": "1"}).items() >= {
        ("PATH", "/bin"),
        ("TF_VAR_x", "1"),
    }


def test_real_account_changes_only_the_region_of_the_environment():
    target = Target("aws", "eu-west-3")
    base = {"AWS_PROFILE": "nightly", "HTTPS_PROXY": "http://proxy.example:3128", "AWS_REGION": "us-east-1"}
    region = {"AWS_REGION": "eu-west-3", "AWS_DEFAULT_REGION": "eu-west-3"}
    assert target.environ(base) == base | region


def test_clients_are_made_once_for_the_same_settings():
    target = Target.local(URL)
    assert target.client("sns") is target.client("sns")
    assert target.client("sns") is not target.client("sns", read_timeout=5)
    assert target.client("sns", read_timeout=5).meta.config.read_timeout == 5


def test_two_emulators_share_the_models_of_services_and_nothing_else(planted, sent, monkeypatch):
    one = Target.local(URL, "eu-west-1", credentials=Credentials("one", "secret"))
    two = Target.local("http://127.0.0.1:9", "us-east-2", credentials=Credentials("two", "secret"))
    one.client("stepfunctions")
    monkeypatch.setattr(JSONFileLoader, "load_file", lambda *_: pytest.fail("a model was read again"))
    requests = [sent(target.client("stepfunctions"), "list_activities") for target in (one, two)]
    assert [request.url for request in requests] == [f"{URL}/", "http://127.0.0.1:9/"]
    signed = [str(request.headers["Authorization"]).split("Credential=")[1] for request in requests]
    assert [re.match(r"(\w+)/\d+/([^/]+)/states", text).groups() for text in signed] == [
        ("one", "eu-west-1"),
        ("two", "us-east-2"),
    ]
    keys = [target.signing_credentials().access_key for target in (one, two)]
    assert keys == ["one", "two"]


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://127.0.0.1:4566", "http://127.0.0.1:4566"),
        ("http://localhost:4566/", "http://127.0.0.1:4566"),
        ("http://[::1]:4566", "http://[::1]:4566"),
        ("http://127.0.0.1", "http://127.0.0.1"),
    ],
)
def test_emulator_on_this_machine_is_taken_by_its_number(url, endpoint):
    target = Target.emulator(url)
    assert (target.name, target.endpoint_url) == ("local", endpoint)


@pytest.mark.parametrize(
    "url", ["http://emulator.example:4566", "https://s3.amazonaws.com", "http://10.0.0.1:4566"]
)
def test_emulator_elsewhere_must_be_allowed_expressly(url):
    with pytest.raises(SettingError, match=r"is not on this machine.*Allow it with --allow-remote"):
        Target.emulator(url)
    target = Target.emulator(url, allow_remote=True)
    assert target.endpoint_url == url
    assert target.environ({})["NO_PROXY"].endswith(url.split("/")[2].split(":")[0])


@pytest.mark.parametrize(
    "url",
    ["", "4566", "127.0.0.1:4566", "ftp://127.0.0.1", "http://", "http://127.0.0.1:port", "http://[::1"],
)
def test_text_that_is_no_url_is_refused(url):
    with pytest.raises(SettingError, match="is not the URL of an emulator"):
        Target.emulator(url)


def test_emulator_that_does_not_answer_is_one_clear_line():
    target = Target("local", "eu-west-1", URL, FakeSession(EndpointConnectionError(endpoint_url=URL)))
    with pytest.raises(EmulatorError, match=f"no AWS emulator answers at {URL}: start it"):
        target.check()


def refused():
    """The error that botocore raises when a connection is refused."""
    error = EndpointConnectionError(endpoint_url=URL)
    error.__context__ = OSError("a new connection failed")
    error.__context__.__cause__ = ConnectionRefusedError()
    return error


def test_emulator_on_this_machine_is_gone_once_nothing_listens_on_its_port():
    with pytest.raises(EmulatorGoneError):
        Target("local", "eu-west-1", URL, FakeSession(refused())).check()


@pytest.mark.parametrize(
    ("url", "error"),
    [
        (URL, ReadTimeoutError(endpoint_url=URL)),
        (URL, ConnectionClosedError(endpoint_url=URL)),
        (URL, EndpointConnectionError(endpoint_url=URL)),
        (URL, ClientError({"Error": {"Code": "500"}}, "GetCallerIdentity")),
        ("http://10.0.0.1:4566", refused()),
    ],
)
def test_emulator_that_hangs_or_fails_or_is_elsewhere_does_not_count_as_gone(url, error):
    with pytest.raises(EmulatorError) as caught:
        Target("local", "eu-west-1", url, FakeSession(error)).check()
    assert not isinstance(caught.value, EmulatorGoneError)


def client_error(code):
    return ClientError({"Error": {"Code": code, "Message": "said\nso"}}, "GetCallerIdentity")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (client_error("ExpiredToken"), r"the AWS credentials have expired \(ExpiredToken\): renew them"),
        (client_error("InvalidClientTokenId"), "AWS refuses the credentials"),
        (client_error("InternalError"), "did not tell whose credentials"),
        (NoCredentialsError(), "no AWS credentials found: provide them"),
        (
            PartialCredentialsError(provider="env", cred_var="aws_secret_access_key"),
            "incomplete AWS credentials",
        ),
        (UnauthorizedSSOTokenError(), "aws sso login"),
        (EndpointConnectionError(endpoint_url="https://sts"), "did not tell whose credentials"),
        (
            EOFError(),
            r"\(nobody answers\): a profile with mfa_serial needs a terminal to ask for a code",
        ),
        (
            OSError("pytest: reading from\nstdin"),
            r"\(pytest: reading from stdin\): a profile with mfa_serial",
        ),
        (GetPassWarning("Can not control echo"), "needs a terminal to ask for a code"),
    ],
)
def test_credentials_that_do_not_work_are_one_clear_line(error, message):
    with pytest.raises(CredentialsError, match=message) as caught:
        Target("aws", "eu-west-1", None, FakeSession(error)).check()
    assert "\n" not in str(caught.value)
    assert "use the target local" in str(caught.value)


def test_real_account_needs_a_region(monkeypatch):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    with pytest.raises(SettingError, match="no AWS region: give one"):
        Target.aws()
    assert Target.aws("eu-north-1").region == "eu-north-1"


def test_region_of_the_environment_counts_on_a_real_account(monkeypatch):
    """Terraform and every other SDK read AWS_REGION; boto3 does not."""
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_REGION", "ap-south-1")
    assert Target.aws().region == "ap-south-1"


def test_profile_that_does_not_exist_is_one_clear_line(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    with pytest.raises(CredentialsError, match=r"\(nobody\).*look at AWS_PROFILE"):
        Target.aws("eu-west-1")


def test_environment_of_an_emulator_is_refused_as_a_real_account(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:4566")
    with pytest.raises(SettingError, match="AWS_ENDPOINT_URL is http://localhost:4566: unset it"):
        Target.aws("eu-west-1")


@pytest.mark.parametrize("free", [True, False])
def test_emulator_is_gone_once_its_port_is_free(monkeypatch, free):
    monkeypatch.setattr(targets, "is_free", lambda port: free and port == 4567)
    assert Target.local(URL).gone() == free


@pytest.mark.parametrize("target", [Target("aws", "eu-west-1"), Target.local("http://10.0.0.1:9")])
def test_target_that_is_not_on_this_machine_is_never_gone(target):
    assert not target.gone()


def test_web_server_instead_of_aws_is_one_clear_line(monkeypatch):
    def page():
        raise ResponseParserError("mismatched tag: line 6\n<!DOCTYPE html>\n<html>")

    monkeypatch.setattr(Target, "client", lambda *_, **__: types.SimpleNamespace(get_caller_identity=page))
    with pytest.raises(
        EmulatorError, match=r"^http://127\.0\.0\.1:9 is not an AWS service: .*correct the URL$"
    ):
        Target.local("http://127.0.0.1:9").check()
