"""Emptying a bucket: what can't be deleted is said."""

import pytest
from botocore.exceptions import ClientError

from event_harness.orphans.removal import empty_bucket


class FakeS3:
    """A bucket with one object, which may refuse to go; S3 says so in an answer that is a success."""

    def __init__(self, errors, key="a"):
        self.errors, self.key = errors, key
        self.deleted = []

    def client(self, service):
        return self

    def get_paginator(self, operation):
        self.operation = operation
        return self

    def paginate(self, **arguments):
        pages = {
            "list_objects_v2": [{"Contents": [{"Key": self.key}]}],
            "list_object_versions": [{"Versions": [{"Key": self.key, "VersionId": "1"}]}],
        }
        return pages.get(self.operation, [])

    def delete_objects(self, Bucket, Delete):  # noqa: N803
        self.deleted += Delete["Objects"]
        return {"Errors": self.errors} if self.errors else {}

    def delete_object(self, Bucket, **item):  # noqa: N803
        self.deleted.append(item | {"alone": True})


def test_object_that_cannot_be_deleted_is_an_error_that_names_it():
    denied = {"Key": "a", "VersionId": "1", "Code": "AccessDenied", "Message": "it is locked"}
    with pytest.raises(ClientError, match=r"AccessDenied.*a: it is locked"):
        empty_bucket(FakeS3([denied]), "bucket")


def test_objects_are_deleted_before_versions_are_listed():
    """MiniStack can't list the versions of a key with a control character."""
    s3 = FakeS3([])
    empty_bucket(s3, "bucket")
    assert s3.deleted == [{"Key": "a"}, {"Key": "a", "VersionId": "1"}]


@pytest.mark.parametrize("key", ["bell \x07", "\x00", "\uffff"])
def test_key_that_no_xml_can_hold_is_deleted_alone(key):
    s3 = FakeS3([], key)
    empty_bucket(s3, "bucket")
    assert s3.deleted == [{"Key": key, "alone": True}, {"Key": key, "VersionId": "1", "alone": True}]


@pytest.mark.parametrize("key", ["x+y", "größe 日本語", "👋🏽", "tab\t", "%41"])
def test_any_other_key_goes_with_the_rest(key):
    s3 = FakeS3([], key)
    empty_bucket(s3, "bucket")
    assert s3.deleted == [{"Key": key}, {"Key": key, "VersionId": "1"}]
