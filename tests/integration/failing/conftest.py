"""A second system, beside that of the session, which tests may break and restore."""

import json
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from event_harness.deployments.deployment import Deployment
from event_harness.deployments.record import DeploymentRecord
from event_harness.listening.listener import Listener
from event_harness.producers import producers_for
from event_harness.producers.inflight import InFlight
from event_harness.results.sent import Sent
from event_harness.system.correlation import new_session_id
from event_harness.terraform import toolchain
from resilience.fault_injection import FaultInjection

ROOT = Path(__file__).parents[3]


class Breakable:
    """The sample system. Tests can change its functions and buckets; each change is undone afterwards."""

    def __init__(self, system):
        self.system = system
        self.target = system.target
        self.listener = Listener(
            system.resources, system.target, new_session_id(), sla=60, in_flight=InFlight(4)
        )
        self.producer = producers_for(self.listener)["source"]
        self.source, self.processor, self.destination = system.resources.components
        self.s3, self.functions = self.target.client("s3"), self.target.client("lambda")

    @contextmanager
    def broken(self, function=None, *, timeout=None, retries=0, **environ):
        """Change a function's timeout, retries and environment (None removes a variable).

        The function is the text processor unless named.
        """
        name = function or self.processor.function
        before = self.functions.get_function_configuration(FunctionName=name)
        variables = {**before["Environment"]["Variables"], **environ}
        self._configure(name, timeout or before["Timeout"], retries, variables)
        try:
            yield
        finally:
            self._configure(name, before["Timeout"], 2, before["Environment"]["Variables"])

    def _configure(self, name, timeout, retries, variables):
        variables = {key: value for key, value in variables.items() if value is not None}
        self.functions.update_function_configuration(
            FunctionName=name, Timeout=timeout, Environment={"Variables": variables}
        )
        self.functions.get_waiter("function_updated_v2").wait(FunctionName=name)
        self.functions.put_function_event_invoke_config(
            FunctionName=name,
            MaximumRetryAttempts=retries,
            MaximumEventAgeInSeconds=3600,
            DestinationConfig={"OnFailure": {"Destination": self._arn_of(name)}},
        )

    def _arn_of(self, function):
        queues = {s.function: s.failure_queue_url for s in (self.processor, self.system.resources.listener)}
        answer = self.target.client("sqs").get_queue_attributes(
            QueueUrl=queues[function], AttributeNames=["QueueArn"]
        )
        return answer["Attributes"]["QueueArn"]

    def put(self, body, key=None):
        """Put an object whose key S3 doesn't notify of. Return its `Sent` and its ETag, for `invoke`."""
        key = key or self.producer.new_key("untold.md")
        etag = self.s3.put_object(Bucket=self.source.bucket, Key=key, Body=body)["ETag"].strip('"')
        return Sent(key, "source", time.time(), f"s3://{self.source.bucket}/{key}", len(body)), etag

    def record(self, sent, etag, sequencer):
        """The event record of one version of an object."""
        return {
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {
                "bucket": {"name": self.source.bucket},
                "object": {"key": sent.correlation_id, "eTag": etag, "sequencer": sequencer},
            },
        }

    def invoke(self, event):
        """Invoke the text processor with an event, asynchronously, as S3 does."""
        self.functions.invoke(
            FunctionName=self.processor.function, InvocationType="Event", Payload=json.dumps(event)
        )

    def outputs(self, sent):
        """The content of an input's output in the destination bucket, or None."""
        try:
            answer = self.s3.get_object(Bucket=self.destination.bucket, Key=sent.correlation_id)
        except self.s3.exceptions.NoSuchKey:
            return None
        return answer["Body"].read().decode()

    def attempts(self, sent):
        """How often the text processor has started with an input."""
        client = self.target.client("logs")
        pages = client.get_paginator("filter_log_events").paginate(logGroupName=self.processor.log_group)
        lines = [event["message"] for page in pages for event in page["events"]]
        return sum("processing" in line and sent.correlation_id in line for line in lines)

    def failed(self, component=None):
        """The number of messages in the failure queue of a component (the text processor unless named)."""
        answer = self.target.client("sqs").get_queue_attributes(
            QueueUrl=(component or self.processor).failure_queue_url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )
        return sum(map(int, answer["Attributes"].values()))


@pytest.fixture(scope="session")
def _breakable(deployment, tmp_path_factory):
    target = deployment.target
    tools = toolchain.find(None, target=target.name)
    record = DeploymentRecord.create(
        tmp_path_factory.mktemp("breakable"), root=ROOT, target=target.name, endpoint_url=target.endpoint_url
    )
    with Deployment(ROOT, target, tools, record) as system:
        yield Breakable(system)


@pytest.fixture
def breakable(_breakable):
    """The second system, its failure queues empty."""
    for component in (_breakable.processor, _breakable.system.resources.listener):
        _breakable.target.client("sqs").purge_queue(QueueUrl=component.failure_queue_url)
    return _breakable


@pytest.fixture(scope="session")
def injected(deployment, tmp_path_factory):
    """A proxy before the local AWS emulator that injects faults when told to; none at first."""
    log = tmp_path_factory.mktemp("injected") / "microburst.log"
    with FaultInjection(deployment.target, log) as injected:
        yield injected
