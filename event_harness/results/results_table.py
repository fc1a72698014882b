"""Queries of the results table."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from event_harness.results.result import Bodies, Result
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
        self._client = client
        self._bodies = bodies

    def query(self, session_id: str, since: int = 0) -> list[Item]:
        """Read the items of a session that arrived at `since` (epoch ms) or later, without their bodies.

        The items are in DynamoDB's notation. The read is strongly consistent; only a local index allows that.
        """
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
                ExpressionAttributeValues={":session": {"S": session_id}, ":since": {"N": str(since)}},
                **start,
            )
            items += page.get("Items", [])
            self.answered_at = _date(page) or self.answered_at
            if not page.get("LastEvaluatedKey"):
                return items
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def result(self, item: Item) -> Result:
        """Make a result of an item; see `Result.from_item` for its errors."""
        return Result.from_item(item, self._bodies)


def _date(answer: Mapping[str, Any]) -> float | None:
    """When an answer was sent, as its header says in whole seconds; None if it doesn't say."""
    try:
        return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return None
