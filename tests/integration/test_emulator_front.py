"""The front of MiniStack: which requests it admits, its forward proxy, and the API gaps that it fills."""

import base64
import http.client
import json
import os
import re
import subprocess
import sys
import zipfile

import boto3
import pytest
from botocore import UNSIGNED
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials as BotoCredentials
from botocore.exceptions import ClientError
from small_functions import SmallFunction

from event_harness.aws import code_bucket, launching
from event_harness.aws.credentials import WELL_KNOWN, Credentials
from event_harness.aws.emulator import LocalEmulator
from event_harness.aws.targets import Target

BUCKET = "front-bucket"
TABLES = ("POST", "/", {"X-Amz-Target": "DynamoDB_20120810.ListTables"}, b"{}")


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    with LocalEmulator.start(tmp_path_factory.mktemp("front") / "aws") as running:
        running.target().client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        yield running


@pytest.fixture
def target(aws):
    return aws.target()


@pytest.fixture
def ask(aws):
    """Sends a request as it is, and returns the status and the text of the response."""

    def send(method, path, headers=None, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", aws.port, timeout=120)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    return send


@pytest.fixture
def signed(aws):
    """Signs ListTables and returns the headers."""

    def headers(credentials=aws.credentials, **more):
        method, path, given, body = TABLES
        request = AWSRequest(
            method, f"{aws.endpoint_url}{path}", {**given, "Content-Type": "application/x-amz-json-1.0"}, body
        )
        signer = SigV4Auth(
            BotoCredentials(credentials.access_key, credentials.secret_key), "dynamodb", "eu-west-1"
        )
        signer.add_auth(request)
        return dict(request.headers) | more

    return headers


def test_request_that_is_signed_with_the_emulators_key_is_answered(ask, signed):
    assert ask("POST", "/", signed(), b"{}") == (200, '{"TableNames": []}')


@pytest.mark.parametrize(
    "credentials",
    [
        lambda own: WELL_KNOWN,
        lambda own: Credentials("000000000000", "test"),
        lambda own: Credentials.fresh(),
        lambda own: Credentials(own.access_key, "another secret"),
        lambda own: Credentials("test", own.secret_key),
    ],
    ids=["well-known key", "account's number", "another key", "another secret", "well-known id"],
)
def test_request_that_is_signed_with_another_key_is_refused(aws, ask, signed, credentials):
    status, said = ask("POST", "/", signed(credentials(aws.credentials)), b"{}")
    assert status == 403
    assert "accepts only the credentials that it was started with" in said


def test_request_whose_body_is_not_the_signed_one_is_refused(ask, signed):
    assert ask("POST", "/", signed(), b'{"Limit": 1}')[0] == 403


@pytest.mark.parametrize(
    "request_",
    [
        TABLES,
        ("GET", f"/{BUCKET}"),
        ("PUT", f"/{BUCKET}/key", {}, b"text"),
        ("POST", "/_ministack/reset"),
        ("POST", "/_ministack/config", {}, b"{}"),
        ("GET", "/_ministack/lambda-code/000000000000/eu-west-1/small"),
        ("GET", "/_aws/sqs/messages?QueueUrl=http://x/q"),
        ("GET", "/v20180820/tags/arn%3Aaws%3As3%3A%3A%3Afront-bucket"),
        # Names an API that anybody may call, and a path that MiniStack takes for itself or for a service.
        ("POST", "/_ministack/reset", {"Host": "0123abcd.execute-api.localhost"}),
        ("GET", "/v20180820/tags/front-bucket", {"Host": "0123abcd.execute-api.localhost"}),
        ("POST", "/v1/apis/x/graphql", {"X-Amz-Target": "DynamoDB_20120810.ListTables"}, b"{}"),
        # Names an operation that anybody may call, in a request that does something else.
        ("PUT", f"/{BUCKET}", {"X-Amz-Target": "AWSCognitoIdentityProviderService.SignUp"}),
        ("GET", "/", {"Host": f"{BUCKET}.localhost", "X-Amz-Target": "AWSCognitoIdentityService.GetId"}),
    ],
    ids=str,
)
def test_request_without_a_signature_is_refused(ask, request_):
    assert ask(*request_)[0] == 403


@pytest.mark.parametrize("path", ["/_ministack/health", "/_ministack/ready"])
def test_health_is_told_without_a_signature(ask, path):
    assert ask("GET", path)[0] == 200


def test_web_page_is_refused_even_with_the_key(ask, signed):
    status, said = ask("POST", "/", signed(Origin="https://page.example"), b"{}")
    assert (status, "answers no web page" in said) == (403, True)


@pytest.mark.parametrize("host", ["page.example", "127.0.0.1.page.example:80", "10.0.0.1"])
@pytest.mark.parametrize("path", ["/", "/_ministack/health"])
def test_host_of_another_machine_is_refused(ask, host, path):
    """A page whose name is bound to 127.0.0.1 after it was loaded counts as of the same origin."""
    status, said = ask("GET", path, {"Host": host})
    assert (status, "answers to 127.0.0.1 and localhost only" in said) == (403, True)


@pytest.mark.parametrize("host", ["localhost", "[::1]:80", "127.0.0.1", f"{BUCKET}.localhost"])
def test_host_of_this_machine_is_answered(ask, host):
    assert ask("GET", "/_ministack/health", {"Host": host})[0] == 200


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_url_works_in_a_browser_too(aws, target, ask, version):
    client = target.client("s3", signature_version=version)
    parameters = {"Bucket": BUCKET, "Key": "ä b+c/%.txt"}
    put, get = (
        client.generate_presigned_url(operation, Params=parameters).removeprefix(aws.endpoint_url)
        for operation in ("put_object", "get_object")
    )
    assert ask("PUT", put, {"Origin": "http://localhost:3000"}, b"text")[0] == 200
    assert ask("GET", get) == (200, "text")
    assert ask("GET", get.replace("c/%25.txt", "another.txt"))[0] == 403


def test_form_upload_works_with_its_signed_policy_only(target, ask):
    post = target.client("s3").generate_presigned_post(BUCKET, "form.txt")

    def form(fields):
        parts = "".join(
            f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()
        )
        return f'{parts}--b\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--b--\r\n'.encode()

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert ask("POST", f"/{BUCKET}", headers, form(post["fields"]))[0] == 204
    other = base64.b64encode(b'{"expiration": "2099-01-01T00:00:00Z", "conditions": []}').decode()
    assert ask("POST", f"/{BUCKET}", headers, form({**post["fields"], "policy": other}))[0] == 403


def test_keys_that_the_emulator_has_issued_are_accepted(aws, target):
    iam, sts = target.client("iam"), target.client("sts")
    iam.create_user(UserName="user")
    key = iam.create_access_key(UserName="user")["AccessKey"]
    user = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    assert Target.local(aws.endpoint_url, credentials=user).check().arn.endswith(":user/user")
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    arn = iam.create_role(RoleName="role", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    session = sts.assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    assumed = boto3.client(
        "sts",
        endpoint_url=aws.endpoint_url,
        region_name="eu-west-1",
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    assert ":assumed-role/role/session" in assumed.get_caller_identity()["Arn"]


@pytest.fixture
def unsigned(aws):
    """Makes clients that sign nothing."""
    return lambda service: boto3.client(
        service,
        endpoint_url=aws.endpoint_url,
        region_name="eu-west-1",
        config=Config(signature_version=UNSIGNED),
    )


def test_sign_up_of_a_user_needs_no_signature_as_on_aws(target, unsigned):
    client = target.client("cognito-idp")
    pool = client.create_user_pool(PoolName="pool")["UserPool"]["Id"]
    app = client.create_user_pool_client(UserPoolId=pool, ClientName="app")["UserPoolClient"]["ClientId"]
    unsigned("cognito-idp").sign_up(ClientId=app, Username="user", Password="Passw0rd!")  # noqa: S106
    assert client.admin_get_user(UserPoolId=pool, Username="user")["Username"] == "user"
    with pytest.raises(ClientError, match="accepts only the credentials"):
        unsigned("cognito-idp").list_users(UserPoolId=pool)


def test_nobody_gets_credentials_without_a_signature(unsigned):
    """The emulator checks no token of another identity provider."""
    with pytest.raises(ClientError, match="accepts only the credentials"):
        unsigned("sts").assume_role_with_web_identity(
            RoleArn="arn:aws:iam::000000000000:role/any", RoleSessionName="any", WebIdentityToken="anything"
        )
    with pytest.raises(ClientError, match="accepts only the credentials"):
        unsigned("cognito-identity").get_credentials_for_identity(IdentityId="eu-west-1:any")


def test_function_url_and_api_are_open_as_on_aws(target, ask):
    function = SmallFunction(
        target, "def handler(event, context): return {'statusCode': 200, 'body': 'open'}\n", name="open"
    )
    url = function.client.create_function_url_config(FunctionName="open", AuthType="NONE")["FunctionUrl"]
    assert ask("GET", "/", {"Host": url.split("/")[2], "Origin": "https://page.example"}) == (200, "open")
    client = target.client("apigatewayv2")
    api = client.create_api(Name="open", ProtocolType="HTTP")["ApiId"]
    integration = client.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationUri="arn:aws:lambda:eu-west-1:000000000000:function:open",
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    client.create_route(ApiId=api, RouteKey="GET /any", Target=f"integrations/{integration}")
    client.create_stage(ApiId=api, StageName="test", AutoDeploy=True)
    assert ask("GET", f"/_aws/execute-api/{api}/test/any") == (200, "open")


S3_CONTROL = """
import boto3
control, arn = boto3.client("s3control"), "arn:aws:s3:::front-bucket"
account = boto3.client("sts").get_caller_identity()["Account"]
asked = {"AccountId": account, "ResourceArn": arn}
control.tag_resource(**asked, Tags=[{"Key": "team", "Value": "ä b"}])
print(control.list_tags_for_resource(**asked)["Tags"])
control.untag_resource(**asked, TagKeys=["team"])
print(control.list_tags_for_resource(**asked)["Tags"])
print(control.meta.endpoint_url)
"""


def run(script, environ):
    return subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=False
    )


def test_host_that_a_client_invents_is_the_emulator_in_terraforms_environment(aws, target):
    """botocore, and the AWS provider from 6.23 on, ask S3 Control at `<account>.<the endpoint's host>`."""
    done = run(S3_CONTROL, target.environ(os.environ))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["[{'Key': 'team', 'Value': 'ä b'}]", "[]", aws.endpoint_url]


def test_s3_control_is_answered_under_its_account_as_host(aws, ask):
    """Without a proxy, for clients that resolve such names themselves."""
    request = AWSRequest(
        "GET",
        f"http://000000000000.127.0.0.1:{aws.port}/v20180820/tags/arn%3Aaws%3As3%3A%3A%3A{BUCKET}",
        {"x-amz-account-id": "000000000000", "x-amz-content-sha256": "UNSIGNED-PAYLOAD"},
    )
    keys = BotoCredentials(aws.credentials.access_key, aws.credentials.secret_key)
    S3SigV4Auth(keys, "s3", "eu-west-1").add_auth(request)
    host = f"000000000000.127.0.0.1:{aws.port}"
    status, said = ask("GET", request.url.partition(host)[2], {**dict(request.headers), "Host": host})
    assert (status, "ListTagsForResourceResult" in said) == (200, True)


def test_proxy_leads_every_host_to_the_emulator_and_still_wants_a_signature(aws, target, ask):
    assert ask("GET", "http://sts.eu-west-1.amazonaws.com/")[0] == 403
    assert ask("GET", "http://page.example/_ministack/health")[0] == 200
    script = (
        "import boto3\n"
        "client = boto3.client('sts', endpoint_url='http://sts.eu-west-1.amazonaws.com')\n"
        "print(client.get_caller_identity()['Account'])\n"
    )
    assert run(script, target.environ(os.environ)).stdout == "000000000000\n"


def test_proxy_says_that_it_leads_to_no_other_server_of_this_machine(ask):
    status, said = ask("GET", "http://127.0.0.1:9/path")
    assert (status, "no proxy to other servers" in said) == (502, True)


def test_https_fails_at_once_in_terraforms_environment(target, ask):
    script = (
        "import boto3, botocore.config\n"
        "once = botocore.config.Config(retries={'total_max_attempts': 1})\n"
        "boto3.client('sts', endpoint_url='https://sts.eu-west-1.amazonaws.com', config=once)"
        ".get_caller_identity()\n"
    )
    assert "ProxyConnectionError" in run(script, target.environ(os.environ)).stderr
    assert ask("CONNECT", "sts.eu-west-1.amazonaws.com:443")[0] == 403


@pytest.fixture
def stream(target):
    client = target.client("kinesis")
    client.create_stream(StreamName="stream", ShardCount=1)
    yield client.describe_stream_summary(StreamName="stream")["StreamDescriptionSummary"]["StreamARN"]
    client.delete_stream(StreamName="stream")


def test_stream_has_tags_by_its_arn(target, stream):
    client = target.client("kinesis")
    client.tag_resource(ResourceARN=stream, Tags={"team": "ä", "stage": "test"})
    client.untag_resource(ResourceARN=stream, TagKeys=["stage"])
    assert client.list_tags_for_resource(ResourceARN=stream)["Tags"] == [{"Key": "team", "Value": "ä"}]
    assert client.list_tags_for_stream(StreamName="stream")["Tags"] == [{"Key": "team", "Value": "ä"}]
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.list_tags_for_resource(ResourceARN=f"{stream}-2")


def test_function_is_made_from_a_file_of_this_machine(target, tmp_path):
    archive = tmp_path / "größe.zip"

    def pack(answer):
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("app.py", f"def handler(event, context): return {answer!r}")

    def invoke():
        return json.load(client.invoke(FunctionName="of-a-file")["Payload"])

    assert code_bucket.is_known_to(target)
    client = target.client("lambda")
    code = {"S3Bucket": code_bucket.BUCKET, "S3Key": str(archive)}
    function = {
        "FunctionName": "of-a-file",
        "Role": "arn:aws:iam::000000000000:role/r",
        "Handler": "app.handler",
        "Runtime": "python3.12",
    }
    missing = rf"unable to load {re.escape(str(archive))}: No such file"
    with pytest.raises(ClientError, match=missing):
        client.create_function(Code=code, **function)
    pack("first")
    client.create_function(Code=code, **function)
    assert invoke() == "first"
    pack("second")
    client.update_function_code(FunctionName="of-a-file", **code)
    assert invoke() == "second"
    archive.unlink()
    with pytest.raises(ClientError, match=missing):
        client.update_function_code(FunctionName="of-a-file", **code)
    assert invoke() == "second"
    client.delete_function(FunctionName="of-a-file")


def test_emulator_without_our_front_knows_no_files(tmp_path, monkeypatch):
    """As one that an older release of the harness has started: functions come from their files then."""
    monkeypatch.setattr(launching, "FRONT", "ministack")
    with LocalEmulator.start(tmp_path / "aws") as plain:
        assert not code_bucket.is_known_to(plain.target())
    assert not code_bucket.is_known_to(plain.target())


def test_ministack_itself_still_lacks_tags_by_arn(tmp_path, monkeypatch):
    """If this fails, MiniStack has them: delete event_harness/aws/front/kinesis_tags.py."""
    monkeypatch.setattr(launching, "FRONT", "ministack")
    with LocalEmulator.start(tmp_path / "aws") as plain:
        client = plain.target().client("kinesis")
        with pytest.raises(ClientError, match="InvalidAction"):
            client.list_tags_for_resource(ResourceARN="arn:aws:kinesis:eu-west-1:000000000000:stream/s")


GIVEN = {
    "Enrichment": "arn:aws:lambda:eu-west-1:000000000000:function:enrich",
    "SourceParameters": {
        "FilterCriteria": {"Filters": [{"Pattern": '{"eventName": ["INSERT"]}'}]},
        "DynamoDBStreamParameters": {"StartingPosition": "TRIM_HORIZON", "BatchSize": 5},
    },
    "TargetParameters": {"InputTemplate": "<$.dynamodb>"},
}


def piped(target):
    """A pipe between a table and a topic; returns the client of EventBridge Pipes."""
    table = target.client("dynamodb").create_table(
        TableName="piped",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]
    topic = target.client("sns").create_topic(Name="piped")["TopicArn"]
    client = target.client("pipes")
    role = "arn:aws:iam::000000000000:role/pipe"
    client.create_pipe(Name="piped", Source=table["LatestStreamArn"], Target=topic, RoleArn=role, **GIVEN)
    return client


def test_pipe_has_the_parameters_that_it_was_given(target):
    client = piped(target)
    try:
        found = client.describe_pipe(Name="piped")
        assert {name: found.get(name) for name in GIVEN} == GIVEN
        changed = {"DynamoDBStreamParameters": {"BatchSize": 9}}
        client.update_pipe(Name="piped", RoleArn=found["RoleArn"], SourceParameters=changed)
        assert client.describe_pipe(Name="piped")["SourceParameters"] == {
            "DynamoDBStreamParameters": {"StartingPosition": "TRIM_HORIZON", "BatchSize": 9}
        }
    finally:
        client.delete_pipe(Name="piped")
        target.client("dynamodb").delete_table(TableName="piped")
        target.client("sns").delete_topic(TopicArn=found["Target"])


def test_ministack_itself_still_drops_the_parameters_of_a_pipe(tmp_path, monkeypatch):
    """If this fails, MiniStack keeps them: delete event_harness/aws/front/pipe_parameters.py."""
    monkeypatch.setattr(launching, "FRONT", "ministack")
    with LocalEmulator.start(tmp_path / "aws") as plain:
        found = piped(plain.target()).describe_pipe(Name="piped")
        assert not GIVEN.keys() & found.keys()


LOGS = """
import logging
logging.getLogger().setLevel(logging.INFO)
logging.basicConfig(format="ignored, as on Lambda")

def handler(event, context):
    logging.info("straße %s", event["number"])
    logging.getLogger("mine").warning("of a logger")
    logging.debug("not logged")
    print("printed")
    return context.aws_request_id
"""


def lines_of(target, function):
    """The lines that a function itself has logged, in order."""
    client = target.client("logs")
    pages = client.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{function}")
    messages = [event["message"].rstrip("\n") for page in pages for event in page["events"]]
    return [text for text in messages if not text.startswith(("START ", "END ", "REPORT "))]


def test_root_logger_writes_to_the_log_as_on_lambda(target):
    """A handler is there, with Lambda's format and the id of the request, cold and warm."""
    function = SmallFunction(target, LOGS, name="logs")
    ids = [function(number=number) for number in (1, 2)]
    lines = [
        re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "TIME", line) for line in lines_of(target, "logs")
    ]
    assert lines == [
        line
        for number, request in zip((1, 2), ids, strict=True)
        for line in (
            f"[INFO]\tTIME\t{request}\tstraße {number}",
            f"[WARNING]\tTIME\t{request}\tof a logger",
            "printed",
        )
    ]


def test_function_sees_the_root_logger_of_lambda(target):
    """Its level is WARNING, and it has one handler."""
    source = (
        "import logging\n"
        "def handler(event, context): return [logging.root.level, len(logging.root.handlers)]\n"
    )
    assert SmallFunction(target, source, name="sees")() == [30, 1]


def test_key_of_a_role_can_not_be_computed_from_its_name(tmp_path):
    """With authorization on, MiniStack derives the key of a function from ARNs."""
    source = "import os\ndef handler(event, context): return os.environ['AWS_SECRET_ACCESS_KEY']\n"
    keys = []
    for name in ("one", "other"):
        with LocalEmulator.start(tmp_path / name, auth=True) as aws:
            iam = aws.target().client("iam")
            role = iam.create_role(RoleName="r", AssumeRolePolicyDocument='{"Statement": []}')["Role"]["Arn"]
            keys.append(SmallFunction(aws.target(), source, role=role)())
    assert len(set(keys)) == 2
