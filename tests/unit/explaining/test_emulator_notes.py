"""What the local AWS emulator says belongs to an explanation: its warnings, and what it doesn't do."""

import time
from dataclasses import replace

import pytest
from explained import Anything, explain, finding, question
from listener_fakes import World

from event_harness.explaining.emulator_notes import emulator_notes, names_of, warnings
from event_harness.explaining.probes.components import ask
from event_harness.system.found_components import with_graph
from event_harness.system.graph.emulated import GAPS, not_carried_out, told
from event_harness.system.graph.model import LISTENER, Edge, Graph, Node
from event_harness.system.resources import Component

SINCE = 1_800_000_000.0


def line(text, after=1.0, level="WARNING", module="pipes"):
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(SINCE + after))
    return f"{at} {level} [{module}] {text}\n"


HELD = "Pipes acme-forward: holding 1 record(s); MiniStack delivers to sns and states, not to sqs"


def test_warnings_about_this_system_since_the_send_are_told_once():
    log = "".join(
        [
            line("Pipes acme-forward: before", after=-30),
            line(HELD),
            line(HELD.replace("1 record", "2 record")),
            line("EventBridge → SQS: queue somebody-elses not found"),
            line("Lambda acme-read: SnapStart init failed", level="ERROR", module="lambda"),
            line("acme-forward is well", level="INFO"),
            line("Warm worker execution error for acme-read: x", level="ERROR", module="lambda"),
        ]
    )
    assert warnings(log, SINCE, {"acme-forward", "acme-read"}) == [
        f"{HELD.replace('1 record', '2 record')} (2 times)",
        "Lambda acme-read: SnapStart init failed",
    ]
    assert warnings(log, SINCE, ()) == []
    assert warnings(log, SINCE, {"acme"}) == []


def node(name, type_, identifier=None, kind="k"):
    return Node(name, name, kind, type_, identifier or name)


def piped(target="sqs", **more):
    """A table, a pipe and a queue or topic, which the listener reads."""
    nodes = [
        node("orders", "dynamodb"),
        node("forward", "pipe", "acme-forward"),
        node("out", target, "https://sqs/1/acme-out"),
        node(LISTENER, "lambda"),
    ]
    edges = (
        Edge("orders", "forward", "pipe source"),
        Edge("forward", "out", "pipe target", **more),
        Edge("out", LISTENER, "event source mapping"),
    )
    resources = replace(World().resources, components=(), by_hand=False)
    return with_graph(resources, Graph({one.address: one for one in nodes}, edges))


def test_connection_that_nothing_can_pass_is_the_cause_if_it_is_the_only_way():
    found = emulator_notes(piped(), "", SINCE, "orders", resulted=False)
    assert found.cause == (
        "forward -> out (pipe target): the pipe holds the records, since the local AWS emulator doesn't carry"
        " out a pipe to anything but a topic or a state machine"
    )
    assert found.details == (found.cause,)
    assert found.text == "1 connection not carried out"
    assert emulator_notes(piped(), "", SINCE, "orders", resulted=True).cause is None
    assert emulator_notes(piped(), "", SINCE, "out", resulted=False).details == ()
    assert emulator_notes(piped("sns"), "", SINCE, "orders", resulted=False).cause is None


@pytest.mark.parametrize(
    ("more", "cut"),
    [((), True), ((Edge("orders", "aside", "event source mapping"),), False)],
    ids=["all ends", "one of two"],
)
def test_connection_is_the_cause_also_where_no_way_to_the_listener_is_known(more, cut):
    """A connection that nothing can pass lies between the input and each end that it could reach."""
    nodes = (
        Node("orders", "orders", "aws_sqs_queue", "sqs", "https://sqs/1/orders"),
        Node("forward", "forward", "aws_pipes_pipe", "pipe", "acme-forward"),
        Node(
            "flow", "flow", "aws_sfn_state_machine", "stepfunctions", "arn:aws:states:r:1:stateMachine:flow"
        ),
        Node("aside", "aside", "aws_lambda_function", "lambda", "aside"),
        Node(LISTENER, LISTENER, "aws_lambda_function", "lambda", "listener"),
    )
    edges = (Edge("orders", "forward", "pipe source"), Edge("forward", "flow", "pipe target"), *more)
    resources = replace(World().resources, components=(), by_hand=False)
    resources = with_graph(resources, Graph({one.address: one for one in nodes}, edges))
    found = emulator_notes(resources, "", SINCE, "orders", resulted=False)
    assert found.details[0].startswith("orders -> forward (pipe source): the pipe takes nothing")
    assert (found.cause is not None) is cut


def test_warning_is_told_and_is_no_cause():
    found = emulator_notes(piped("sns"), line(HELD), SINCE, "orders", resulted=False)
    assert (found.text, found.details, found.cause) == ("1 warning since the send", (HELD,), None)
    nothing = emulator_notes(World().resources, "", SINCE, "source", resulted=False)
    assert nothing.text == "no warning about this system since the send"


DENIED = (
    "permission denied: role r may not dynamodb:PutItem on arn:aws:dynamodb:r:1:table/x (function orders)"
)
REFUSED = (
    "permission denied: sns.amazonaws.com may not sqs:SendMessage on arn:aws:sqs:r:1:acme-out (from arn:t)"
)


def test_denied_call_is_the_last_of_the_warnings_since_a_cut_report_keeps_the_last():
    log = line(DENIED) + "".join(line(f"acme-out: odd {chr(97 + n)}") for n in range(12))
    found = emulator_notes(piped("sns"), log, SINCE, "orders", resulted=False)
    assert found.details[-1] == DENIED
    assert found.cause is None


def test_delivery_that_a_service_was_denied_is_a_cause_until_the_results_are_there():
    found = emulator_notes(piped("sns"), line(REFUSED), SINCE, "orders", resulted=False)
    assert found.cause == (
        "sns.amazonaws.com may not sqs:SendMessage on arn:aws:sqs:r:1:acme-out (access denied)"
    )
    assert emulator_notes(piped("sns"), line(REFUSED), SINCE, "orders", resulted=True).cause is None


def test_names_of_a_system_are_those_in_the_log():
    assert names_of(piped()) >= {"orders", "acme-forward", "acme-out", "listener"}
    # Also those of what is only in the state.
    assert names_of(replace(piped(), components=())) >= {"orders", "acme-forward", "acme-out"}


def test_explanation_has_the_remark_only_where_there_is_an_emulators_log():
    world = World()
    sent = world.send()
    log = line("S3 source-bucket: odd", after=sent.sent_at - SINCE + 1)
    assert finding(explain(world, sent, emulator_log=lambda: log), "emulator").details == (
        "S3 source-bucket: odd",
    )
    assert "emulator" not in [one.component for one in explain(world, sent).findings]


def asked(answer, log=""):
    world = World()
    world.target.clients["pipes"] = Anything(describe_pipe=answer)
    sent = replace(world.send(), sent_at=SINCE)
    asking = question(world, sent, platform_log=lambda: log)
    return ask(asking, Component("forward", "pipe", pipe="acme-forward")).finding


RUNNING = {
    "CurrentState": "RUNNING",
    "Source": "arn:aws:dynamodb:r:1:table/orders/stream/2026-01-01",
    "Target": "arn:aws:sqs:r:1:out",
}


def test_pipe_tells_its_state_its_source_and_its_target():
    found = asked(RUNNING)
    assert found.state == "unknown"
    assert found.text == "RUNNING, from table/orders to out; a pipe doesn't tell what has passed"


@pytest.mark.parametrize("state", ["STOPPED", "CREATE_FAILED", "STOPPING"])
def test_pipe_that_does_not_run_is_the_cause(state):
    found = asked(RUNNING | {"CurrentState": state, "StateReason": "no permission"})
    assert (found.state, found.certain) == ("failed", True)
    assert found.cause == f"forward: the pipe is {state}: no permission"


def test_pipe_whose_records_the_emulator_holds_is_the_cause():
    found = asked(RUNNING, line(HELD))
    assert (found.state, found.certain) == ("failed", True)
    assert found.cause == (
        "forward: the local AWS emulator does not deliver: holding 1 record(s); MiniStack delivers to sns and"
        " states, not to sqs"
    )
    assert asked(RUNNING, line(HELD, after=-60)).state == "unknown"


ROWS = [
    (Edge("a", "b", "pipe source", filter="x"), "sqs", "pipe", 2),
    (Edge("a", "b", "pipe source"), "dynamodb", "pipe", 0),
    (Edge("a", "b", "pipe target", notes=("input transformed",)), "pipe", "sns", 1),
    (Edge("a", "b", "enrichment"), "pipe", "lambda", 1),
    (Edge("a", "b", "rule r"), "eventbridge", "kinesis", 1),
    (Edge("a", "b", "rule r"), "eventbridge", "sqs", 0),
    (Edge("a", "b", "schedule", notes=("AWS SDK call",)), "other", "sqs", 1),
    (Edge("a", "b", "dead-letter queue of rule r", failure=True), "eventbridge", "sqs", 1),
    (Edge("a", "b", "dead-letter queue", failure=True), "sns", "sqs", 1),
    (Edge("a", "b", "dead-letter queue", failure=True), "sqs", "sqs", 0),
    (Edge("a", "b", "on success"), "lambda", "sqs", 1),
    (Edge("a", "b", "subscription", notes=("email",)), "sns", "other", 1),
    (Edge("a", "b", "subscription", notes=("https",)), "sns", "other", 0),
    (Edge("a", "b", "log subscription"), "lambda", "kinesis", 1),
    (Edge("a", "b", "task T", notes=("glue:startJobRun",)), "stepfunctions", "other", 1),
    (Edge("a", "b", "task T", notes=("aws-sdk:glue:startJobRun",)), "stepfunctions", "other", 0),
    (Edge("a", "b", "task T", notes=("aws-sdk:s3:putObject",)), "stepfunctions", "s3", 1),
    (Edge("a", "b", "task T", notes=("aws-sdk:s3:headObject",)), "stepfunctions", "s3", 0),
    (Edge("a", "b", "task T"), "stepfunctions", "lambda", 0),
]


@pytest.mark.parametrize(("edge", "source", "target", "count"), ROWS)
def test_rows_of_the_table_match_their_edges(edge, source, target, count):
    graph = Graph({"a": node("a", source), "b": node("b", target)}, (edge,))
    assert len(not_carried_out(graph)) == count


@pytest.mark.parametrize(
    ("kind", "target", "count"),
    [
        ("aws_apigatewayv2_api", "sqs", 1),
        ("aws_apigatewayv2_api", "lambda", 0),
        ("aws_api_gateway_rest_api", "sqs", 0),
        ("aws_api_gateway_rest_api", "stepfunctions", 1),
    ],
)
def test_apis_call_what_the_table_says(kind, target, count):
    nodes = {"a": node("a", "http", kind=kind), "b": node("b", target)}
    graph = Graph(nodes, (Edge("a", "b", "integration"),))
    assert len(not_carried_out(graph)) == count


def test_line_about_a_connection_names_it_and_what_becomes_of_an_event():
    graph = Graph({"a": node("a", "pipe"), "b": node("b", "lambda")}, (Edge("a", "b", "enrichment"),))
    ((edge, gap),) = not_carried_out(graph)
    assert told(graph, edge, gap) == (
        "a -> b (enrichment): it is not called, since the local AWS emulator doesn't carry out the enrichment"
        " of a pipe"
    )
    assert len({gap.what for gap in GAPS}) == len(GAPS)
