"""S3 and DynamoDB in memory, as far as the functions use them, with the checks that AWS makes.

Every call is validated against botocore's own model of the service, so a wrong argument fails here too.
"""

import hashlib
import io
import itertools
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace
from typing import Any

import botocore.session
from botocore.exceptions import ClientError
from botocore.model import ServiceModel
from botocore.response import StreamingBody
from botocore.validate import ParamValidator


@cache
def _model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


def _validate(service: str, operation: str, arguments: dict[str, Any]) -> None:
    shape = _model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(arguments, shape)
    assert not report.has_errors(), report.generate_report()


def client_error(operation: str, code: str, status: int) -> ClientError:
    response = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, operation)


@dataclass(frozen=True)
class Object:
    data: bytes
    metadata: dict[str, str] = field(default_factory=dict)
    content_type: str = "binary/octet-stream"

    @property
    def etag(self) -> str:
        return hashlib.md5(self.data, usedforsecurity=False).hexdigest()


class FakeS3:
    """Buckets with conditional reads and writes, multipart uploads and copies within S3.

    `before` runs before each call with its operation's name: to fail there, or to change the world there.
    """

    def __init__(self, *buckets: str, before: Callable[[str], None] = lambda operation: None) -> None:
        self.buckets: dict[str, dict[str, Object]] = {bucket: {} for bucket in buckets}
        self.versions: dict[tuple[str, str, str], Object] = {}
        self.uploads: dict[str, dict[str, Any]] = {}
        self.calls: Counter[str] = Counter()
        self.bytes_read = 0
        self.before = before
        self.meta = SimpleNamespace(endpoint_url="https://s3.eu-west-1.amazonaws.com")
        self._ids = itertools.count(1)
        self._counting = threading.Lock()  # parts come from several threads

    def add_version(self, bucket: str, key: str, version_id: str, data: bytes) -> Object:
        """Put an object into a bucket with versions; it is the newest one."""
        self.versions[bucket, key, version_id] = self.add(bucket, key, data)
        return self.versions[bucket, key, version_id]

    def add(self, bucket: str, key: str, data: bytes) -> Object:
        self.buckets[bucket][key] = Object(data)
        return self.buckets[bucket][key]

    def get_object(self, **arguments: Any) -> dict[str, Any]:
        found = self._read("GetObject", arguments)
        return {
            "Body": StreamingBody(_Counted(found.data, self), len(found.data)),
            "ContentLength": len(found.data),
            "ETag": f'"{found.etag}"',
            "Metadata": found.metadata,
        }

    def head_object(self, **arguments: Any) -> dict[str, Any]:
        found = self._read("HeadObject", arguments)
        return {
            "ContentLength": len(found.data),
            "ETag": f'"{found.etag}"',
            "Metadata": found.metadata,
        }

    def put_object(self, **arguments: Any) -> dict[str, Any]:
        self._start("PutObject", arguments)
        body = arguments["Body"]
        if hasattr(body, "read"):
            data = b"".join(iter(body.read, b""))
            assert len(data) == len(body), "as many bytes come as were announced"
        else:
            data = bytes(body)
        self._write("PutObject", arguments, Object(data, *_description(arguments)))
        return {}

    def create_multipart_upload(self, **arguments: Any) -> dict[str, Any]:
        self._start("CreateMultipartUpload", arguments)
        self._bucket("CreateMultipartUpload", arguments["Bucket"])
        upload_id = f"upload-{next(self._ids)}"
        self.uploads[upload_id] = arguments | {"parts": {}}
        return {"UploadId": upload_id}

    def upload_part(self, **arguments: Any) -> dict[str, Any]:
        self._start("UploadPart", arguments)
        body = bytes(arguments["Body"])
        checksum = f"checksum of {len(body)}"
        self.uploads[arguments["UploadId"]]["parts"][arguments["PartNumber"]] = (Object(body), checksum)
        return {"ETag": f'"{Object(body).etag}"', "ChecksumCRC32": checksum}

    def complete_multipart_upload(self, **arguments: Any) -> dict[str, Any]:
        self._start("CompleteMultipartUpload", arguments)
        upload = self.uploads[arguments["UploadId"]]
        expected = [
            {"PartNumber": number, "ETag": f'"{part.etag}"', "ChecksumCRC32": checksum}
            for number, (part, checksum) in sorted(upload["parts"].items())
        ]
        if arguments["MultipartUpload"]["Parts"] != expected:
            raise client_error("CompleteMultipartUpload", "InvalidPart", 400)
        data = b"".join(part.data for _, (part, _) in sorted(upload["parts"].items()))
        self._write("CompleteMultipartUpload", arguments, Object(data, *_description(upload)))
        del self.uploads[arguments["UploadId"]]
        return {}

    def abort_multipart_upload(self, **arguments: Any) -> dict[str, Any]:
        self._start("AbortMultipartUpload", arguments)
        del self.uploads[arguments["UploadId"]]
        return {}

    def copy(self, source: dict[str, str], bucket: str, key: str, **options: Any) -> None:
        """The managed copy: a look at the source, then a copy within S3."""
        extra: dict[str, str] = options["ExtraArgs"]
        condition = {"IfMatch": extra["CopySourceIfMatch"]} if "CopySourceIfMatch" in extra else {}
        self.head_object(**source, **condition)
        self.copy_object(CopySource=source, Bucket=bucket, Key=key, **extra)

    def copy_object(self, **arguments: Any) -> None:
        """A copy within S3."""
        source: dict[str, str] = arguments["CopySource"]
        self._start("CopyObject", arguments | {"CopySource": f"{source['Bucket']}/{source['Key']}"})
        found = self._found("CopyObject", self.buckets[source["Bucket"]], source)
        if arguments.get("CopySourceIfMatch") not in (None, f'"{found.etag}"'):
            raise client_error("CopyObject", "PreconditionFailed", 412)
        self._bucket("CopyObject", arguments["Bucket"])[arguments["Key"]] = found

    def _start(self, operation: str, arguments: dict[str, Any]) -> None:
        _validate("s3", operation, arguments)
        with self._counting:
            self.calls[operation] += 1
        self.before(operation)

    def _bucket(self, operation: str, name: str) -> dict[str, Object]:
        if name not in self.buckets:
            # The answer to HEAD has no body, so no code either.
            raise client_error(operation, "404" if operation == "HeadObject" else "NoSuchBucket", 404)
        return self.buckets[name]

    def _read(self, operation: str, arguments: dict[str, Any]) -> Object:
        self._start(operation, arguments)
        bucket = self._bucket(operation, arguments["Bucket"])
        found = self._found(operation, bucket, arguments)
        if arguments.get("IfMatch") not in (None, f'"{found.etag}"'):
            raise client_error(operation, "412" if operation == "HeadObject" else "PreconditionFailed", 412)
        return found

    def _found(self, operation: str, bucket: dict[str, Object], place: dict[str, Any]) -> Object:
        missing = "NoSuchVersion" if "VersionId" in place else "NoSuchKey"
        if "VersionId" in place:
            found = self.versions.get((place["Bucket"], place["Key"], place["VersionId"]))
        else:
            found = bucket.get(place["Key"])
        if found is None:
            raise client_error(operation, "404" if operation == "HeadObject" else missing, 404)
        return found

    def _write(self, operation: str, arguments: dict[str, Any], new: Object) -> None:
        bucket = self._bucket(operation, arguments["Bucket"])
        there = bucket.get(arguments["Key"])
        if "IfNoneMatch" in arguments and there:
            raise client_error(operation, "PreconditionFailed", 412)
        if "IfMatch" in arguments and not there:
            raise client_error(operation, "NoSuchKey", 404)
        if "IfMatch" in arguments and there and arguments["IfMatch"] != f'"{there.etag}"':
            raise client_error(operation, "PreconditionFailed", 412)
        bucket[arguments["Key"]] = new


class _Counted(io.BytesIO):
    def __init__(self, data: bytes, s3: FakeS3) -> None:
        super().__init__(data)
        self._s3 = s3

    def read(self, *arguments: Any) -> bytes:
        data = super().read(*arguments)
        self._s3.bytes_read += len(data)
        return data


def _description(arguments: dict[str, Any]) -> tuple[dict[str, str], str]:
    return arguments.get("Metadata", {}), arguments.get("ContentType", "binary/octet-stream")


class FakeTable:
    """A table with the keys of the results table, UpdateItem and PutItem."""

    MAX_ITEM = 400 * 1024

    def __init__(self, before: Callable[[dict[str, Any]], None] = lambda arguments: None) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.before = before
        self.transactions = 0

    def update_item(self, **arguments: Any) -> dict[str, Any]:
        _validate("dynamodb", "UpdateItem", arguments)
        self.before(arguments)
        session_id, event_id = arguments["Key"]["session_id"]["S"], arguments["Key"]["event_id"]["S"]
        if not (0 < len(session_id.encode()) <= 2048 and 0 < len(event_id.encode()) <= 1024):
            raise client_error("UpdateItem", "ValidationException", 400)
        item = dict(self.items.get((session_id, event_id), arguments["Key"]))
        self._apply(item, arguments)
        self._keep("UpdateItem", item)
        return {}

    def put_item(self, **arguments: Any) -> dict[str, Any]:
        """Put an item that isn't there yet: the only condition that it understands."""
        _validate("dynamodb", "PutItem", arguments)
        item = arguments["Item"]
        self.before(arguments | {"Key": {name: item[name] for name in ("session_id", "event_id")}})
        assert arguments["ConditionExpression"] == "attribute_not_exists(event_id)"
        if (item["session_id"]["S"], item["event_id"]["S"]) in self.items:
            raise client_error("PutItem", "ConditionalCheckFailedException", 400)
        self._keep("PutItem", dict(item))
        return {}

    def _keep(self, operation: str, item: dict[str, Any]) -> None:
        # The item and its entry in the index, which holds all but the body, share one limit.
        entry = {name: value for name, value in item.items() if name not in ("body", "overflow")}
        if _size(item) + _size(entry) > self.MAX_ITEM:
            raise client_error(operation, "ValidationException", 400)
        self.items[item["session_id"]["S"], item["event_id"]["S"]] = item

    def transact_write_items(self, **arguments: Any) -> dict[str, Any]:
        """All of several writes, or none."""
        _validate("dynamodb", "TransactWriteItems", arguments)
        writes = [(kind, one) for action in arguments["TransactItems"] for kind, one in action.items()]
        of = [one.get("Key") or one["Item"] for _, one in writes]
        keys = [tuple(key[name]["S"] for name in ("session_id", "event_id")) for key in of]
        if len(writes) > 100 or len(set(keys)) < len(keys):
            raise client_error("TransactWriteItems", "ValidationException", 400)
        before, self.transactions = dict(self.items), self.transactions + 1
        try:
            for kind, one in writes:
                {"Put": self.put_item, "Update": self.update_item}[kind](**one)
        except ClientError as error:
            self.items = before
            raise client_error("TransactWriteItems", "TransactionCanceledException", 400) from error
        return {}

    @staticmethod
    def _apply(item: dict[str, Any], arguments: dict[str, Any]) -> None:
        names, values = arguments["ExpressionAttributeNames"], arguments["ExpressionAttributeValues"]
        used = set(re.findall(r"[#:]\w+", arguments["UpdateExpression"]))
        assert used == set(names) | set(values), "each alias is used, and none is missing"
        clauses = re.split(r" ?\b(SET|REMOVE|ADD) ", arguments["UpdateExpression"])[1:]
        for clause, content in zip(clauses[::2], clauses[1::2], strict=True):
            for action in re.split(r", (?![^(]*\))", content):
                match clause, re.findall(r"[#:]\w+", action):
                    case "SET", [name, value]:
                        item[names[name]] = values[value]
                    case "SET", [name, _, value]:
                        item.setdefault(names[name], values[value])
                    case "REMOVE", [name]:
                        item.pop(names[name], None)
                    case "ADD", [name, value]:
                        old = int(item.get(names[name], {"N": "0"})["N"])
                        item[names[name]] = {"N": str(old + int(values[value]["N"]))}
                    case other:
                        raise AssertionError(f"not understood: {other}")

    def all(self) -> list[dict[str, Any]]:
        """The items in plain values."""
        return [_plain({"M": item}) for item in self.items.values()]

    def only(self) -> dict[str, Any]:
        (item,) = self.all()
        return item


def _plain(value: dict[str, Any]) -> Any:
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return int(content)
        case "M":
            return {name: _plain(item) for name, item in content.items()}
    return content


def _size(item: dict[str, Any]) -> int:
    total = 0
    for name, value in item.items():
        ((kind, content),) = value.items()
        total += len(name.encode()) + (_size(content) + 3 if kind == "M" else _length(content))
    return total


def _length(content: str | bytes) -> int:
    return len(content.encode() if isinstance(content, str) else content)
