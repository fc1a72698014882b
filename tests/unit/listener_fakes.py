"""Fakes of the services that the listener talks to: a clock, a results table, queues, buckets, logs."""

import json
import threading
from collections import defaultdict
from email.utils import formatdate
from functools import lru_cache
from urllib.parse import quote_plus

from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError

from event_harness.listening.listener import Listener
from event_harness.producers import S3Producer
from event_harness.results.reader import Reader
from event_harness.results.results_table import ResultsTable
from event_harness.system.resources import ResourceMap, Results

_serialized = TypeSerializer().serialize
# Each look at a table reads the same values again. Typed: 1 and True are equal, but differ here.
_serialized_before = lru_cache(maxsize=100_000, typed=True)(_serialized)


def _serialize(value):
    return _serialized_before(value) if isinstance(value, (str, int)) else _serialized(value)


def client_error(code, message="said no", status=400, operation="Query"):
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}},
        operation,
    )


class Clock:
    """Time that passes only while somebody sleeps; `at` plans what happens meanwhile."""

    def __init__(self, now=1000.0):
        self.now = now
        self.planned = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        assert seconds > 0, "a pause of nothing is a busy loop"
        until = self.now + seconds
        while self.planned and self.planned[0][0] <= until:
            when, action = self.planned.pop(0)
            self.now = max(self.now, when)
            action()
        self.now = until

    def after(self, seconds, action):
        self.planned.append((self.now + seconds, action))
        self.planned.sort(key=lambda plan: plan[0])


FIELDS = [
    "first_received_at",
    "deliveries",
    "correlation_id",
    "source",
    "source_type",
    "event_time",
    "size",
    "body_kind",
    "gone_reason",
    "metadata",
    "request_id",
]


class Table:
    """A results table: strongly consistent Query on the index with paging, in LSI order, and GetItem."""

    def __init__(self, clock, page=1000):
        self.clock = clock
        self.page = page
        self.items = {}
        self.queries = []
        self.query_times = []
        self.errors = []  # raised by the next queries, one each
        self.get_errors = []
        self.gone = False
        self.dated = True  # each answer says when it was sent
        self.lock = threading.Lock()

    def record(self, correlation_id, text="HELLO", *, event_id=None, skew=0.0, source="destination", **more):
        """What the listener function does: an UpdateItem that counts deliveries."""
        received_at = round((self.clock() + skew) * 1000)
        session_id = correlation_id.partition("/")[0] if correlation_id else "uncorrelated"
        event_id = event_id or f"{source}:{len(self.items)}"
        with self.lock:
            old = self.items.get((session_id, event_id), {})
            item = {
                "session_id": session_id,
                "event_id": event_id,
                "received_at": received_at,
                "first_received_at": old.get("first_received_at", received_at),
                "deliveries": old.get("deliveries", 0) + 1,
                "source": source,
                "source_type": "s3",
                "size": len(text),
                "body_kind": "text" if isinstance(text, str) else "bytes",
                "body": text,
                "metadata": json.dumps({"key": correlation_id}),
                "request_id": "request-1",
                "expires_at": 0,
                **({"correlation_id": correlation_id} if correlation_id else {}),
                **more,
            }
            self.items[session_id, event_id] = item
        return item

    def query(self, **kwargs):
        self.queries.append(kwargs)
        self.query_times.append(self.clock())
        assert kwargs["ConsistentRead"] is True
        assert kwargs["IndexName"] == "by_arrival"
        assert kwargs["KeyConditionExpression"] == "#0 = :session AND #2 >= :since"
        names = kwargs["ExpressionAttributeNames"]
        assert (names["#0"], names["#2"]) == ("session_id", "received_at")
        assert "body" not in names.values()
        if self.gone:
            raise client_error("ResourceNotFoundException", "Requested resource not found")
        if self.errors:
            raise self.errors.pop(0)
        session_id = kwargs["ExpressionAttributeValues"][":session"]["S"]
        since = int(kwargs["ExpressionAttributeValues"][":since"]["N"])
        with self.lock:
            found = [
                i for i in self.items.values() if i["session_id"] == session_id and i["received_at"] >= since
            ]
        found.sort(key=lambda item: (item["received_at"], item["event_id"]))
        start = kwargs.get("ExclusiveStartKey")
        if start:
            after = (int(start["received_at"]["N"]), start["event_id"]["S"])
            found = [item for item in found if (item["received_at"], item["event_id"]) > after]
        shown = [names[placeholder] for placeholder in kwargs["ProjectionExpression"].split(", ")]
        page = [{k: _serialize(v) for k, v in item.items() if k in shown} for item in found[: self.page]]
        answer = {"Items": page}
        if self.dated:
            headers = {"date": formatdate(self.clock(), usegmt=True)}
            answer["ResponseMetadata"] = {"HTTPHeaders": headers}
        if len(found) > self.page:
            last = found[self.page - 1]
            answer["LastEvaluatedKey"] = {
                k: _serialize(last[k]) for k in ("session_id", "received_at", "event_id")
            }
        return answer

    def scan(self, *, TableName, ProjectionExpression):  # noqa: N803
        assert (TableName, ProjectionExpression) == ("results", "session_id")
        return {"Items": [{"session_id": _serialize(session)} for session, _ in self.items]}

    def get_item(self, *, Key, ConsistentRead, ProjectionExpression, ExpressionAttributeNames, **_):  # noqa: N803
        assert ConsistentRead is True
        if self.gone:
            raise client_error("ResourceNotFoundException", operation="GetItem")
        if self.get_errors:
            raise self.get_errors.pop(0)
        item = self.items.get((Key["session_id"]["S"], Key["event_id"]["S"]))
        if item is None:
            return {}
        shown = [ExpressionAttributeNames[name] for name in ProjectionExpression.split(", ")]
        return {"Item": {name: _serialize(item[name]) for name in shown if name in item}}


RESULTS = Results(table="results", index="by_arrival", overflow_bucket="overflow")


def reader_of(table, clock, **more):
    """A reader of that table, of the session `run`."""
    more = {"spawn": lambda work: work()} | more
    return Reader(ResultsTable(RESULTS, table, None), "run", clock=clock, sleep=clock.sleep, **more)


class Queues:
    """SQS: failure queues that hide what they hand out until it is given back."""

    def __init__(self):
        self.messages = defaultdict(list)
        self.hidden = set()
        self.sent = []
        self.deleted = []
        self.error = None

    def put(self, url, body, attributes=None, sent_ms=1_000_000):
        message_id = f"message-{sum(map(len, self.messages.values()))}"
        self.messages[url].append(
            {
                "MessageId": message_id,
                "ReceiptHandle": f"{url}#{message_id}",
                "Body": body if isinstance(body, str) else json.dumps(body),
                "Attributes": {"SentTimestamp": str(sent_ms)},
                "MessageAttributes": {
                    k: {"DataType": "String", "StringValue": v} for k, v in (attributes or {}).items()
                },
            }
        )
        return message_id

    def receive_message(self, *, QueueUrl, MaxNumberOfMessages, VisibilityTimeout, **_):  # noqa: N803
        if self.error:
            raise self.error
        assert MaxNumberOfMessages <= 10
        assert VisibilityTimeout <= 30, "a peek hides messages for a moment only"
        visible = [m for m in self.messages[QueueUrl] if m["ReceiptHandle"] not in self.hidden]
        taken = visible[:MaxNumberOfMessages]
        self.hidden |= {message["ReceiptHandle"] for message in taken}
        return {"Messages": taken} if taken else {}

    def change_message_visibility_batch(self, *, QueueUrl, Entries):  # noqa: N803
        assert 1 <= len(Entries) <= 10
        assert len({entry["Id"] for entry in Entries}) == len(Entries)
        for entry in Entries:
            assert entry["VisibilityTimeout"] == 0
            self.hidden.discard(entry["ReceiptHandle"])
        return {}

    def send_message(self, **kwargs):
        self.sent.append(kwargs)
        return {"MessageId": "1"}


class Buckets:
    """S3: objects by bucket and key."""

    def __init__(self, *names):
        self.objects = {name: {} for name in names}
        self.error = None
        self.notifications = {}  # bucket -> what it answers about its notifications

    def put_object(self, *, Bucket, Key, Body, **more):  # noqa: N803
        if self.error:
            raise self.error
        if Bucket not in self.objects:
            raise client_error("NoSuchBucket", "The specified bucket does not exist", 404, "PutObject")
        self.objects[Bucket][Key] = (bytes(Body), more)
        return {"ETag": '"etag"'}

    def get_object(self, *, Bucket, Key):  # noqa: N803
        if Key not in self.objects[Bucket]:
            raise client_error("NoSuchKey", "The specified key does not exist", 404, "GetObject")
        body = self.objects[Bucket][Key][0]
        return {"Body": Stream(body), "ETag": '"etag"'}

    def head_object(self, *, Bucket, Key):  # noqa: N803
        if Key not in self.objects[Bucket]:
            raise client_error("404", "Not Found", 404, "HeadObject")
        return {"ContentLength": len(self.objects[Bucket][Key][0])}

    def notify(self, bucket, function, **rules):
        """Notify a function of a bucket's new objects; `prefix` and `suffix` filter their keys."""
        filter_rules = [{"Name": name, "Value": value} for name, value in rules.items()]
        self.notifications.setdefault(bucket, {}).setdefault("LambdaFunctionConfigurations", []).append(
            {
                "LambdaFunctionArn": f"arn:aws:lambda:eu-west-1:123456789012:function:{function}",
                "Events": ["s3:ObjectCreated:*"],
                "Filter": {"Key": {"FilterRules": filter_rules}},
            }
        )

    def get_bucket_notification_configuration(self, *, Bucket):  # noqa: N803
        return self.notifications.get(Bucket, {})

    def list_objects_v2(self, *, Bucket, MaxKeys, Prefix=""):  # noqa: N803
        found = [key for key in sorted(self.objects[Bucket]) if key.startswith(Prefix)]
        return {"Contents": [{"Key": k, "Size": len(self.objects[Bucket][k][0])} for k in found[:MaxKeys]]}


class Logs:
    """CloudWatch Logs: lines of groups."""

    def __init__(self):
        self.groups = defaultdict(list)
        self.error = None

    def write(self, group, message, at=1000.0, stream="stream"):
        line = message if isinstance(message, str) else json.dumps(message)
        self.groups[group].append({"timestamp": int(at * 1000), "message": line, "logStreamName": stream})

    def invoked(self, group, request_id, *lines, at=1000.0, stream="stream"):
        """The lines of one invocation, between the platform's own."""
        self.write(group, f"START RequestId: {request_id} Version: $LATEST", at, stream)
        for line in lines:
            self.write(group, line, at, stream)
        self.write(group, f"END RequestId: {request_id}", at, stream)

    def filter_log_events(self, *, logGroupName, startTime, nextToken=None):  # noqa: N803
        if self.error:
            raise self.error
        events = [event for event in self.groups[logGroupName] if event["timestamp"] >= startTime]
        start = int(nextToken or 0)
        page = {"events": events[start : start + 5]}
        return page | ({"nextToken": str(start + 5)} if len(events) > start + 5 else {})


class Stream:
    def __init__(self, body):
        self.body = body

    def read(self):
        return self.body


class Target:
    """Hands out the fakes as clients; remembers the settings asked for."""

    skew = 3.0
    emulator_log = None
    endpoint_url = None
    name = "local"
    region = "eu-west-1"

    def __init__(self, **clients):
        self.clients = clients
        self.settings = []

    def client(self, service, **config):
        self.settings.append((service, config))
        return self.clients[service]


MAP = {
    "schema": 1,
    "region": "eu-west-1",
    "results": {"table": "results", "index": "by_arrival", "overflow_bucket": "overflow"},
    "listener": {"function": "listener", "log_group": "/listener", "failure_queue_url": "queue/listener"},
    "sources": {"destination": {"type": "s3", "correlation": {"from": "key", "at": None}}},
    "components": [
        {"name": "source", "type": "s3", "bucket": "source-bucket", "queue_url": None},
        {
            "name": "processor",
            "type": "lambda",
            "function": "processor",
            "log_group": "/processor",
            "failure_queue_url": "queue/processor",
        },
        {"name": "destination", "type": "s3", "bucket": "destination-bucket"},
    ],
}


def envelope(event, error="NotUtf8Error", message="not UTF-8", function="processor"):
    """What Lambda sends to an on-failure destination."""
    return {
        "version": "1.0",
        "timestamp": "2026-11-22T10:00:00Z",
        "requestContext": {
            "requestId": "11111111-1111-1111-1111-111111111111",
            "functionArn": f"arn:aws:lambda:eu-west-1:123456789012:function:{function}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorType": error, "errorMessage": message, "stackTrace": []},
    }


def s3_event(key, bucket="source-bucket"):
    return {
        "Records": [{"eventSource": "aws:s3", "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}]
    }


class World:
    """A deployed system of fakes with a listener of session `run` and a producer for its first component."""

    def __init__(self, sla=15, resources=MAP, **more):
        self.clock = Clock()
        self.table = Table(self.clock)
        self.queues = Queues()
        self.buckets = Buckets("source-bucket", "destination-bucket", "overflow")
        self.buckets.notify("source-bucket", "processor")
        self.buckets.notify("destination-bucket", "listener")
        self.logs = Logs()
        self.target = Target(dynamodb=self.table, sqs=self.queues, s3=self.buckets, logs=self.logs)
        self.target.clients["lambda"] = None  # a function takes inputs, too; these tests send it none
        self.resources = (
            resources
            if isinstance(resources, ResourceMap)
            else ResourceMap.from_mapping(resources, "the test's map")
        )
        more = {"clock": self.clock, "sleep": self.clock.sleep, "spawn": lambda work: work()} | more
        self.listener = Listener(self.resources, self.target, "run", sla=sla, **more)
        self.producer = S3Producer(
            self.resources.component("source"),
            self.target,
            "run",
            inflight=self.listener.inflight,
            now=self.clock,
        )

    def send(self, body="hello", **more):
        return self.producer.send(body, **more)

    def arrives(self, sent, after, text="HELLO", **more):
        """Plan that the result of an input is recorded some seconds from now."""
        self.clock.after(after, lambda: self.table.record(sent.correlation_id, text, **more))

    def fails(self, sent, after, queue="queue/processor"):
        event = envelope(
            s3_event(quote_plus(sent.correlation_id, safe="/")), function=queue.removeprefix("queue/")
        )
        self.clock.after(after, lambda: self.queues.put(queue, event, sent_ms=int(self.clock() * 1000)))

    def passed(self, action):
        """Seconds that pass during an action, and what it returns or raises."""
        began = self.clock()
        try:
            outcome = action()
        except Exception as error:
            outcome = error
        return self.clock() - began, outcome
