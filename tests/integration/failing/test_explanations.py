"""Explanations of faults in a system that forks: each begins with the right cause.

The system is `tests/integration/systems/chain`: a queue with dead letters, a function, a topic, two functions
that share a failure queue, a table, and a queue that the harness listens to. Each test adds one fault.
"""

import io
import json
import re
import time
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from reports_of_waits import report_of

from event_harness.producers import SnsProducer, SqsProducer

FUNCTIONS = Path(__file__).parents[1] / "systems" / "chain" / "functions"
ORDER = {"amount": 5}


class Chain:
    """The deployed system, whose functions and connections a test may break; they are put right again."""

    def __init__(self, listener):
        self.listener = listener
        self.target = listener.target
        self.lambdas, self.sns, self.sqs = (self.target.client(name) for name in ("lambda", "sns", "sqs"))
        self.orders, self.news = SqsProducer.on(listener), SnsProducer.on(listener)
        self.components = {component.name: component for component in listener.resources.components}

    def deploy(self, name, source):
        function = self.components[name].function
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("app.py", source)
        self.lambdas.update_function_code(FunctionName=function, ZipFile=packed.getvalue())
        self.lambdas.get_waiter("function_updated_v2").wait(FunctionName=function)

    @contextmanager
    def broken(self, name, old="", new="", **configuration):
        """Replace a part of a function's code, or change its configuration."""
        function, source = self.components[name].function, (FUNCTIONS / f"{name}.py").read_text()
        before = self.lambdas.get_function_configuration(FunctionName=function)
        assert old in source
        if old:
            self.deploy(name, source.replace(old, new))
        if configuration:
            self.lambdas.update_function_configuration(FunctionName=function, **configuration)
        try:
            yield
        finally:
            if configuration:
                kept = {key: before[key] for key in configuration}
                self.lambdas.update_function_configuration(FunctionName=function, **kept)
            self.deploy(name, source)

    def subscription(self, name):
        """ARN of the subscription of a function to the topic."""
        topic = self.components["news"].topic_arn
        found = self.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        function = self.components[name].function
        return next(one["SubscriptionArn"] for one in found if one["Endpoint"].endswith(function))

    @contextmanager
    def filtered(self, name, policy):
        """Give the subscription of a function a filter policy."""
        arn = self.subscription(name)
        change = {"SubscriptionArn": arn, "AttributeName": "FilterPolicy"}
        self.sns.set_subscription_attributes(**change, AttributeValue=policy)
        try:
            yield
        finally:
            self.sns.set_subscription_attributes(**change, AttributeValue="{}")

    @contextmanager
    def mapping(self, *, enabled):
        """Switch the event source mapping of the first function."""
        function = self.components["price"].function
        (found,) = self.lambdas.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
        self.lambdas.update_event_source_mapping(UUID=found["UUID"], Enabled=enabled)
        try:
            yield
        finally:
            self.lambdas.update_event_source_mapping(UUID=found["UUID"], Enabled=True)

    @contextmanager
    def enveloped(self):
        """Subscribe the last queue to the topic, without raw delivery."""
        queue = self.components["told"].queue_url
        arn = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        policy = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
        self.sqs.set_queue_attributes(
            QueueUrl=queue, Attributes={"Policy": json.dumps({"Statement": [policy]})}
        )
        made = self.sns.subscribe(
            TopicArn=self.components["news"].topic_arn,
            Protocol="sqs",
            Endpoint=arn,
            ReturnSubscriptionArn=True,
        )
        try:
            yield
        finally:
            self.sns.unsubscribe(SubscriptionArn=made["SubscriptionArn"])

    @contextmanager
    def lasting(self, name, until):
        """Let a function run until there is such a file; it takes its time, and its message stays with it."""
        queue, limits = self.components["orders"].queue_url, ["VisibilityTimeout"]
        # What an earlier test has left would be in flight for two minutes.
        self.sqs.purge_queue(QueueUrl=queue)
        before = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=limits)["Attributes"]
        self.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "120"})
        lasts = (
            "    import pathlib, time\n"
            f"    while not pathlib.Path({str(until)!r}).exists():\n        time.sleep(0.1)\n"
        )
        try:
            with self.broken(name, "    for record", f"{lasts}    for record", Timeout=120):
                yield
                self.drained(queue)
        finally:
            self.sqs.set_queue_attributes(QueueUrl=queue, Attributes=before)

    def drained(self, queue):
        """Wait until no function works on a message of a queue: results come before that."""
        name, deadline = "ApproximateNumberOfMessagesNotVisible", time.monotonic() + 120
        while time.monotonic() < deadline:
            found = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[name])["Attributes"]
            if found[name] == "0":
                return
            time.sleep(0.1)
        raise AssertionError(found)

    def report(self, sent, told, **more):
        """The report of a wait that ends without its two results, see `report_of`."""
        return report_of(self.listener, sent, told, **{"count": 2} | more)


@pytest.fixture(scope="module")
def chain(listener_of):
    made = Chain(listener_of("chain"))
    warm = made.orders.send(ORDER)  # no cold start falls into a short wait
    assert len(made.listener.wait_for(warm, count=2, timeout=300)) == 2
    return made


GIVEN_UP = "(?: after 1 attempt)?"  # a topic's function has given up, or a report came before its failure did


def states(report):
    return {item.component: item.state for item in report.findings if item.state}


def text(report, component):
    return next((item.text for item in report.findings if item.component == component), None)


@pytest.mark.parametrize(
    ("change", "configuration", "why"),
    [
        (("import boto3", "import nothere"), {}, "No module named 'nothere'"),
        (("", ""), {"Handler": "app.handlr"}, "module 'app' has no attribute 'handlr'"),
    ],
    ids=["import error", "mistyped handler"],
)
def test_a_function_that_cannot_start_is_told_with_the_reason(chain, change, configuration, why):
    with chain.broken("price", *change, **configuration):
        report = chain.report(chain.orders.send(ORDER), f"price can't start: {why}")
    assert report.cause == f"price can't start: {why}"
    assert states(report)["price"] == "failed"
    assert set(list(states(report).values())[2:]) == {"not reached"}


@pytest.mark.parametrize("name", ["price", "notify"])
def test_a_function_that_still_runs_is_running(chain, name, tmp_path):
    with chain.lasting(name, tmp_path / "ends"):
        sent = chain.orders.send(ORDER)
        report = chain.report(sent, f"{name} is still running, since ", timeout=2)
        (tmp_path / "ends").touch()
        chain.listener.wait_for(sent, count=2, timeout=300)
    assert states(report)[name] == "running"
    assert report.cause.startswith(f"{name} is still running, since ")


def test_a_message_that_was_given_up_is_told_with_the_functions_error(chain):
    sent = chain.orders.send({"amunt": 5})
    told = r"price failed after 2 attempts: KeyError: 'amount' \(app\.py:\d+\) \(request "
    report = chain.report(sent, lambda report: re.match(told, report.cause), timeout=40)
    assert re.match(told, report.cause), report.cause
    assert states(report)["price"] == "failed"
    failure = chain.listener.wait_for_failure(sent)
    assert (failure.component, failure.error_type, failure.error_message) == ("price", "KeyError", "'amount'")
    assert failure.attempts == 2


def test_a_branch_that_fails_is_the_cause_although_another_has_a_result(chain):
    with chain.broken("notify", "    for record", "    raise ValueError('no')\n    for record"):
        told = rf"notify failed{GIVEN_UP}: ValueError: no \(app\.py:\d+\); no result of this input from told"
        report = chain.report(chain.orders.send(ORDER), lambda report: re.fullmatch(told, report.cause))
    assert re.fullmatch(told, report.cause), report.cause
    assert text(report, "results") == "1 of this input (ledger 1, told 0)"


def test_an_environment_variable_that_is_missing_is_the_cause(chain):
    with chain.broken("audit", Environment={"Variables": {"X": "y"}}):
        told = (
            rf"audit failed{GIVEN_UP}: KeyError: 'TABLE' \(app\.py:\d+\); no result of this input from ledger"
        )
        report = chain.report(chain.orders.send(ORDER), lambda report: re.fullmatch(told, report.cause))
    assert re.fullmatch(told, report.cause), report.cause
    assert states(report)["price"] == "ok"


def test_of_two_functions_that_share_a_failure_queue_the_one_that_failed_is_named(chain):
    sent = chain.news.send(ORDER)
    for name in ("audit", "notify"):
        event = {"marker": sent.correlation_id}
        chain.lambdas.invoke(
            FunctionName=chain.components[name].function, InvocationType="Event", Payload=json.dumps(event)
        )
        failure = chain.listener.wait_for_failure(sent)
        assert (failure.component, failure.error_message) == (name, "'Records'")
        chain.sqs.purge_queue(QueueUrl=failure.queue_url)


def test_a_filter_that_the_input_does_not_match_is_the_cause_with_the_field(chain):
    told = (
        'news: its subscription filters it out: kind must be "order", the event has no such field;'
        " no result of this input from told"
    )
    with chain.filtered("notify", '{"kind": ["order"]}'):
        report = chain.report(chain.news.send(ORDER), told)
    assert report.cause == told
    assert states(report)["notify"] == "not reached"
    assert "orders" not in states(report)  # nothing is said about what lies before the topic


def test_a_filter_is_shown_where_nothing_passed_and_what_it_saw_is_not_known(chain):
    told = (
        "not invoked since the send; the subscription of news passes only"
        ' MessageAttributes {"kind": ["order"]}'
    )
    with chain.filtered("notify", '{"kind": ["order"]}'):
        report = chain.report(chain.orders.send(ORDER), lambda report: text(report, "notify") == told)
    assert text(report, "notify") == told


def test_a_mapping_that_is_switched_off_is_the_cause(chain):
    with chain.mapping(enabled=False):
        sent = chain.orders.send(ORDER)
        report = chain.report(sent, "orders: its event source mapping is disabled")
    assert report.cause == "orders: its event source mapping is disabled"
    chain.listener.wait_for(sent, count=2, timeout=300)


@pytest.mark.parametrize(
    ("id_", "cause"),
    [
        ("id_[:-3]", "told: a result came under an id that differs: "),
        ('"own-id"', "event_listener recorded 1 event under an id that no test session made: own-id"),
    ],
    ids=["shortened", "of its own"],
)
def test_an_id_that_is_not_passed_on_as_it_came_is_the_cause(chain, id_, cause):
    with chain.broken("notify", '"StringValue": id_', f'"StringValue": {id_}'):
        report = chain.report(chain.orders.send(ORDER), cause)
    assert report.cause.startswith(cause)


def test_an_event_without_an_id_is_shown_by_its_shape(chain):
    told = "told: 1 result came without a correlation id (there is no message attribute 'correlation_id')"
    with chain.broken("notify", "            MessageAttributes", "            # MessageAttributes"):
        report = chain.report(chain.orders.send(ORDER), told)
    assert report.cause.startswith(told)
    found = next(item for item in report.findings if item.component == "uncorrelated")
    assert "its shape: {amount: number, total: number}" in found.details
    assert found.details[-1] == "looked for: the message attribute 'correlation_id' (told)"


def test_a_message_in_the_envelope_of_sns_is_found(chain):
    with chain.enveloped(), chain.broken("notify", "    for record", "    return\n    for record"):
        results = chain.listener.wait_for(chain.orders.send(ORDER), count=2)
    told = next(result for result in results if result.source == "told")
    assert told.json() == ORDER | {"total": 10}
    assert told.metadata["unwrapped"] == ["sns"]


def test_an_exception_that_is_swallowed_is_told_by_the_last_line(chain):
    swallowed = (
        "        if 'amount' not in order:\n            print('skipped', id_)\n            continue\n"
        '        order["total"]'
    )
    told = "price ran without an error, but nothing of it came to audit (after news);"
    with chain.broken("price", '        order["total"]', swallowed):
        report = chain.report(chain.orders.send({"amunt": 5}), told)
    assert report.cause.startswith(told)
    assert "skipped" in report.cause
    assert states(report)["price"] == "ok"


def test_a_result_that_differs_is_told_by_its_path(chain):
    sent = chain.orders.send(ORDER)
    chain.listener.wait_for(sent, count=2)
    told = "told: its result is not the one awaited: total: expected 11, got 10"
    report = chain.report(
        sent,
        lambda report: told in report.full(),
        until={"amount": 5, "total": 11},
        count=1,
        timeout=1,
    )
    assert told in report.full()
