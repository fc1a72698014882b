"""One account of a path: no two findings contradict each other, whatever the components say."""

import itertools
from dataclasses import replace

import pytest
from explained import REQUEST, Anything, explain, finding, processed, states, written
from hypothesis import given, settings
from hypothesis import strategies as st
from listener_fakes import MAP, World, client_error, envelope, s3_event

from event_harness.explaining import causes
from event_harness.explaining.causes import likely_cause
from event_harness.explaining.path import account
from event_harness.explaining.probes.asking import Seen
from event_harness.explaining.report import Finding
from event_harness.explaining.ways import Ways, ways_from, with_links
from event_harness.explaining.wiring import Link
from event_harness.results.failure import parse
from event_harness.system.resources import Component

PATH = (
    Component("source", "s3", bucket="source"),
    Component("queue", "sqs", queue_url="https://sqs/1/queue"),
    Component("processor", "lambda", function="processor", log_group="/processor"),
    Component("event_listener", "lambda", function="listener", log_group="/listener"),
)
ARN = "arn:aws:lambda:eu-west-1:1:function:"
ANSWERS = [
    Finding("", "ok", "seen"),
    Finding("", "failed", "error", cause="{} failed: error", certain=True, here=True),
    Finding("", "failed", "answered 502", cause="{} failed: 502", certain=True, here=True, ended=True),
    Finding("", "failed", "can't start", cause="{} can't start", certain=True),
    Finding("", "failed", "error", cause="{} failed: error"),
    Finding("", "running", "still running", cause="{} is still running", certain=True, here=True),
    Finding("", "running", "still running", cause="{} is still running"),
    Finding("", "not reached", "not invoked"),
    Finding("", "unknown", "not known"),
]
LINKS = [
    (Link("arn:aws:sqs:eu-west-1:1:queue", "notification"),),
    (Link(f"{ARN}processor", "event source mapping"),),
    None,
    None,
]


def failure_of(component):
    message = {"MessageId": component, "Body": "{}"}
    return parse(message, "queue", component)


def seen_by(answers):
    return [
        Seen(
            Finding(
                component.name,
                answer.state,
                answer.text,
                cause=answer.cause and answer.cause.format(component.name),
                certain=answer.certain,
                here=answer.here,
                ended=answer.ended,
            ),
            links,
        )
        for component, answer, links in zip(PATH, answers, LINKS, strict=True)
    ]


def contradictions(findings, cause, *, forked=False):
    """The ways in which findings, or a cause, contradict each other."""
    by_name = {one.component: one for one in findings}
    last = max((n for n, one in enumerate(findings) if one.state == "ok" or one.here), default=-1)
    if not forked:
        yield from (
            f"{one} before {findings[last]}" for one in findings[: max(last, 0)] if one.state == "not reached"
        )
    for one in findings:
        name = one.component
        if cause.startswith((f"{name} failed", f"{name} can't start")) and one.state != "failed":
            yield f"{cause} beside {one}"
        if cause.startswith(f"{name} is still running") and one.state != "running":
            yield f"{cause} beside {one}"
        if cause.startswith(f"{name} was not reached") and one.state != "not reached":
            yield f"{cause} beside {one}"
        if cause.startswith(f"{name} ran without an error") and one.state != "ok":
            yield f"{cause} beside {one}"
        if one.state == "not reached" and one.text.startswith("not reached: "):
            stop = one.text.removeprefix("not reached: ").split(" ")[0]
            if by_name[stop].state in ("ok", "unknown"):
                yield f"{one} beside {by_name[stop]}"
    queues = by_name.get("failure queues")
    if queues and "no message of this input" in queues.text and "the event lies in" in cause:
        yield f"{cause} beside {queues}"


@pytest.mark.parametrize("failed", [None, *(component.name for component in PATH)])
def test_no_two_findings_contradict_each_other_whatever_the_components_say(failed):
    failures = {failed: failure_of(failed)} if failed else {}
    for answers in itertools.product(ANSWERS[::3], *[ANSWERS] * (len(PATH) - 1)):
        for forked, resulted in itertools.product((False, True), repeat=2):
            seen = seen_by(answers)
            findings = account(with_links(Ways(PATH), seen, forked=forked), seen, failures, resulted=resulted)
            cause = likely_cause(
                findings, PATH, [], failed=list(failures.values()), mine=[], misses=[], silent=[]
            )
            assert list(contradictions(findings, cause, forked=forked)) == []
            if failed:
                assert next(one for one in findings if one.component == failed).state == "failed"
            if resulted:
                assert not [one for one in findings if one.state == "not reached"]


PROCESSOR = {
    "nothing": lambda _world, _sent: None,
    "silent": lambda world, _sent: world.logs.invoked("/processor", REQUEST),
    "well": lambda world, sent: processed(world, sent, "written"),
    "error": lambda world, sent: world.logs.invoked(
        "/processor", REQUEST, f"[ERROR] no {sent.correlation_id}"
    ),
    "error of nobody": lambda world, _sent: world.logs.invoked(
        "/processor", REQUEST, "[ERROR] KeyError: 'a'"
    ),
    "running": lambda world, _sent: world.logs.write("/processor", f"START RequestId: {REQUEST} Version: 1"),
    "cannot start": lambda world, _sent: world.logs.write("/processor", "Unable to import module 'app'"),
    "denied": lambda world, _sent: setattr(world.logs, "error", client_error("AccessDeniedException")),
}
LISTENER = {
    "nothing": lambda _world, _sent: None,
    "recorded": lambda world, sent: processed(world, sent, "recorded", group="/listener"),
    "another id": lambda world, _sent: world.logs.invoked(
        "/listener", REQUEST, {"level": "INFO", "message": "recorded", "correlation_id": "own"}
    ),
    "error": lambda world, sent: world.logs.invoked(
        "/listener", REQUEST, f"[ERROR] no {sent.correlation_id}"
    ),
}
QUEUES = {
    "nothing": lambda _world, _sent: None,
    "of the processor": lambda world, sent: world.queues.put(
        "queue/processor", envelope(s3_event(sent.correlation_id))
    ),
    "of the listener": lambda world, sent: world.queues.put(
        "queue/listener", envelope(s3_event(sent.correlation_id), function="listener")
    ),
    "of another": lambda world, _sent: world.queues.put("queue/processor", envelope(s3_event("run/other"))),
    "redriven": lambda world, sent: world.queues.put("queue/processor", s3_event(sent.correlation_id)),
}
RESULTS = {
    "none": lambda _world, _sent: None,
    "one": lambda world, sent: world.table.record(sent.correlation_id),
    "without an id": lambda world, _sent: world.table.record(None),
    "under another id": lambda world, _sent: world.table.record("run/nobody's"),
}


@settings(max_examples=80)
@given(
    st.sampled_from(sorted(PROCESSOR)),
    st.booleans(),
    st.sampled_from(sorted(LISTENER)),
    st.sampled_from(sorted(QUEUES)),
    st.sampled_from(sorted(RESULTS)),
)
def test_no_explanation_contradicts_itself_whatever_the_fakes_say(processor, output, listener, queue, result):
    world = World()
    sent = world.send()
    PROCESSOR[processor](world, sent)
    LISTENER[listener](world, sent)
    QUEUES[queue](world, sent)
    RESULTS[result](world, sent)
    if output:
        written(world, sent)
    world.listener.reader.look()
    report = explain(world, sent)
    assert list(contradictions(report.findings, report.cause)) == []
    if queue in ("of the processor", "of the listener", "redriven"):
        assert "1 message of this input" in finding(report, "failure queues").text
    if result == "one":
        assert "not reached" not in states(report).values()


def test_an_input_is_not_asked_for_at_components_before_the_one_that_it_was_sent_to():
    resources = replace(World().resources, components=PATH[:-1])
    names = [component.name for component in ways_from(resources, "processor", PATH[-1]).path]
    assert names == ["processor", "event_listener"]
    assert ways_from(resources, "unknown", PATH[-1]).path == PATH


def test_an_input_sent_to_a_later_component_says_nothing_about_those_before_it():
    world = World()
    sent = world.send()
    later = type(sent)(sent.correlation_id, "destination", sent.sent_at, "s3://destination-bucket/x", 5)
    report = explain(world, later)
    assert [item.component for item in report.findings][:2] == ["destination", "event_listener"]
    assert "source" not in report.full().replace("source's", "")
    assert "processor" not in report.full()


def test_an_invocation_by_hand_says_nothing_about_those_before_the_function():
    world = World()
    sent = world.send()
    direct = type(sent)(sent.correlation_id, "processor", sent.sent_at, "processor", 5)
    report = explain(world, direct)
    assert report.cause == "processor was not reached: not invoked since the send"
    processed(world, direct, "[ERROR] ValueError: no")
    assert next(iter(states(explain(world, direct)))) == "processor"


def test_a_function_that_has_begun_and_not_ended_is_running():
    world = World()
    sent = world.send()
    world.logs.write("/processor", f"START RequestId: {REQUEST} Version: $LATEST")
    world.logs.write(
        "/processor", {"message": "working", "correlation_id": sent.correlation_id, "requestId": REQUEST}
    )
    report = explain(world, sent)
    assert states(report) == {
        "source": "ok",
        "processor": "running",
        "destination": "not reached",
        "event_listener": "not reached",
    }
    assert report.cause == "processor is still running, since 00:16:40"
    world.logs.write("/processor", f"REPORT RequestId: {REQUEST} Duration: 1 ms")
    assert states(explain(world, sent))["processor"] == "ok"


def test_a_function_behind_one_that_has_given_the_input_up_is_not_reached_though_it_runs():
    world = World()
    sent = world.send()
    world.logs.write("/listener", "START RequestId: 7e4b0b52-9d3a-4c56-8f21-3b6f0a5c1d2e Version: $LATEST")
    world.logs.invoked("/processor", REQUEST, f"[ERROR] no {sent.correlation_id}")
    assert states(explain(world, sent))["event_listener"] == "running"  # the processor will try again
    world.queues.put("queue/processor", envelope(s3_event(sent.correlation_id)))
    report = explain(world, sent)
    assert states(report) == {
        "source": "ok",
        "processor": "failed",
        "destination": "not reached",
        "event_listener": "not reached",
    }
    said = finding(report, "event_listener").text
    assert said == "not reached: destination was not reached; it is running, perhaps for another input"
    assert report.cause.startswith("processor failed")


def test_a_retry_of_a_request_that_failed_is_running_again():
    world = World()
    sent = world.send()
    line = {"message": "working", "correlation_id": sent.correlation_id, "requestId": REQUEST}
    world.logs.invoked("/processor", REQUEST, line)
    world.logs.write("/processor", f"START RequestId: {REQUEST} Version: $LATEST")
    assert states(explain(world, sent))["processor"] == "running"


def queue_world(**counts):
    """A queue, its function, a bucket."""
    queue = {"name": "orders", "type": "sqs", "queue_url": "https://sqs/1/orders"}
    components = [MAP["components"][0], queue, *MAP["components"][1:]]
    world = World(resources=MAP | {"components": components})
    attributes = {"QueueArn": "arn:aws:sqs:r:1:orders"}
    attributes |= {f"ApproximateNumberOfMessages{name}": str(n) for name, n in counts.items()}
    queues = world.queues
    queues.get_queue_attributes = lambda **_: {"Attributes": attributes}
    mapping = {"FunctionArn": f"{ARN}processor", "State": "Enabled"}
    world.target.clients["lambda"] = Anything(list_event_source_mappings={"EventSourceMappings": [mapping]})
    sent = world.send()
    return world, type(sent)(sent.correlation_id, "orders", sent.sent_at, "https://sqs/1/orders", 5)


def test_a_message_in_flight_means_that_the_queues_function_has_not_ended():
    world, sent = queue_world(NotVisible=1)
    report = explain(world, sent)
    assert states(report)["orders"] == "running"
    assert states(report)["processor"] == "running"
    assert states(report)["destination"] == "not reached"
    assert finding(report, "processor").text.startswith("works on a message of orders")


def test_messages_that_wait_are_told_and_nobody_is_blamed():
    world, sent = queue_world(**{"": 2})
    report = explain(world, sent)
    assert finding(report, "orders").text == "2 messages waiting, 0 in flight (about)"
    assert states(report)["processor"] == "not reached"


def test_a_disabled_event_source_mapping_is_the_cause():
    world, sent = queue_world(**{"": 1})
    world.target.clients["lambda"].answers["list_event_source_mappings"]["EventSourceMappings"][0][
        "State"
    ] = "Disabled"
    report = explain(world, sent)
    assert report.cause == "orders: its event source mapping is disabled"
    assert states(report)["processor"] == "not reached"


def test_a_missing_notification_is_told_from_one_that_filters():
    world = World()
    sent = world.send(name="notes.md")
    world.buckets.notifications["source-bucket"].clear()
    assert explain(world, sent).cause == "source: it has no notification"
    world.buckets.notify("source-bucket", "other")
    assert explain(world, sent).cause == ("source: none leads to processor: notification to other")
    world.buckets.notify("source-bucket", "processor", suffix=".txt")
    assert explain(world, sent).cause == (
        "source: its notification takes only keys that end in '.txt', this one ends in 'notes.md'"
    )


BRANCHES = (
    Component("news", "sns", topic_arn="arn:aws:sns:r:1:news"),
    *(Component(name, "lambda", function=name, log_group=f"/{name}") for name in ("audit", "notify")),
)


@pytest.mark.parametrize(
    ("function", "cause"),
    [
        (Finding("relay", "ok", "ran without an error", here=True), "checkout: its execution failed"),
        (
            Finding(
                "relay", "failed", "ValueError", cause="relay failed: ValueError", certain=True, here=True
            ),
            "relay failed: ValueError",
        ),
    ],
)
def test_an_execution_that_failed_at_its_end_has_failed_though_a_function_saw_the_input(function, cause):
    path = (
        Component("checkout", "stepfunctions", state_machine_arn="arn:aws:states:r:1:stateMachine:checkout"),
        Component("relay", "lambda", function="relay"),
    )
    failed = Finding(
        "checkout",
        "failed",
        "failed",
        cause="checkout: its execution failed",
        certain=True,
        here=True,
        ended=True,
    )
    answers = [Seen(failed), Seen(function)]
    findings = account(with_links(Ways(path), answers, forked=False), answers, {}, resulted=False)
    assert findings == [failed, function]
    assert likely_cause(findings, path, [], failed=[], mine=[], misses=[], silent=[]) == cause


def test_a_gap_behind_a_function_is_told_with_the_filters_within_it():
    path = [
        Component("before", "eventbridge", bus="before"),
        Component("work", "lambda", function="work"),
        Component("bus", "eventbridge", bus="bus"),
        Component("topic", "sns", topic_arn="arn:aws:sns:r:1:topic"),
        Component("store", "s3", bucket="store"),
    ]
    findings = [
        Finding("before", "ok", "", passes="a filter that was passed"),
        Finding("work", "ok", "ran", details=("its line", "its last one")),
        Finding("bus", "unknown", "", passes='{"kind": ["order"]}'),
        Finding("topic", "unknown", ""),
        Finding("store", "not reached", "no object"),
    ]
    assert causes._gap(findings, path, 1, 4) == (
        "work ran without an error, but nothing of it came to store (after bus, topic); "
        'bus: {"kind": ["order"]}; its last line: its last one'
    )


def test_each_branch_that_a_filter_closes_says_so():
    links = (
        Link(f"{ARN}audit", "subscription", filter="x", unmatched='kind must be "a"'),
        Link(f"{ARN}notify", "subscription", enabled=False),
    )
    answers = [
        Seen(Finding("news", "unknown", "there"), links),
        *(Seen(Finding(name, "not reached", "not invoked since the send")) for name in ("audit", "notify")),
    ]
    findings = account(with_links(Ways(BRANCHES), answers, forked=True), answers, {}, resulted=False)
    assert [one.text for one in findings[1:]] == [
        'news: its subscription filters it out: kind must be "a"',
        "news: its subscription is not confirmed",
    ]
    assert all(one.certain for one in findings[1:])


@pytest.mark.parametrize(("links", "said"), [((Link(f"{ARN}audit", "subscription"),), True), (None, False)])
def test_a_branch_that_nothing_leads_to_says_so_where_that_is_known(links, said):
    path = (*BRANCHES, PATH[-1])
    answers = [
        Seen(Finding("news", "unknown", "there"), links),
        Seen(Finding("audit", "ok", "ran", here=True)),
        Seen(Finding("notify", "not reached", "not invoked since the send")),
        Seen(Finding("event_listener", "not reached", "not invoked since the send")),
    ]
    findings = account(with_links(Ways(path), answers, forked=True), answers, {}, resulted=False)
    told = "no notification, subscription, rule or event source mapping of a component leads to it"
    assert (told in findings[2].text) == said
    assert told not in findings[3].text  # a source of the listener need not be a component
