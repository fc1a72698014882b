"""Ways through a graph, where events enter, and the names of its nodes."""

import json

import pytest
from states import MAP, arn, bucket, function, graph_of, listener, queue, resource, role, table, topic

from event_harness.system.found_components import components, is_same, of_list, with_listed
from event_harness.system.graph.model import LISTENER, Edge, Graph, Node
from event_harness.system.graph.names import names
from event_harness.system.graph.render import as_json, mermaid
from event_harness.system.graph.walks import circles, entries, ordered, way
from event_harness.system.resources import Component

TAKES = ("s3", "sqs", "sns", "eventbridge", "dynamodb", "kinesis", "http", "lambda")


def graph(*lines, types=None):
    """A graph of lines such as `a -> b`, `a ~> b` (may write), `a !> b` (what failed)."""
    edges, nodes = [], {}
    for line in lines:
        source, arrow, target = line.split()
        known = "allowed" if arrow == "~>" else "declared"
        edges.append(Edge(source, target, arrow, known, failure=arrow == "!>"))
        for name in (source, target):
            kind = (types or {}).get(name, "lambda" if name.startswith("fn") else "sqs")
            nodes[name] = Node(name, name, "kind", kind, name)
    return Graph(nodes, tuple(edges))


def entries_of(found):
    return entries(found, lambda address: found.nodes[address].type in TAKES)


def test_way_leaves_out_what_does_not_lead_to_the_listener():
    found = graph("in -> fn", "fn ~> out", "fn ~> audit", f"out -> {LISTENER}", "other -> fn")
    assert way(found, "in") == ({"in", "fn", "out", LISTENER}, True)


def test_way_with_a_gap_is_all_before_and_all_behind_it():
    found = graph("in -> fn", f"out -> {LISTENER}", "lost -> out", "else -> nowhere")
    assert way(found, "in") == ({"in", "fn", "out", "lost", LISTENER}, False)


def test_way_leads_through_failures_only_if_nothing_else_does():
    found = graph("in -> fn", "fn !> dead", "dead -> fnalarm", f"fnalarm ~> {LISTENER}")
    assert way(found, "in") == ({"in", "fn", "dead", "fnalarm", LISTENER}, True)


def test_rule_passes_only_the_events_of_its_senders():
    edges = (
        Edge("a", "bus", "notification"),
        Edge("b", "bus", "notification"),
        Edge("bus", "fn_a", "rule", senders=("a",)),
        Edge("bus", "fn_b", "rule", senders=("b",)),
        Edge("fn_a", LISTENER, "x"),
        Edge("fn_b", LISTENER, "x"),
    )
    nodes = {
        name: Node(name, name, "k", "sqs", name) for edge in edges for name in (edge.source, edge.target)
    }
    assert way(Graph(nodes, edges), "a")[0] == {"a", "bus", "fn_a", LISTENER}


def test_way_through_failures_has_what_decides_that_something_fails():
    found = graph("work -> fn", "fn ~> out", "work !> letters", f"letters -> {LISTENER}")
    assert way(found, "work") == ({"work", "fn", "letters", LISTENER}, True)


def test_order_puts_each_node_behind_those_that_lead_to_it_also_around_a_circle():
    found = graph("z -> fn", "fn ~> z", "fn ~> b", "b -> a")
    assert ordered(found) == ["z", "fn", "b", "a"]


def test_strongly_connected_parts_of_a_long_chain_need_no_recursion():
    chain = [str(number) for number in range(5000)]
    after = dict(zip(chain, [[one] for one in chain[1:]], strict=False))
    assert len(circles(chain, lambda one: after.get(one, []))) == 5000


def test_entry_is_what_nothing_leads_to():
    assert entries_of(graph("in -> fn", f"fn ~> {LISTENER}")) == ["in"]


def test_entry_in_a_circle_is_what_only_a_policy_feeds():
    assert entries_of(graph("bucket -> fn", "fn ~> bucket", f"bucket -> {LISTENER}")) == ["bucket"]


def test_entry_behind_a_schedule_is_what_it_starts():
    found = graph("clock -> fn", f"fn ~> {LISTENER}", types={"clock": "other"})
    assert entries_of(found) == ["fn"]


def test_entries_that_lead_to_the_listener_count_before_others_and_services_before_functions():
    found = graph("a -> fn1", f"fn1 ~> {LISTENER}", "b -> fn2", "fn2 ~> x", f"fn3 ~> {LISTENER}")
    assert entries_of(found) == ["a"]


def test_several_entries_are_told_in_a_stable_order():
    found = graph("b -> fn", "a -> fn", f"fn ~> {LISTENER}")
    assert entries_of(found) == ["b", "a"] or entries_of(found) == ["a", "b"]
    assert entries_of(graph("a -> fn", "b -> fn", f"fn ~> {LISTENER}")) == entries_of(found)


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (["aws_sqs_queue.inbox", "aws_lambda_function.confirm"], ["inbox", "confirm"]),
        (["aws_sqs_queue.orders", "aws_s3_bucket.orders"], ["orders_sqs", "orders_s3"]),
        (["module.a.aws_sqs_queue.in", "module.b.aws_sqs_queue.in"], ["a_in", "b_in"]),
        (["module.shout.module.function.aws_lambda_function.this[0]"], ["shout"]),
        (['aws_sqs_queue.inbox["eu.west"]', 'aws_sqs_queue.inbox["us"]'], ["inbox_eu.west", "inbox_us"]),
        (["aws_sqs_queue.inbox[0]", "aws_sqs_queue.inbox[1]"], ["inbox", "inbox_1"]),
        (["aws_sqs_queue.this"], ["this"]),
        (["aws_sqs_queue.event_listener"], ["event_listener_sqs"]),
    ],
)
def test_names_come_from_the_addresses(addresses, expected):
    types = {"aws_sqs_queue": "sqs", "aws_s3_bucket": "s3", "aws_lambda_function": "lambda"}
    kinds = [next(kind for kind in types if f"{kind}." in address) for address in addresses]
    nodes = [
        Node(address, "", kind, types[kind], "x") for address, kind in zip(addresses, kinds, strict=True)
    ]
    given = names(nodes)
    assert [given[address] for address in addresses] == expected


SHOP = [
    bucket("source"),
    function(
        "read", environment={"OUT": "letters"}, dead_letter_config=[{"target_arn": arn("sqs", "failed")}]
    ),
    queue("letters"),
    queue("failed"),
    resource(
        "aws_s3_bucket_notification.source",
        bucket="source",
        lambda_function=[{"lambda_function_arn": arn("lambda", "function:read")}],
    ),
    role("role", ("sqs:SendMessage", arn("sqs", "letters"))),
    *listener(arn("sqs", "letters")),
]


def shop():
    return graph_of(*SHOP, outputs={"event_harness": MAP})


def test_components_have_the_fields_of_their_types_and_no_queue_of_failures():
    found = components(shop())
    assert [(one.name, one.type, one.identifier) for one in found] == [
        ("source", "s3", "source"),
        ("read", "lambda", "read"),
        ("letters", "sqs", "https://sqs.eu-west-1.amazonaws.com/111122223333/letters"),
    ]
    assert found[1].log_group == "/aws/lambda/read"
    assert found[1].failure_queue_url.endswith("/failed")


def test_listed_component_wins_and_what_it_leaves_out_is_found():
    listed = (
        Component("start", "s3", bucket="source"),
        Component("read", "sqs", queue_url="http://127.0.0.1:4566/111122223333/letters"),
        Component("far", "sns", topic_arn=arn("sns", "far")),
    )
    merged = with_listed(shop(), listed)
    found = components(merged, listed)
    assert [(one.name, one.type) for one in found] == [
        ("start", "s3"),
        ("read", "sqs"),
        ("far", "sns"),
        ("read_lambda", "lambda"),
    ]
    assert found[1].queue_url.startswith("http://127.0.0.1")
    assert way(merged, "aws_s3_bucket.source")[1]


def test_listed_function_keeps_what_was_found_of_it():
    listed = (Component("mine", "lambda", function=arn("lambda", "function:read")),)
    (mine, *_) = components(with_listed(shop(), listed), listed)
    assert (mine.name, mine.log_group) == ("mine", "/aws/lambda/read")
    assert mine.failure_queue_url.endswith("/failed")


def test_other_component_is_the_resource_of_its_address_or_arn():
    node = Node("aws_x.y", "y", "aws_x", "other", arn("x", "y"), arn("x", "y"))
    assert is_same(node, Component("a", "other", resource="aws_x.y"))
    assert is_same(node, Component("a", "other", resource=arn("x", "y")))
    assert not is_same(node, Component("a", "other", resource="aws_x.z"))


def test_list_alone_is_a_chain():
    found = of_list((Component("a", "sns", topic_arn="arn:t"), Component("b", "s3", bucket="b")))
    assert [(edge.source, edge.target, edge.known) for edge in found.edges] == [
        ("components.a", "components.b", "listed"),
        ("components.b", LISTENER, "listed"),
    ]


def test_mermaid_shows_what_is_sure_in_full_lines_and_escapes_labels():
    drawing = mermaid(
        graph_of(
            *SHOP,
            topic("news"),
            resource(
                "aws_sns_topic_subscription.mail",
                topic_arn=arn("sns", "news"),
                protocol="email",
                endpoint="a@example.com",
                filter_policy='{"kind": ["<b>"]}',
            ),
            table("stock"),
            outputs={"event_harness": MAP},
        )
    )
    assert drawing.startswith("flowchart LR\n")
    assert '[("source<br/>bucket")]' in drawing
    assert '["a@example.com<br/>outside, not looked into"]' in drawing
    assert '-- "notification" -->' in drawing
    assert '-. "may write (allowed)" .->' in drawing
    assert '-. "dead-letter queue" .->' in drawing
    assert "{#quot;kind#quot;: [#quot;#lt;b#gt;#quot;]}" in drawing
    assert "%% not connected: aws_dynamodb_table.stock" in drawing


def test_json_has_nodes_in_the_order_of_the_way_and_edges_with_how_they_are_known():
    value = json.loads(as_json(shop()))
    assert value["nodes"][0]["name"] == "source"
    assert value["nodes"][-1]["name"] == "event_listener"
    written = next(edge for edge in value["edges"] if edge["kind"] == "may write")
    assert (written["known"], written["notes"]) == ("allowed", ["environment OUT"])
