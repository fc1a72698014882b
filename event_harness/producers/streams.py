"""Sends records to a Kinesis stream, and items to a DynamoDB table."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from event_harness.aws.errors import AWS_ERRORS, message_of
from event_harness.aws.targets import Target
from event_harness.errors import ProducerError
from event_harness.producers.base import NOW, Accepted, Producer
from event_harness.producers.bodies import Body, encoded, json_object, with_field
from event_harness.producers.inflight import InFlight
from event_harness.results.sent import Sent
from event_harness.system.resources import Component


class KinesisProducer(Producer):
    """Puts records whose partition key is the correlation id. IAM: kinesis:PutRecord.

    Records of one partition key keep their order; records of different inputs don't.

    Args:
        component: The stream.
        target: Makes the AWS client.
        session_id: The test session that the inputs belong to.
        field: Field of the JSON body that also carries the correlation id; None for none.
        inflight: Limits how many inputs are in flight; None for no limit.
        now: Epoch seconds.
    """

    type = service = "kinesis"
    limit = 10 * 1024 * 1024
    remedy = "put the body into S3 and send where it is"

    def __init__(
        self,
        component: Component,
        target: Target,
        session_id: str,
        *,
        field: str | None = None,
        inflight: InFlight | None = None,
        now: Callable[[], float] = NOW,
    ) -> None:
        super().__init__(component, target, session_id, inflight=inflight, now=now)
        self.field = field

    def send(
        self,
        body: Body,
        *,
        correlation_id: str | None = None,
        partition_key: str | None = None,
        raw: bool = False,
    ) -> Sent:
        """Put one record.

        Args:
            body: Text, any bytes, or a value that JSON can hold.
            correlation_id: Your own id. The session id is put before it unless it is there already.
            partition_key: Used instead of the correlation id. The id must then be in the body (`field`).
            raw: Send the body exactly as it is, without the correlation id in `field`.

        Raises:
            ProducerError: The body is too large, the id is over 256 characters, the stream is missing…
        """
        correlation_id = self._new_id(correlation_id)
        if partition_key and not self.field:
            raise ProducerError(
                "kinesis: with your own partition key, set the producer's `field` for the correlation id"
            )
        key = partition_key or correlation_id
        if len(key) > 256:
            raise ProducerError(
                f"kinesis: the partition key {key[:60]!r}… has {len(key)} characters, 256 are allowed;"
                " take a shorter correlation id"
            )
        if self.field and not raw:
            body = with_field(body, self.field, correlation_id, self.type)
        data, stream = encoded(body), self.component.identifier
        return self._deliver(
            correlation_id,
            data,
            f"stream {stream}, partition key {key}",
            lambda: self._put(stream, key, data),
        )

    def _put(self, stream: str, key: str, data: bytes) -> Accepted:
        answer = self._client.put_record(StreamName=stream, PartitionKey=key, Data=data)
        return Accepted(answer.get("SequenceNumber"))


class DynamoDBProducer(Producer):
    """Puts items with the correlation id in them. IAM: dynamodb:PutItem, dynamodb:DescribeTable.

    Args:
        component: The table.
        target: Makes the AWS client.
        session_id: The test session that the inputs belong to.
        field: Attribute that carries the correlation id; the table's partition key by default.
        inflight: Limits how many inputs are in flight; None for no limit.
        now: Epoch seconds.
    """

    type = service = "dynamodb"
    limit = 400 * 1024
    remedy = "put the body into S3 and store where it is"

    def __init__(
        self,
        component: Component,
        target: Target,
        session_id: str,
        *,
        field: str | None = None,
        inflight: InFlight | None = None,
        now: Callable[[], float] = NOW,
    ) -> None:
        super().__init__(component, target, session_id, inflight=inflight, now=now)
        self._field = field

    @cached_property
    def field(self) -> str:
        """The attribute that carries the correlation id."""
        if self._field:
            return self._field
        table = self.component.identifier
        try:
            schema = self._client.describe_table(TableName=table)["Table"]["KeySchema"]
        except AWS_ERRORS as error:
            raise ProducerError(f"table {table}: {message_of(error)}{self._hint()}") from error
        return str(next(key["AttributeName"] for key in schema if key["KeyType"] == "HASH"))

    def send(self, body: Body, *, correlation_id: str | None = None) -> Sent:
        """Put one item.

        Args:
            body: The item, a JSON object; bytes and sets are allowed, too. The correlation id is added to it.
            correlation_id: Your own id. The session id is put before it unless it is there already.

        Raises:
            ProducerError: The body isn't an item or is too large, the id is too long, the table is missing…
        """
        correlation_id = self._new_id(correlation_id, 2048)
        item = with_field(body, self.field, correlation_id, self.type)
        table = self.component.identifier
        try:
            typed = {name: TypeSerializer().serialize(_exact(value)) for name, value in item.items()}
        except (TypeError, ValueError) as error:
            raise ProducerError(f"table {table}: the item can't be sent: {error}") from error
        return self._deliver(
            correlation_id,
            encoded(json_object(_plain(item), self.type)),
            f"table {table}, {self.field} = {correlation_id}",
            lambda: self._client.put_item(TableName=table, Item=typed),
        )


def _exact(value: Any) -> Any:
    """Turn floats into decimals: DynamoDB's numbers are decimals."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {name: _exact(item) for name, item in value.items()}
    return [_exact(item) for item in value] if isinstance(value, list | tuple) else value


def _plain(value: Any) -> Any:
    """Turn an item into JSON values, to measure its size."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, bytes | bytearray):
        return "x" * len(value)
    return value if isinstance(value, str | int | float | bool | None) else str(value)
