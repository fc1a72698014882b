"""Emptying a bucket: what can't be deleted is said."""

import pytest
from botocore.exceptions import ClientError

from event_harness.removal import empty_bucket


class FakeS3:
    """A bucket with one object, which may refuse to go; S3 says so in an answer that is a success."""

    def __init__(self, errors):
        self.errors = errors

    def client(self, service):
        return self

    def get_paginator(self, operation):
        self.operation = operation
        return self

    def paginate(self, **arguments):
        return {"list_object_versions": [{"Versions": [{"Key": "a", "VersionId": "1"}]}]}.get(
            self.operation, []
        )

    def delete_objects(self, **arguments):
        return {"Errors": self.errors} if self.errors else {}


def test_object_that_can_not_be_deleted_is_an_error_that_names_it():
    denied = {"Key": "a", "VersionId": "1", "Code": "AccessDenied", "Message": "it is locked"}
    with pytest.raises(ClientError, match=r"AccessDenied.*a: it is locked"):
        empty_bucket(FakeS3([denied]), "bucket")


def test_bucket_of_which_all_is_deleted_is_empty():
    empty_bucket(FakeS3([]), "bucket")
