"""Telling by tags whose a resource is, and when it may go."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from botocore.exceptions import ClientError

from event_harness.aws.ownership import TAG_DEPLOYMENT, TAG_EXPIRES, TAG_OWNER
from event_harness.deployments import sweep
from event_harness.errors import SweepError
from event_harness.orphans import by_tag
from event_harness.orphans.inventory import Found
from event_harness.orphans.removal import in_order
from event_harness.orphans.tagged import tagged

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ACCOUNT = "eu-west-1:000000000000"
DEPLOYMENT_ID, OTHER = "d0abcdefgh1234", "d0abcdefgh5678"


class FakeClient:
    """Answers each operation from a table; remembers the calls that change something."""

    def __init__(self, answers, changes):
        self.answers = answers
        self.changes = changes

    def get_paginator(self, operation):
        self.operation = operation
        return self

    def paginate(self, **arguments):
        yield from self.answers.get(self.operation, [{}])

    def __getattr__(self, operation):
        def call(**arguments):
            answer = self.answers.get(operation)
            if isinstance(answer, ClientError):
                raise answer
            if callable(answer):
                return answer(*arguments.values())
            if operation.startswith(("list", "describe")):
                return answer
            self.changes.append((operation, arguments))
            return {}

        return call


class FakeTarget:
    """Buckets, queues and log groups, and what their services and the tagging API say of their tags."""

    endpoint_url = "http://x"

    def __init__(self):
        self.buckets = {}
        self.queues = {}
        self.log_groups = {}
        self.functions = {}
        self.mappings = []
        self.others = {}
        self.changes = []
        self.errors = {}
        self.headers = {"date": format_datetime(NOW, usegmt=True)}

    def client(self, service):
        answers = {
            "sts": {"get_caller_identity": lambda: {"ResponseMetadata": {"HTTPHeaders": self.headers}}},
            "sqs": {
                "list_queues": [{"QueueUrls": [f"http://x/000000000000/{n}"]} for n in self.queues],
                "list_queue_tags": lambda url: {"Tags": self.queues[url.rsplit("/", 1)[-1]]},
            },
            "s3": {
                "list_buckets": {"Buckets": [{"Name": name} for name in self.buckets]},
                "get_bucket_tagging": self.bucket_tagging,
            },
            "lambda": {
                "list_event_source_mappings": [
                    {
                        "EventSourceMappings": [
                            {"UUID": n, "FunctionArn": f"arn:aws:lambda:{ACCOUNT}:function:{n}"}
                        ]
                    }
                    for n in self.mappings
                ],
                "list_tags": self.function_tagging,
            },
            "events": {"list_event_buses": {"EventBuses": []}},
            "logs": {
                "describe_log_groups": [
                    {"logGroups": [{"logGroupName": n, "arn": f"arn:aws:logs:{ACCOUNT}:log-group:{n}:*"}]}
                    for n in self.log_groups
                ],
                "list_tags_for_resource": lambda arn: {"tags": self.log_groups[arn.split("log-group:")[1]]},
            },
            "resourcegroupstaggingapi": {
                "get_resources": [
                    {"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": as_list(tags)}]}
                    for arn, tags in [
                        *((f"arn:aws:s3:::{name}", tags) for name, tags in self.buckets.items()),
                        *((f"arn:aws:sqs:{ACCOUNT}:{name}", tags) for name, tags in self.queues.items()),
                        *self.others.items(),
                    ]
                    if TAG_DEPLOYMENT in tags
                ]
            },
        }
        return FakeClient(answers.get(service, {}) | self.errors, self.changes)

    def function_tagging(self, arn):
        name = arn.rsplit(":", 1)[-1]
        if name not in self.functions:
            gone = {"Code": "ResourceNotFoundException", "Message": "no such function"}
            raise ClientError({"Error": gone}, "ListTags")
        return {"Tags": self.functions[name]}

    def bucket_tagging(self, name):
        if not self.buckets[name]:
            raise ClientError({"Error": {"Code": "NoSuchTagSet", "Message": "none"}}, "GetBucketTagging")
        return {"TagSet": as_list(self.buckets[name])}


def as_list(tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def ours(deployment_id=DEPLOYMENT_ID, expires="2026-01-01T00:00:00Z"):
    return {TAG_DEPLOYMENT: deployment_id, TAG_OWNER: "me@here", TAG_EXPIRES: expires}


@pytest.fixture
def target():
    return FakeTarget()


@pytest.fixture
def swept(target, tmp_path):
    """Sweeps by tag and returns what was deleted."""

    def call(**arguments):
        sweep.sweep_by_tag(tmp_path, target, say=lambda _line: None, **arguments)
        return [next(iter(arguments.values())).rsplit("/", 1)[-1] for _, arguments in target.changes]

    return call


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(by_tag, "_LOOKS", (0, 0))


def test_expired_deployment_is_removed(target, swept):
    target.queues = {"one": ours(), "two": ours()}
    assert swept() == ["one", "two", "one", "two"]  # the fake keeps listing them, so it looks twice


def test_deployment_that_has_not_expired_is_left_alone(target, swept):
    target.queues = {"one": ours(expires="2026-01-03T00:00:00Z")}
    assert swept() == []


def test_deployment_of_which_one_resource_has_not_expired_is_left_alone_whole(target, swept):
    target.queues = {"one": ours(), "two": ours(expires="2026-01-03T00:00:00Z")}
    assert swept() == []


@pytest.mark.parametrize("expires", ["", "soon", "2025-01-01", "2026-01-01T00:00:00+00:00"])
def test_deployment_whose_expiry_cannot_be_read_is_left_alone(target, swept, expires):
    target.queues = {"one": ours(expires=expires), "two": ours()}
    assert swept() == []


@pytest.mark.parametrize("missing", [TAG_DEPLOYMENT, TAG_EXPIRES])
def test_resource_that_lacks_one_of_our_tags_is_left_alone(target, swept, missing):
    target.queues = {"one": {key: value for key, value in ours().items() if key != missing}}
    assert swept() == []


def test_resource_of_somebody_else_is_left_alone(target, swept):
    target.queues = {"theirs": {}, "tagged": {"Owner": "they"}, "ours": ours()}
    assert set(swept()) == {"ours"}


@pytest.mark.parametrize(
    "word", ["", "d", "prod", "d0abc", "D0ABCDEFGH1234", f"{DEPLOYMENT_ID}x", "d0abcdefghilou"]
)
def test_word_that_is_no_deployment_id_proves_nothing(target, swept, word):
    """Part of any name: with the tag's value empty, of all names."""
    target.queues = {"one": ours(word), "two": {}}
    target.buckets = {"prod-backup": {}, f"shout-{DEPLOYMENT_ID}": {}}
    assert swept() == []


def test_untagged_bucket_belongs_to_the_deployment_in_its_name(target, swept):
    target.buckets = {f"shout-{DEPLOYMENT_ID}-source": {}, f"shout-{OTHER}-source": {}}
    target.log_groups = {f"/aws/lambda/shout-{DEPLOYMENT_ID}": {}}
    target.queues = {"one": ours()}
    assert set(swept()) == {f"shout-{DEPLOYMENT_ID}-source", f"shout-{DEPLOYMENT_ID}", "one"}


@pytest.mark.parametrize("name", [f"x{DEPLOYMENT_ID}", f"shout-{DEPLOYMENT_ID}5", f"{DEPLOYMENT_ID}a-source"])
def test_id_within_a_longer_word_proves_nothing(target, swept, name):
    target.buckets = {name: {}}
    target.queues = {"one": ours()}
    assert set(swept()) == {"one"}


@pytest.mark.parametrize(
    "tags", [{"Team": "x"}, {TAG_OWNER: "they@there", TAG_EXPIRES: "2030-01-01T00:00:00Z"}]
)
def test_resource_with_other_tags_is_never_taken_whatever_its_name(target, swept, tags):
    target.buckets = {f"backup-of-{DEPLOYMENT_ID}": tags}
    target.log_groups = {f"/backup/of-{DEPLOYMENT_ID}": tags}
    target.queues = {f"backup-of-{DEPLOYMENT_ID}": tags, "one": ours()}
    assert set(swept()) == {"one"}


def test_resource_of_a_type_that_is_made_with_its_tags_is_not_taken_without_them(target, swept):
    target.queues = {f"copy-of-{DEPLOYMENT_ID}": {}, "one": ours()}
    assert set(swept()) == {"one"}


def test_event_source_mapping_goes_with_its_function_or_by_the_name_of_one_that_is_gone(target, swept):
    own, gone, theirs = f"shout-{DEPLOYMENT_ID}", f"gone-{DEPLOYMENT_ID}", f"copy-of-{DEPLOYMENT_ID}"
    target.functions = {own: ours(), theirs: {"Team": "x"}}
    target.mappings = [own, gone, theirs]
    target.queues = {"one": ours()}
    assert set(swept()) == {own, gone, "one"}


def test_resource_that_the_index_does_not_know_yet_is_asked_for_its_tags(target, swept):
    target.queues = {f"shout-{DEPLOYMENT_ID}": ours(), "one": ours()}
    known = target.client("resourcegroupstaggingapi").answers["get_resources"]
    target.errors = {"get_resources": known[1:]}
    assert set(swept()) == {f"shout-{DEPLOYMENT_ID}", "one"}


def test_resource_that_is_tagged_between_two_looks_is_let_go(target):
    """What has no tags at the first look may have its maker's at the second."""
    target.buckets = {f"backup-of-{DEPLOYMENT_ID}": {}}
    denied = {"Error": {"Code": "OperationAborted", "Message": "wait"}}
    target.errors = {"delete_bucket": ClientError(denied, "DeleteBucket")}

    slept = []

    def sleep(seconds):
        if slept:
            target.buckets = {f"backup-of-{DEPLOYMENT_ID}": {"Team": "x"}}
        slept.append(seconds)

    assert by_tag.remove_all(target, DEPLOYMENT_ID, lambda _line: None, sleep=sleep) == []


def test_directory_whose_record_cannot_be_read_goes_with_what_its_tags_tell_of(target, tmp_path):
    own, other = (tmp_path / "deployments" / deployment_id for deployment_id in (DEPLOYMENT_ID, OTHER))
    for directory in (own, other):
        directory.mkdir(parents=True)
    target.queues = {"one": ours()}
    target.errors = {"delete_queue": lambda _url: target.queues.clear()}
    assert sweep.sweep_by_tag(tmp_path, target, say=lambda _line: None) == 0
    assert not own.exists()
    assert other.exists()


def test_name_alone_proves_nothing(target, swept):
    target.buckets = {f"shout-{DEPLOYMENT_ID}-source": {}}
    assert swept() == []


def test_deployment_on_record_here_is_left_alone(target, swept, monkeypatch):
    target.queues = {"one": ours(DEPLOYMENT_ID), "two": ours(OTHER)}
    on_record = type("Record", (), {"deployment_id": DEPLOYMENT_ID})
    monkeypatch.setattr(sweep.records, "recorded", lambda _state_dir: [on_record])
    assert set(swept()) == {"two"}


def test_dry_run_changes_nothing(target, swept):
    target.queues = {"one": ours()}
    assert swept(dry_run=True) == []


def test_service_is_asked_for_tags_that_the_tagging_api_leaves_out(target, swept):
    target.log_groups = {"/aws/lambda/one": ours()}
    assert set(swept()) == {"one"}


def test_type_that_the_harness_does_not_know_is_named_and_fails_the_sweep(target, tmp_path):
    arn = f"arn:aws:states:{ACCOUNT}:stateMachine:one"
    target.others = {arn: ours()}
    said = []
    assert sweep.sweep_by_tag(tmp_path, target, say=said.append) == 1
    assert any(arn in line and "delete it by hand" in line for line in said)


def test_index_that_lags_behind_does_not_list_deleted_resources(target):
    target.others = {f"arn:aws:sqs:{ACCOUNT}:gone": ours()}
    assert tagged(target) == ([], {})


def test_refused_deletion_is_reported_with_its_reason(target, tmp_path):
    target.queues = {"one": ours()}
    denied = {"Error": {"Code": "AccessDenied", "Message": "no"}}
    target.errors = {"delete_queue": ClientError(denied, "DeleteQueue")}
    said = []
    assert sweep.sweep_by_tag(tmp_path, target, say=said.append) == 1
    assert (
        f"{DEPLOYMENT_ID}: aws_sqs_queue http://x/000000000000/one can't be deleted: AccessDenied: no" in said
    )


def test_resource_that_another_sweep_has_deleted_is_no_error(target):
    target.queues = {"one": ours()}
    gone = {"Error": {"Code": "AWS.SimpleQueueService.NonExistentQueue", "Message": "gone"}}
    target.errors = {"delete_queue": ClientError(gone, "DeleteQueue")}
    left = by_tag.remove_all(target, DEPLOYMENT_ID, lambda _line: None)
    assert left == ["aws_sqs_queue http://x/000000000000/one is still there"]


def test_it_looks_again_until_nothing_is_listed_any_more(target, monkeypatch):
    monkeypatch.setattr(by_tag, "_LOOKS", (1, 2, 3, 4))
    target.queues = {"one": ours()}
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        if seconds == 3:
            target.queues = {}

    assert by_tag.remove_all(target, DEPLOYMENT_ID, lambda _line: None, sleep=sleep) == []
    assert slept == [1, 2, 3]


def test_callers_are_deleted_before_called_and_logs_after_functions():
    types = ["aws_iam_role", "aws_cloudwatch_log_group", "aws_lambda_function", "aws_s3_bucket"]
    ordered = [found.type for found in in_order(Found(type_, "x") for type_ in types)]
    assert ordered == ["aws_lambda_function", "aws_s3_bucket", "aws_cloudwatch_log_group", "aws_iam_role"]


def test_expiry_is_a_moment_not_a_day():
    orphaned = by_tag.Orphans(DEPLOYMENT_ID, expires=NOW)
    assert not orphaned.expired(NOW)
    assert orphaned.expired(NOW + timedelta(seconds=1))


def test_resource_whose_tags_we_may_not_see_is_left_alone(target, swept):
    target.log_groups = {"/their/own": {}}
    denied = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}
    target.errors = {"list_tags_for_resource": ClientError(denied, "ListTagsForResource")}
    target.queues = {"one": ours()}
    assert set(swept()) == {"one"}


def test_service_that_cannot_be_asked_ends_the_sweep_with_one_line(target, tmp_path):
    denied = {"Error": {"Code": "AccessDenied", "Message": "no"}}
    target.errors = {"list_buckets": ClientError(denied, "ListBuckets")}
    with pytest.raises(SweepError, match="can't be searched for orphaned resources: AccessDenied: no"):
        sweep.sweep_by_tag(tmp_path, target, say=lambda _line: None)


def test_expiry_is_compared_with_the_targets_clock_not_with_this_machines(target, swept, monkeypatch):
    wrong = datetime(1999, 1, 1, tzinfo=UTC)
    monkeypatch.setattr("event_harness.machine.clock.now", lambda: wrong)
    target.queues = {f"old-{DEPLOYMENT_ID}": ours(), f"new-{OTHER}": ours(OTHER, "2026-01-03T00:00:00Z")}
    assert set(swept()) == {f"old-{DEPLOYMENT_ID}"}


@pytest.mark.parametrize("headers", [{}, {"date": "tomorrow"}])
def test_target_that_does_not_tell_its_time_is_not_swept(target, tmp_path, headers):
    target.headers = headers
    target.queues = {f"old-{DEPLOYMENT_ID}": ours()}
    with pytest.raises(SweepError, match="answers without its time"):
        sweep.sweep_by_tag(tmp_path, target, say=lambda _line: None)
    assert target.changes == []
