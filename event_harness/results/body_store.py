"""Fetches the bodies of results: from the table, or large ones from the overflow bucket."""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import Binary, TypeDeserializer

from event_harness.aws.errors import AWS_ERRORS, can_heal, code_of
from event_harness.errors import BodyError
from event_harness.results.result import Result, unavailable
from event_harness.results.shards import partition_key
from event_harness.system.resources import Results

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client

_deserialize = TypeDeserializer().deserialize


class BodyStore:
    """Fetches bodies from the table, and large ones from the overflow bucket. It checks their checksums."""

    def __init__(self, results: Results, dynamodb: "DynamoDBClient", s3: "S3Client") -> None:
        self._results = results
        self._dynamodb = dynamodb
        self._s3 = s3

    def fetch(self, result: Result) -> bytes:
        """See `Result.body`."""
        if result.body_kind == "gone":
            raise _gone(result)
        item = self._item(result)
        kind = item.get("body_kind", "")
        if kind == "gone":
            raise _gone(result)
        if kind == "overflow":
            return self._overflow(result, item.get("overflow"))
        body = item.get("body", "")
        if isinstance(body, str):
            return body.encode()
        if not isinstance(body, Binary):
            raise BodyError(f"body of {result.event_id} is neither text nor bytes in the results table")
        return bytes(body)  # type: ignore[call-overload,no-any-return]  # its stubs lack __bytes__

    def _item(self, result: Result) -> dict[str, Any]:
        key = partition_key(result.session_id, result.event_id, self._results.shards)
        try:
            answer = self._dynamodb.get_item(
                TableName=self._results.table,
                Key={"session_id": {"S": key}, "event_id": {"S": result.event_id}},
                ConsistentRead=True,
                ProjectionExpression="#body, #kind, #overflow",
                ExpressionAttributeNames={"#body": "body", "#kind": "body_kind", "#overflow": "overflow"},
            )
        except AWS_ERRORS as error:
            if can_heal(error):
                raise
            raise unavailable(f"results table {self._results.table}", error, "dynamodb:GetItem") from error
        if "Item" not in answer:
            raise BodyError(
                f"body of {result.event_id} is gone: its item expired or was deleted;"
                " give results a longer life"
            )
        return {name: _deserialize(value) for name, value in answer["Item"].items()}

    def _overflow(self, result: Result, claim: object) -> bytes:
        claimed = claim if isinstance(claim, Mapping) else {}
        bucket, key, size = (claimed.get(name) for name in ("bucket", "key", "size"))
        if not (isinstance(bucket, str) and isinstance(key, str) and key and isinstance(size, Decimal)):
            raise BodyError(f"body of {result.event_id}: its claim check names no bucket, key and size")
        if bucket != self._results.overflow_bucket:
            # Anybody who may write the table could otherwise make the tests read any bucket.
            raise BodyError(
                f"body of {result.event_id}: its claim check names bucket {bucket!r}, but the overflow bucket"
                f" of this system is {self._results.overflow_bucket!r}; it isn't read"
            )
        where = f"s3://{bucket}/{key}"
        try:
            answer = self._s3.get_object(Bucket=bucket, Key=key)
            body = answer["Body"].read()
        except AWS_ERRORS as error:
            if can_heal(error):
                raise
            if code_of(error) in ("NoSuchKey", "404"):
                raise BodyError(
                    f"body of {result.event_id} is gone from {where}; its bucket's lifecycle may be too short"
                ) from error
            raise unavailable(f"overflow bucket {bucket}", error, "s3:GetObject") from error
        wanted, etag = claimed.get("sha256"), str(claimed.get("etag") or "").strip('"')
        if len(body) != size:
            raise BodyError(
                f"body of {result.event_id} has {len(body):,} bytes in {where}, {size:,} were stored"
            )
        if wanted:
            wrong = hashlib.sha256(body).hexdigest() != str(wanted).lower()
        else:
            wrong = bool(etag) and answer.get("ETag", "").strip('"') != etag
        if wrong:
            raise BodyError(f"body of {result.event_id} in {where} was changed since: its checksum is wrong")
        return body


def _gone(result: Result) -> BodyError:
    reason = result.gone_reason or "gone"
    where = result.metadata.get("key") or result.event_id
    return BodyError(f"body of {where} is gone: the object was {reason} before the listener could read it")
