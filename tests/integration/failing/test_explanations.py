"""Explanations of faults in a system that forks: each begins with the right cause.

The system is `tests/integration/systems/chain`: a queue with dead letters, a function, a topic, two functions that
share a failure queue, a table and a queue that the harness listens to. Each test puts one fault into it.
"""

import io
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from event_harness.errors import InputFailedError, WaitError, WaitTimeoutError
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
        assert source.count(old), f"{old!r} isn't in {name}.py"
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

    def report(self, sent, **more):
        """The report of a wait that ends without its result, and the error's first line."""
        with pytest.raises(WaitError) as caught:
            self.listener.wait_for(sent, **({"timeout": 3, "count": 2} | more))
        print(caught.value)
        return caught.value.report


@pytest.fixture(scope="module")
def chain(listener_of):
    made = Chain(listener_of("chain"))
    warm = made.orders.send(ORDER)  # no cold start falls into a short wait
    assert len(made.listener.wait_for(warm, count=2, timeout=60)) == 2
    return made


def states(report):
    return {item.component: item.state for item in report.findings if item.state}


def test_x(chain):
    with chain.broken("audit", Environment={"Variables": {"TABLE": "no-such-table"}}):
        chain.report(chain.orders.send(ORDER))
    with chain.filtered("notify", '{"kind": ["order"]}'):
        chain.report(chain.orders.send(ORDER))
        chain.report(chain.news.send(ORDER))
        chain.report(chain.news.send(ORDER, attributes={"kind": "other"}))
    with chain.broken("notify", '"StringValue": id_', '"StringValue": id_[:-3]'):
        chain.report(chain.orders.send(ORDER))
    with chain.broken("notify", '"StringValue": id_', '"StringValue": "own-id"'):
        chain.report(chain.orders.send(ORDER))
    with chain.broken("notify", "            MessageAttributes", "            #MessageAttributes"):
        chain.report(chain.orders.send(ORDER))
    with chain.broken(
        "price",
        '        order["total"]',
        '        try:\n            order["amount"]\n        except KeyError as e:\n            print("skipped", id_, repr(e)); continue\n        order["total"]',
    ):
        chain.report(chain.orders.send({"amunt": 5}))
    with chain.broken(
        "price",
        'boto3.client("sns")',
        'if "poison" in order: raise ValueError("poison")\n        boto3.client("sns")',
    ):
        many = [chain.orders.send({"amount": 5, "poison": 1}), chain.orders.send(ORDER)]
        chain.report(many[0])
        chain.report(many[1])
    chain.report(chain.orders.send(ORDER), until={"amount": 5, "total": 11}, count=1)
    assert 0
