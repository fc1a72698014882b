"""S3 events as AWS documents them."""

from typing import Any
from urllib.parse import quote_plus


def s3_event(*records: Any) -> dict[str, Any]:
    return {"Records": list(records)}


def s3_record(
    bucket: str,
    key: str,
    *,
    etag: str = "d41d8cd98f00b204e9800998ecf8427e",
    sequencer: str | None = "0055AED6DCD90281E5",
    size: int = 0,
    name: str = "ObjectCreated:Put",
) -> dict[str, Any]:
    record: dict[str, Any] = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "eu-west-1",
        "eventTime": "2026-11-22T10:00:00.123Z",
        "eventName": name,
        "userIdentity": {"principalId": "AIDAJDPLRKLG7UEXAMPLE"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {
            "x-amz-request-id": "C3D13FE58DE4C810",
            "x-amz-id-2": "FMyUVURIY8/IgAtTv8xRjskZ",
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "to-function",
            "bucket": {"name": bucket, "ownerIdentity": {}, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {"key": quote_plus(key, safe="/"), "size": size, "eTag": etag},
        },
    }
    if sequencer is not None:
        record["s3"]["object"]["sequencer"] = sequencer
    return record
