"""Queries of the results table."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from event_harness.results.result import Bodies, Result
from event_harness.results.shards import partition_keys, read_each, session_id_of
from event_harness.system.resources import Results

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_FIELDS = (
    "session_id",
    "event_id",
    "received_at",
    "first_received_at",
    "deliveries",
    "correlation_id",
    "source",
    "source_type",
    "event_time",
    "size",
    "body_kind",
    "gone_reason",
    "metadata",
    "request_id",
)
# Names go through placeholders: `source` and `size` are reserved words.
_NAMES = {f"#{n}": name for n, name in enumerate(_FIELDS)}

Item = dict[str, Any]


class ResultsTable:
    """The results table with its index by arrival.

    Args:
        results: The names of the table and the index.
        client: A DynamoDB client. IAM: dynamodb:Query on the index.
        bodies: Fetches the bodies of the results.
    """

    def __init__(self, results: Results, client: "DynamoDBClient", bodies: Bodies) -> None:
        self.name = results.table
        self.queries = 0
        self.answered_at: float | None = (
            None  # when the last answer was sent by DynamoDB's clock, epoch seconds
        )
        self._index = results.index
        self._shards = results.shards
        self._client = client
        self._bodies = bodies

    def query(self, session_id: str, since: int = 0) -> list[Item]:
        """Read the items of a session that arrived at `since` (epoch ms) or later, without their bodies.

        The items are in DynamoDB's notation. The read is strongly consistent; only a local index allows that.
        One read costs a Query for each shard of the session.
        """
        return read_each(partition_keys(session_id, self._shards), partial(self._query, since))

    def _query(self, since: int, key: str) -> list[Item]:
        items: list[Item] = []
        start: dict[str, Any] = {}
        while True:
            self.queries += 1
            page = self._client.query(
                TableName=self.name,
                IndexName=self._index,
                ConsistentRead=True,
                KeyConditionExpression="#0 = :session AND #2 >= :since",
                ProjectionExpression=", ".join(_NAMES),
                ExpressionAttributeNames=_NAMES,
                ExpressionAttributeValues={":session": {"S": key}, ":since": {"N": str(since)}},
                **start,
            )
            items += [self._named(item) for item in page.get("Items", [])]
            self.answered_at = _date(page) or self.answered_at
            if not page.get("LastEvaluatedKey"):
                return items
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _named(self, item: Item) -> Item:
        """The item with its session id in place of its partition key; unchanged if that is no text."""
        key = item.get("session_id", {}).get("S")
        if not isinstance(key, str):
            return item
        return item | {"session_id": {"S": session_id_of(key, self._shards)}}

    def result(self, item: Item) -> Result:
        """Make a result of an item; see `Result.from_item` for its errors."""
        return Result.from_item(item, self._bodies)


def _date(answer: Mapping[str, Any]) -> float | None:
    """When an answer was sent, as its header says in whole seconds; None if it doesn't say."""
    try:
        return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return None
