"""The components of a deployed system come from its graph; where events enter is found, too."""

import json

import pytest
from states import (
    LISTENER_MODULE,
    MAP,
    arn,
    as_file,
    as_show,
    bucket,
    flat,
    function,
    graph_of,
    listener,
    queue,
    resource,
    role,
    table,
    topic,
)

from event_harness.aws.targets import Target
from event_harness.errors import NoTestResourcesError, ResourceMapError
from event_harness.system.deployed_system import DeployedSystem
from event_harness.system.found_components import of_file

TAKES = ("s3", "sns", "sqs")


def mapping(source, target):
    return resource(
        f"aws_lambda_event_source_mapping.{source}",
        event_source_arn=arn("sqs", source),
        function_arn=arn("lambda", f"function:{target}"),
    )


def system(*parts, components=()):
    value = MAP | {"components": list(components)}
    graph = graph_of(*parts, *listener(arn("sqs", "out")), outputs={"event_harness": value})
    return DeployedSystem("d1", Target("aws", "eu-west-1"), {"event_harness": value}, graph=graph)


def letters(*more):
    return [
        queue("inbox"),
        function("confirm"),
        queue("out"),
        mapping("inbox", "confirm"),
        role("role", ("sqs:SendMessage", arn("sqs", "out"))),
        *more,
    ]


def test_components_need_no_list():
    resources = system(*letters()).resources
    assert [one.name for one in resources.components] == ["inbox", "confirm", "out"]
    assert resources.entry(TAKES).name == "inbox"
    assert resources.component("confirm").log_group == "/aws/lambda/confirm"


def test_list_wins_and_its_first_component_that_takes_inputs_is_the_entry():
    listed = [
        {"name": "worker", "type": "lambda", "function": "confirm"},
        {"name": "end", "type": "sqs", "queue_url": "https://sqs.eu-west-1.amazonaws.com/111122223333/out"},
    ]
    resources = system(*letters(), components=listed).resources
    assert [one.name for one in resources.components] == ["worker", "end", "inbox"]
    assert resources.entry(TAKES).name == "end"
    assert resources.entry(TAKES, "inbox").name == "inbox"


def test_several_entries_are_named_and_how_to_choose():
    resources = system(*letters(queue("other"), mapping("other", "confirm"))).resources
    with pytest.raises(
        ResourceMapError, match=r"several places: (inbox, other|other, inbox); .*harness_entry"
    ):
        resources.entry(TAKES)
    assert resources.entry(TAKES, "other").name == "other"


def test_system_without_anything_that_takes_inputs_says_so():
    with pytest.raises(ResourceMapError, match="none of its components takes inputs"):
        system(function("alone")).resources.entry(TAKES)


def test_entry_from_which_no_way_leads_to_the_listener_counts_if_there_is_no_other():
    parts = [topic("news"), queue("inbox"), function("confirm"), queue("out"), mapping("inbox", "confirm")]
    subscription = resource(
        "aws_sns_topic_subscription.inbox", topic_arn=arn("sns", "news"), endpoint=arn("sqs", "inbox")
    )
    assert system(*parts, subscription).resources.entry(("sns", "sqs")).name == "news"


def test_system_that_is_lent_keeps_its_graph():
    own = system(*letters(bucket("spare")))
    lent = DeployedSystem.from_json(own.to_json())
    assert lent == own
    assert lent.resources.components == own.resources.components
    assert all(LISTENER_MODULE not in address for address in lent.graph.nodes)


@pytest.mark.parametrize("form", [as_file, as_show])
def test_system_is_described_by_its_state_too(form, tmp_path):
    parts = [*flat(letters()), *listener(arn("sqs", "out"))]
    file = tmp_path / "system.json"
    file.write_text(form(parts, {"event_harness": MAP}))
    assert [one.name for one in of_file(file).components] == ["inbox", "confirm", "out"]
    file.write_text(form(parts))
    with pytest.raises(NoTestResourcesError, match="without its test resources"):
        of_file(file)
    file.write_text(json.dumps(MAP))
    assert of_file(file).components == ()
    with pytest.raises(ResourceMapError, match="No such file"):
        of_file(tmp_path / "none")


def test_dead_letters_of_rules_subscriptions_and_pipes_are_failure_queues():
    resources = system(
        *letters(),
        topic("placed"),
        *(queue(name) for name in ("lost_by_topic", "lost_by_rule", "lost_by_pipe")),
        resource(
            "aws_sns_topic_subscription.inbox",
            topic_arn=arn("sns", "placed"),
            endpoint=arn("sqs", "inbox"),
            protocol="sqs",
            redrive_policy=json.dumps({"deadLetterTargetArn": arn("sqs", "lost_by_topic")}),
        ),
        resource("aws_cloudwatch_event_rule.all", name="all", event_pattern='{"source": ["shop"]}'),
        resource(
            "aws_cloudwatch_event_target.all",
            rule="all",
            arn=arn("sqs", "inbox"),
            dead_letter_config=[{"arn": arn("sqs", "lost_by_rule")}],
        ),
        table("orders"),
        resource(
            "aws_pipes_pipe.forward",
            name="forward",
            arn=arn("pipes", "pipe/forward"),
            source=f"{arn('dynamodb', 'table/orders')}/stream/2026-01-01T00:00:00.000",
            target=arn("sqs", "inbox"),
            source_parameters=[
                {
                    "dynamodb_stream_parameters": [
                        {"dead_letter_config": [{"arn": arn("sqs", "lost_by_pipe")}]}
                    ]
                }
            ],
        ),
    ).resources
    told = {url.rpartition("/")[2]: name for url, name in resources.failure_queues.items()}
    assert told == {
        "lost_by_topic": "placed",
        "lost_by_rule": "default",
        "lost_by_pipe": "forward",
        "acme-failures": "event_listener",
    }
    assert resources.owners[arn("sqs", "inbox")] == "inbox"
    assert not {"lost_by_topic", "lost_by_rule", "lost_by_pipe"} & {one.name for one in resources.components}


def test_a_dead_letter_queue_that_something_reads_is_part_of_the_way():
    """A look into it would hide its messages from its reader."""
    letters_go_on = queue(
        "work", redrive_policy=json.dumps({"deadLetterTargetArn": arn("sqs", "out"), "maxReceiveCount": 2})
    )
    resources = system(queue("out"), letters_go_on, function("confirm"), mapping("work", "confirm")).resources
    assert list(resources.failure_queues.values()) == ["event_listener"]
    assert resources.component("work").failure_queue_url is None
    assert resources.entry(TAKES).name == "work"
