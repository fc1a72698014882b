"""The finding about each type of component."""

import pytest
from explained import explain, finding
from listener_fakes import MAP, World, client_error


class Anything:
    """SQS, SNS, EventBridge, DynamoDB and Kinesis as components, with the answers that a test wants."""

    def __init__(self, **answers):
        self.answers = answers

    def __getattr__(self, name):
        answer = self.answers[name]
        if isinstance(answer, Exception):
            raise answer
        return lambda **_: answer


@pytest.mark.parametrize(
    ("component", "service", "answers", "state", "text"),
    [
        (
            {"type": "sqs", "queue_url": "u"},
            "sqs",
            {"get_queue_attributes": {"Attributes": {"ApproximateNumberOfMessages": "2"}}},
            "bad",
            "2 messages waiting, 0 being worked on (about)",
        ),
        (
            {"type": "sqs", "queue_url": "u"},
            "sqs",
            {"get_queue_attributes": {"Attributes": {"ApproximateNumberOfMessages": "0"}}},
            "open",
            "0 messages waiting",
        ),
        (
            {"type": "sns", "topic_arn": "a"},
            "sns",
            {"get_topic_attributes": {"Attributes": {"SubscriptionsConfirmed": "0"}}},
            "bad",
            "no subscription",
        ),
        (
            {"type": "sns", "topic_arn": "a"},
            "sns",
            {"get_topic_attributes": {"Attributes": {"SubscriptionsConfirmed": "2"}}},
            "open",
            "there, 2 subscriptions",
        ),
        (
            {"type": "eventbridge", "bus": "b"},
            "events",
            {"describe_event_bus": {}},
            "open",
            "there; a bus keeps",
        ),
        (
            {"type": "eventbridge", "bus": "b"},
            "events",
            {"describe_event_bus": client_error("ResourceNotFoundException")},
            "bad",
            "b isn't there",
        ),
        (
            {"type": "dynamodb", "table": "t"},
            "dynamodb",
            {"describe_table": {"Table": {"TableStatus": "ACTIVE"}}},
            "open",
            "ACTIVE, stream off",
        ),
        (
            {"type": "kinesis", "stream": "s"},
            "kinesis",
            {
                "describe_stream_summary": {
                    "StreamDescriptionSummary": {"StreamStatus": "ACTIVE", "OpenShardCount": 1}
                }
            },
            "open",
            "ACTIVE, 1 shards open",
        ),
    ],
)
def test_a_component_of_any_type_says_what_it_can(component, service, answers, state, text):
    world = World(resources=MAP | {"components": [MAP["components"][0], {"name": "component", **component}]})
    world.target.clients[service] = Anything(**answers)
    found = finding(explain(world, world.send()), "component")
    assert found.state == state
    assert text in found.text
