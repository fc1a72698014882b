"""The local target can't reach the real AWS, and reads none of the user's credentials.

The tests plant settings and credentials of every kind. All of them lead to a trap that records its visitors.
"""

import contextlib
import os
import socket
import subprocess
import threading
import time

import psutil
import pytest
import slowed
from small_functions import SmallFunction

from event_harness.aws.emulator import LocalEmulator
from event_harness.terraform import toolchain
from event_harness.terraform.overrides import write_override

SERVICES = {
    "cloudwatch": "list_metrics",
    "dynamodb": "list_tables",
    "events": "list_event_buses",
    "iam": "list_roles",
    "kinesis": "list_streams",
    "lambda": "list_functions",
    "logs": "describe_log_groups",
    "resourcegroupstaggingapi": "get_resources",
    "s3": "list_buckets",
    "sns": "list_topics",
    "sqs": "list_queues",
    "ssm": "describe_parameters",
    "sts": "get_caller_identity",
}

ROOT = """
resource "aws_s3_bucket" "this" {
  bucket_prefix = "isolation-"
}

resource "aws_sns_topic" "this" {
  name_prefix = "isolation-"
}

data "aws_caller_identity" "this" {}

output "account" {
  value = data.aws_caller_identity.this.account_id
}
"""


class Trap:
    """A server in place of every host that must not be reached. It records each connection."""

    def __init__(self):
        self.visits = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, address = self.server.accept()
            except OSError:
                return
            self.visits.append(address)
            connection.close()


@pytest.fixture
def trap():
    trap = Trap()
    yield trap
    trap.server.shutdown(socket.SHUT_RDWR)
    trap.server.close()


@pytest.fixture
def planted(trap, tmp_path, monkeypatch):
    """The environment of a user with a real account, a proxy and more. All of it leads to the trap."""
    thief = tmp_path / "credentials"
    thief.write_text(f"#!/bin/sh\ntouch '{tmp_path}/stolen'\n")
    thief.chmod(0o755)
    config = tmp_path / "config"
    config.write_text(
        f"[default]\nregion = us-east-1\nendpoint_url = {trap.url}\ncredential_process = {thief}\n"
        f"[profile production]\nregion = us-east-1\nendpoint_url = {trap.url}\ncredential_process = {thief}\n"
        f"s3 =\n  use_accelerate_endpoint = true\n"
    )
    environ = {
        "AWS_PROFILE": "production",
        "AWS_ACCESS_KEY_ID": "AKIAPLANTEDPLANTED00",
        "AWS_SECRET_ACCESS_KEY": "planted-secret",
        "AWS_SESSION_TOKEN": "planted-token",
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(config),
        "AWS_REGION": "us-east-1",
        "AWS_CA_BUNDLE": str(tmp_path / "planted.pem"),
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_ENDPOINT_URL": trap.url,
        **{f"AWS_ENDPOINT_URL_{name.upper()}": trap.url for name in SERVICES},
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{trap.url}/planted",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": trap.url,
        **dict.fromkeys(["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"], trap.url),
        "TF_CLI_CONFIG_FILE": str(tmp_path / "planted.tfrc"),
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    yield environ
    assert trap.visits == []
    assert not (tmp_path / "stolen").exists()


@pytest.fixture
def aws(planted, tmp_path):
    with LocalEmulator.start(tmp_path / "aws") as running:
        yield running


@pytest.fixture
def tools():
    # Before anything is planted: how providers are got is not what is tested here.
    return toolchain.find(target="local")


def test_clients_connect_to_the_emulator_and_to_nothing_else(aws, monkeypatch):
    addresses = []
    connect = socket.socket.connect
    monkeypatch.setattr(
        socket.socket, "connect", lambda self, address: addresses.append(address) or connect(self, address)
    )
    target = aws.target()
    for service, operation in SERVICES.items():
        getattr(target.client(service), operation)()
    assert set(addresses) == {("127.0.0.1", aws.port)}


def test_functions_see_nothing_of_the_users_environment(aws, planted, tmp_path):
    function = SmallFunction(
        aws.target(), "import os\ndef handler(event, context): return dict(os.environ)\n"
    )
    seen = function()
    assert "planted" not in str(seen).lower()
    assert seen["AWS_ENDPOINT_URL"] == aws.endpoint_url
    assert not [name for name in seen if name.startswith("AWS_ENDPOINT_URL_")]


def test_functions_reach_the_emulator_and_no_other_host(aws):
    source = (
        "import boto3, urllib.request\n"
        "def handler(event, context):\n"
        "    buckets = boto3.client('s3').list_buckets()['Buckets']\n"
        "    try: urllib.request.urlopen('https://sts.amazonaws.com', timeout=10)\n"
        "    except OSError as error: return [buckets, str(error)]\n"
    )
    buckets, error = SmallFunction(aws.target(), source)()
    assert buckets == []
    assert "refused" in error


class Watch:
    """Records every remote address that a process and its children connect to while they run."""

    def __init__(self, pid):
        self.process = psutil.Process(pid)
        self.seen = set()
        self.thread = threading.Thread(target=self._look)
        self.thread.start()

    def _look(self):
        while self.process.is_running() and self.process.status() != psutil.STATUS_ZOMBIE:
            with contextlib.suppress(psutil.Error):  # it has ended just now
                for process in [self.process, *self.process.children(recursive=True)]:
                    with contextlib.suppress(psutil.Error):
                        remotes = [connection.raddr for connection in process.net_connections(kind="inet")]
                        self.seen |= {(remote.ip, remote.port) for remote in remotes if remote}
            time.sleep(0.005)


def test_terraform_connects_to_the_emulator_and_to_nothing_else(tools, aws, planted, tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (root / "main.tf").write_text(ROOT)
    target = aws.target()
    write_override(root, endpoint_url=aws.endpoint_url, old_provider=tools.old_provider)
    seen = set()

    def terraform(*arguments, internet=False):
        environ = target.environ(os.environ, allow_internet=internet) | tools.environ()
        with subprocess.Popen(
            [tools.binary, *arguments],
            cwd=root,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            watch = Watch(process.pid)
            output = process.communicate()[0]
        watch.thread.join()
        assert process.returncode == 0, output
        seen.update(watch.seen)
        return output

    terraform("init", "-no-color", internet=tools.providers == "registry")
    if tools.providers == "registry":
        seen.clear()  # with the mirror not even init leaves the machine
    # Most connections are there for milliseconds. One call takes its time, so that the watch sees it.
    with slowed.first_call(target, "sns", "CreateTopic", seconds=3) as slow:
        terraform("apply", "-auto-approve", "-no-color")
    assert len(slow.strikes) == 1
    assert terraform("output", "-raw", "account") == "000000000000"
    assert len(target.client("sns").list_topics()["Topics"]) == 1
    terraform("destroy", "-auto-approve", "-no-color")
    assert ("127.0.0.1", aws.port) in seen
    assert {ip for ip, _ in seen} == {"127.0.0.1"}


def test_terraform_itself_finds_every_other_host_barred(tools, aws, tmp_path):
    """Go programs obey the proxy settings: a request to another host is refused, its name not looked up."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "main.tf").write_text(
        'terraform {\n  required_providers {\n    null = { source = "hashicorp/null" }\n  }\n}\n'
    )
    empty = tmp_path / "empty.tfrc"
    empty.touch()
    environ = aws.target().environ(os.environ) | tools.environ()
    done = subprocess.run(
        [tools.binary, "init", "-no-color"],
        cwd=tmp_path / "root",
        env=environ | {"TF_CLI_CONFIG_FILE": str(empty), "TF_REGISTRY_DISCOVERY_RETRY": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "127.0.0.1:9: connect: connection refused" in " ".join(done.stderr.split())
