"""The finding about each type of component, and how it is connected."""

import json
from dataclasses import replace

import pytest
from explained import Anything, question
from listener_fakes import World, client_error

from event_harness.explaining.probes.components import ask
from event_harness.explaining.wiring import stops
from event_harness.results.sent import Sent
from event_harness.system.resources import Component

FUNCTION = Component("processor", "lambda", function="processor", log_group="/processor")
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:processor"
QUEUE = Component("orders", "sqs", queue_url="https://sqs/1/orders")
TOPIC = Component("placed", "sns", topic_arn="arn:aws:sns:eu-west-1:1:placed")
BUS = Component("shop", "eventbridge", bus="shop")
TABLE = Component("records", "dynamodb", table="records")
STREAM = Component("readings", "kinesis", stream="readings")


def asked(component, *, sent_to=None, filtered=None, **services):
    world = World()
    world.target.clients |= {name: Anything(**answers) for name, answers in services.items()}
    sent = Sent("run/1", sent_to or component.name, 1000.0, "somewhere", 1, filtered or {})
    return ask(question(world, sent), component)


def messages(waiting, taken=0, delayed=0):
    counts = {"": waiting, "NotVisible": taken, "Delayed": delayed}
    named = {f"ApproximateNumberOfMessages{name}": str(number) for name, number in counts.items()}
    return {"get_queue_attributes": {"Attributes": named | {"QueueArn": "arn:aws:sqs:r:1:orders"}}}


def mapped(**mapping):
    return {"list_event_source_mappings": {"EventSourceMappings": [{"FunctionArn": ARN} | mapping]}}


@pytest.mark.parametrize(
    ("counts", "state", "text"),
    [
        ((2,), "unknown", "2 messages waiting, 0 in flight (about)"),
        ((0, 1), "running", "1 message in flight: received, and not deleted yet; 0 waiting"),
        ((0, 0, 3), "unknown", "0 messages waiting, 0 in flight, 3 delayed (about)"),
        ((0,), "unknown", "0 messages waiting, 0 in flight (about); it doesn't tell which have passed"),
    ],
)
def test_a_queue_tells_waiting_messages_from_those_in_flight(counts, state, text):
    found = asked(QUEUE, sqs=messages(*counts), **{"lambda": mapped()}).finding
    assert (found.state, found.text) == (state, text)


@pytest.mark.parametrize(
    ("component", "services", "text"),
    [
        (TOPIC, {"sns": {"get_topic_attributes": {}, "list_subscriptions_by_topic": {}}}, "there; a topic"),
        (BUS, {"events": {"describe_event_bus": {}, "list_rules": {}}}, "there; a bus"),
        (TABLE, {"dynamodb": {"describe_table": {"Table": {"TableStatus": "ACTIVE"}}}}, "ACTIVE, stream off"),
        (
            STREAM,
            {
                "kinesis": {
                    "describe_stream_summary": {
                        "StreamDescriptionSummary": {"StreamStatus": "ACTIVE", "OpenShardCount": 1}
                    }
                }
            },
            "ACTIVE, 1 shard open",
        ),
    ],
)
def test_what_keeps_nothing_is_unknown_by_itself(component, services, text):
    found = asked(component, **services).finding
    assert found.state == "unknown"
    assert found.text.startswith(text)


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        ("arn:aws:firehose:eu-west-1:123456789012:deliverystream/clicks", "firehose"),
        ("arn:", "arn:"),
        ("aws_kinesis_firehose_delivery_stream.clicks", "aws_kinesis_firehose_delivery_stream"),
        ('module.a["x.y[0]"].module.b[1].aws_mq_broker.this["p.\\"q"]', "aws_mq_broker"),
        ("data.aws_msk_cluster.main", "aws_msk_cluster"),
        ("the printer", "the printer"),
    ],
)
def test_a_component_that_the_harness_does_not_know_is_said_to_be_not_looked_into(resource, kind):
    found = asked(Component("clicks", "other", resource=resource)).finding
    assert (found.state, found.text) == (
        "unknown",
        f"not looked into: the harness doesn't know {kind}",
    )


def test_a_component_that_is_gone_is_said_to_be_gone():
    gone = {"describe_event_bus": client_error("ResourceNotFoundException")}
    found = asked(BUS, events=gone).finding
    assert (found.state, found.cause) == ("failed", "shop: shop isn't there; was it destroyed?")


def test_a_log_group_that_does_not_exist_is_an_empty_log():
    missing = {"filter_log_events": client_error("ResourceNotFoundException")}
    found = asked(FUNCTION, logs=missing).finding
    assert (found.state, found.text) == ("not reached", "not invoked since the send")


def test_how_a_component_is_connected_is_not_known_where_that_may_not_be_asked():
    denied = {"list_event_source_mappings": client_error("AccessDeniedException")}
    seen = asked(QUEUE, sqs=messages(0), **{"lambda": denied})
    assert seen.links is None
    assert seen.finding.details == ("how it is connected is not known (AccessDeniedException)",)


def subscription(policy=None, scope=None, arn="arn:aws:sns:r:1:placed:1", **more):
    attributes = {"FilterPolicy": json.dumps(policy)} if policy else {}
    attributes |= {"FilterPolicyScope": scope} if scope else {}
    return {
        "get_topic_attributes": {},
        "list_subscriptions_by_topic": {
            "Subscriptions": [{"SubscriptionArn": arn, "Endpoint": "arn:aws:sqs:r:1:orders"} | more]
        },
        "get_subscription_attributes": {"Attributes": attributes},
    }


def rule(pattern, **more):
    return {
        "describe_event_bus": {},
        "list_rules": {"Rules": [{"Name": "orders", "EventPattern": json.dumps(pattern)} | more]},
        "list_targets_by_rule": {"Targets": [{"Arn": ARN}]},
    }


@pytest.mark.parametrize(
    ("component", "services", "filtered", "to", "told"),
    [
        (TOPIC, {"sns": subscription()}, {}, QUEUE, None),
        (
            TOPIC,
            {"sns": subscription({"kind": ["order"]})},
            {"attributes": {}},
            QUEUE,
            'its subscription filters it out: kind must be "order", the event has no such field',
        ),
        (TOPIC, {"sns": subscription({"kind": ["order"]})}, {"attributes": {"kind": "order"}}, QUEUE, None),
        (
            TOPIC,
            {"sns": subscription({"kind": ["order"]}, "MessageBody")},
            {"attributes": {"kind": "order"}, "body": {"kind": "x"}},
            QUEUE,
            'its subscription filters it out: kind must be "order", the event has another text, '
            "of 1 characters",
        ),
        (TOPIC, {"sns": subscription({"kind": ["order"]})}, {}, QUEUE, None),  # its content isn't known
        (
            TOPIC,
            {"sns": {"get_topic_attributes": {}, "list_subscriptions_by_topic": {}}},
            {},
            QUEUE,
            "it has no subscription",
        ),
        (
            TOPIC,
            {"sns": subscription(arn="PendingConfirmation")},
            {},
            QUEUE,
            "its subscription is not confirmed",
        ),
        (
            TOPIC,
            {"sns": subscription()},
            {},
            replace(QUEUE, name="other", queue_url="https://sqs/1/other"),
            "none leads to other: subscription to orders",
        ),
        (BUS, {"events": rule({"source": ["shop"]})}, {"event": {"source": "shop"}}, FUNCTION, None),
        (
            BUS,
            {"events": rule({"source": ["shop"]})},
            {"event": {"source": "harness"}},
            FUNCTION,
            'its rule orders filters it out: source must be "shop", the event has another text, '
            "of 7 characters",
        ),
        (
            BUS,
            {"events": rule({"source": ["shop"]}, State="DISABLED")},
            {"event": {"source": "shop"}},
            FUNCTION,
            "its rule orders is disabled",
        ),
        (
            BUS,
            {"events": {**rule({"source": ["shop"]}), "list_targets_by_rule": {"Targets": []}}},
            {"event": {"source": "shop"}},
            FUNCTION,
            "none leads to processor: rule orders has no target",
        ),
        (QUEUE, {"sqs": messages(1), "lambda": mapped()}, {}, FUNCTION, None),
        (
            QUEUE,
            {"sqs": messages(1), "lambda": mapped(State="Disabled")},
            {},
            FUNCTION,
            "its event source mapping is disabled",
        ),
        (
            QUEUE,
            {
                "sqs": messages(1),
                "lambda": mapped(
                    FilterCriteria={"Filters": [{"Pattern": json.dumps({"body": {"kind": ["order"]}})}]}
                ),
            },
            {"record": {"body": {"kind": "test"}}},
            FUNCTION,
            'its event source mapping filters it out: body.kind must be "order", the event has another text, '
            "of 4 characters",
        ),
    ],
)
def test_why_a_connection_stops_an_input(component, services, filtered, to, told):
    links = asked(component, filtered=filtered, **services).links
    assert next(stops(list(links), to, component.type), None) == told


def test_a_filter_is_not_held_against_an_input_that_was_sent_elsewhere():
    """What the function before the topic has published isn't known."""
    services = {"sns": subscription({"kind": ["order"]})}
    links = asked(TOPIC, sent_to="source", filtered={"attributes": {}}, **services).links
    assert next(stops(list(links), QUEUE, "sns"), None) is None


@pytest.mark.parametrize(
    ("rules", "key", "told"),
    [
        ({"suffix": ".txt"}, "run/1.txt", None),
        (
            {"suffix": ".txt"},
            "run/1.md",
            "its notification takes only keys that end in '.txt', this one ends in '1.md'",
        ),
        (
            {"Prefix": "in/"},
            "run/1",
            "its notification takes only keys that begin with 'in/', this one begins with 'run'",
        ),
    ],
)
def test_a_notification_is_held_against_the_key(rules, key, told):
    world = World()
    world.buckets.notifications.clear()
    world.buckets.notify("source-bucket", "processor", **rules)
    world.buckets.put_object(Bucket="source-bucket", Key=key, Body=b"")
    sent = Sent("run/1", "source", 1000.0, f"s3://source-bucket/{key}", 0)
    links = ask(question(world, sent), world.resources.component("source")).links
    assert next(stops(list(links), FUNCTION, "s3"), None) == told
