"""An event source mapping of the user's that asks for partial batch responses gets them."""

import pytest
from reports_of_waits import report_of

from event_harness.producers import SqsProducer


@pytest.fixture(scope="module")
def listener(listener_of):
    return listener_of("crates")


@pytest.fixture(scope="module")
def mapping(listener):
    """Turns the user's mapping on and off, once it asks for partial batch responses."""
    functions = listener.target.client("lambda")
    name = listener.resources.listener.function
    (found,) = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]

    def turn(*, on):
        functions.update_event_source_mapping(
            UUID=found["UUID"], Enabled=on, FunctionResponseTypes=["ReportBatchItemFailures"]
        )

    turn(on=True)
    return turn


@pytest.fixture
def overflow_bucket(listener):
    """Lets the listener write bodies over the inline limit only when told to."""
    functions = listener.target.client("lambda")
    name = listener.resources.listener.function
    environ = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]

    def there(*, yes):
        bucket = environ["OVERFLOW_BUCKET"] if yes else "no-such-bucket"
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": environ | {"OVERFLOW_BUCKET": bucket}}
        )
        functions.get_waiter("function_updated_v2").wait(FunctionName=name)

    yield there
    there(yes=True)


def test_only_what_could_not_be_stored_comes_again(listener, mapping, overflow_bucket):
    producer = SqsProducer.on(listener)
    queue = listener.resources.component("crates").queue_url
    listener.target.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "10"})
    overflow_bucket(yes=False)
    listener.wait_for(producer.send("warm"))  # no cold start falls into the time in which a batch is hidden
    mapping(on=False)  # until all are there, so that they come as one batch
    first, large, last = (producer.send(body) for body in ("first", "large" * 100, "last"))
    mapping(on=True)
    stored = [listener.wait_for(sent) for sent in (first, last)]
    assert len({result.request_id for result in stored}) == 1
    assert "NoSuchBucket" in report_of(listener, large, lambda report: "NoSuchBucket" in report.full()).full()
    overflow_bucket(yes=True)
    assert listener.wait_for(large).text == "large" * 100
    again = [listener.wait_for(sent) for sent in (first, last)]
    assert [result.deliveries for result in again] == [1, 1]
