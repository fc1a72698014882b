"""Terraform's state in all its forms: what is read of it, and by which texts its resources are found."""

import json

import pytest
from states import (
    ACCOUNT,
    MAP,
    REGION,
    arn,
    as_file,
    as_show,
    drawn,
    function,
    graph_of,
    listener,
    queue,
    resource,
    table,
    topic,
)

from event_harness.errors import StateError
from event_harness.system.graph.build import build
from event_harness.system.graph.model import LISTENER, Graph
from event_harness.system.graph.references import References, canonical
from event_harness.system.graph.state import parse, read

PARTS = [
    queue('module.shop["eu"].inbox["a.b"]', "eu-inbox"),
    queue("plain[0]", "plain"),
    resource("data.aws_sqs_queue.theirs", name="theirs", arn=arn("sqs", "theirs")),
]


def test_file_and_show_give_the_same_resources():
    file, shown = (parse(text(PARTS, {"a": 1}), "x") for text in (as_file, as_show))
    assert sorted(file.resources, key=lambda one: one.address) == sorted(
        shown.resources, key=lambda one: one.address
    )
    assert file.outputs == shown.outputs == {"a": 1}
    first = file.resources[0]
    assert first.address == 'module.shop["eu"].aws_sqs_queue.inbox["a.b"]'
    assert (first.module, first.index) == ('module.shop["eu"]', "a.b")
    assert not file.resources[2].managed


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"version": 3}', '{"serial": 1, "resources": [{"mode": "managed"}]}']
)
def test_what_is_no_state_is_refused_with_its_name(text, tmp_path):
    file = tmp_path / "some.tfstate"
    file.write_text(text)
    with pytest.raises(StateError, match=r"some\.tfstate"):
        read(file)


def test_missing_and_binary_files_are_refused(tmp_path):
    with pytest.raises(StateError, match="No such file"):
        read(tmp_path / "none")
    (tmp_path / "plan").write_bytes(b"PK\xff\xfe")
    with pytest.raises(StateError, match="not UTF-8"):
        read(tmp_path / "plan")


def test_deposed_instances_do_not_count():
    state = json.loads(as_file([queue("inbox")]))
    state["resources"][0]["instances"].append({"deposed": "abcd", "attributes": {}})
    assert len(parse(json.dumps(state), "x").resources) == 1


@pytest.mark.parametrize(
    "text",
    [
        arn("lambda", "function:confirm"),
        arn("lambda", "function:confirm:live"),
        arn("lambda", "function:confirm:7"),
        f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/"
        f"{arn('lambda', 'function:confirm:live')}/invocations",
        "confirm",
    ],
)
def test_function_is_found_by_arn_alias_version_invoke_arn_and_name(text):
    references = References(parse(as_file([function("confirm")]), "x").resources)
    assert references.find(text, "aws_lambda_function").address == "aws_lambda_function.confirm"


def test_queue_table_and_bucket_are_found_by_every_text_that_names_them():
    parts = [
        queue("inbox"),
        table("orders"),
        resource("aws_s3_bucket.store", bucket="store", id="store", arn=arn("s3", "store")),
    ]
    references = References(parse(as_file(parts), "x").resources)
    for text in (
        arn("sqs", "inbox"),
        "inbox",
        f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/inbox",
        f"http://127.0.0.1:4566/{ACCOUNT}/inbox",
    ):
        assert references.find(text).type == "aws_sqs_queue"
    for text in (arn("dynamodb", "table/orders"), arn("dynamodb", "table/orders/stream/2026"), "orders"):
        assert references.find(text).type == "aws_dynamodb_table"
    assert references.find(f"{arn('s3', 'store')}/in/*").type == "aws_s3_bucket"
    assert references.find("nothing") is None


def test_resource_that_belongs_to_another_one_does_not_take_its_arn_its_url_or_its_name():
    inbox = queue("module.a.inbox", "inbox")
    parts = [
        resource("aws_cloudwatch_event_target.inbox", rule="r", arn=arn("sqs", "inbox")),
        resource("aws_sqs_queue_policy.inbox", id=inbox["values"]["url"], policy="{}"),
        resource("aws_sns_topic_policy.news", arn=arn("sns", "news"), policy="{}"),
        resource("aws_lambda_function_event_invoke_config.f", id=arn("lambda", "function:f")),
        inbox,
        topic("module.a.news", "news"),
        function("module.a.f", "f"),
    ]
    references = References(parse(as_file(parts), "x").resources)
    for text in (arn("sqs", "inbox"), inbox["values"]["url"], "inbox", arn("sns", "news")):
        assert references.find(text).module == "module.a"
    assert references.find(arn("lambda", "function:f")).module == "module.a"


def test_name_of_several_resources_needs_a_type():
    references = References(parse(as_file([queue("a", "same"), table("b", "same")]), "x").resources)
    assert references.find("same") is None
    assert references.find("same", "aws_dynamodb_table").name == "b"


def test_version_of_a_state_machine_is_the_machine():
    own = arn("states", "stateMachine:flow")
    assert canonical(f"{own}:live") == canonical(own) == own


def test_listener_is_the_end_and_its_resources_are_no_components():
    graph = graph_of(queue("confirmed"), *listener(arn("sqs", "confirmed")), outputs={"event_harness": MAP})
    assert drawn(graph) == {"confirmed -> event_listener: event source mapping"}
    assert set(graph.nodes) == {"aws_sqs_queue.confirmed", LISTENER}
    assert graph.edges[0].notes == ("source 0",)


def test_listener_is_found_by_its_map_alone():
    graph = graph_of(queue("confirmed"), *listener(arn("sqs", "confirmed")))
    assert LISTENER not in graph.nodes
    assert "aws_dynamodb_table" in {node.kind for node in graph.nodes.values()}


def test_own_mapping_outside_of_the_module_leads_to_the_listener():
    mapping = resource(
        "aws_lambda_event_source_mapping.own",
        event_source_arn=arn("sqs", "confirmed"),
        function_arn=arn("lambda", "function:acme-listening"),
    )
    environment = {"SOURCES": json.dumps({"mine": {"type": "sqs", "match": arn("sqs", "confirmed")}})}
    parts = [queue("confirmed"), mapping, *listener(environment=environment)]
    graph = graph_of(*parts, outputs={"event_harness": MAP})
    assert graph.edges[0].notes == ("source mine",)
    assert drawn(graph) == {"confirmed -> event_listener: event source mapping"}


def test_resource_that_is_not_understood_is_told_and_stops_nothing():
    graph = graph_of(
        queue("inbox"),
        resource("aws_iot_topic_rule.odd", kinesis=3, s3=[{"bucket_name": ["list"]}]),
        resource(
            "aws_s3_bucket_notification.odd",
            bucket=3,
            queue=[{"queue_arn": arn("sqs", "inbox"), "events": 3}],
        ),
        resource("aws_cloudwatch_metric_alarm.odd", alarm_actions=3),
    )
    assert [line.partition(":")[0] for line in graph.unread] == ["aws_cloudwatch_metric_alarm.odd"]
    assert "aws_sqs_queue.inbox" in graph.nodes


def test_graph_goes_through_json_unchanged():
    parts = [*PARTS, function("work", environment={"SECRET": "hunter2"}), *listener()]
    graph = build(parse(as_file(parts, {"event_harness": MAP}), "x"))
    text = json.dumps(graph.to_json())
    assert Graph.from_json(json.loads(text)) == graph
    assert "hunter2" not in text
