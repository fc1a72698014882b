"""Encryption is declared, access is minimal, and every function makes its failures visible."""

import re
from typing import Any

from terraform_files import Declaration, arguments, blocks, declarations, of_kind, of_type, strings

SYSTEM = (".", "modules/")
EVERYWHERE = ("",)
# Actions of services that have no resources to limit them to.
WITHOUT_RESOURCES = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}


def ours(type_: str, areas: tuple[str, ...] = SYSTEM) -> list[Declaration]:
    found = [one for area in areas for one in of_type(type_, area)]
    assert found, f"there is no {type_}: take it out of this test"
    return found


def statements() -> list[tuple[Declaration, dict[str, Any]]]:
    found = [
        (one, block)
        for one in of_type("data.aws_iam_policy_document")
        for name, block in blocks(one.body)
        if name == "statement"
    ]
    assert found
    return found


def test_every_bucket_is_closed_and_keeps_the_encryption_of_s3() -> None:
    """S3 encrypts by itself. Provider 3.39 would undo that at each apply unless it ignores the difference."""
    for bucket in ours("aws_s3_bucket"):
        (lifecycle,) = bucket.body["lifecycle"]
        ignored = lifecycle["ignore_changes"]
        assert ignored == ["server_side_encryption_configuration"], f"{bucket}: ignore its encryption"
        area = f"{bucket.file.parent.as_posix()}/"
        for closing in ("public_access_block", "ownership_controls", "policy"):
            assert of_type(f"aws_s3_bucket_{closing}", area), f"{bucket}: add aws_s3_bucket_{closing}"


def test_a_bucket_blocks_all_public_access() -> None:
    switches = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    for block in ours("aws_s3_bucket_public_access_block"):
        off = [switch for switch in switches if block.body.get(switch) is not True]
        assert not off, f"{block}: switch on {', '.join(off)}"


def test_a_lasting_bucket_deletes_unfinished_uploads() -> None:
    for bucket in ours("aws_s3_bucket"):
        rules = [rule["lifecycle_rule"] for rule in bucket.body["dynamic"] if "lifecycle_rule" in rule]
        found = [
            rule["for_each"]
            for rule in rules
            for content in rule["content"]
            if content.get("abort_incomplete_multipart_upload_days") == 1 and content["enabled"] is True
        ]
        assert found == ["${var.ephemeral ? [] : [1]}"], f"{bucket}: delete unfinished uploads after a day"


def test_a_bucket_on_aws_has_no_access_control_lists() -> None:
    """Emulators run with provider 3.39, which doesn't know BucketOwnerEnforced."""
    for controls in ours("aws_s3_bucket_ownership_controls"):
        (rule,) = [block for name, block in blocks(controls.body) if name == "rule"]
        condition, _, on_aws = rule["object_ownership"].removesuffix("}").rpartition(" : ")
        assert (condition.split(" ? ")[0], on_aws) == ("${local.emulated", '"BucketOwnerEnforced"'), controls


def test_a_bucket_and_its_objects_refuse_plain_http() -> None:
    (statement,) = [block for one, block in statements() if one.name == "tls_only"]
    bucket = "${aws_s3_bucket.this.arn}"
    assert (statement["effect"], statement["actions"]) == ("Deny", ["s3:*"])
    assert statement["resources"] == [bucket, f"{bucket}/*"]
    assert [arguments(block) for block in statement["principals"]] == [{"type": "*", "identifiers": ["*"]}]
    assert [arguments(block) for block in statement["condition"]] == [
        {"test": "Bool", "variable": "aws:SecureTransport", "values": ["false"]}
    ]


def test_every_table_is_encrypted() -> None:
    for table in ours("aws_dynamodb_table"):
        encryption = dict(blocks(table.body)).get("server_side_encryption", {})
        assert encryption.get("enabled") is True, f"{table}: enable server_side_encryption"


def test_every_queue_is_encrypted() -> None:
    for queue in ours("aws_sqs_queue"):
        assert "kms_master_key_id" in queue.body, f"{queue}: set kms_master_key_id"


def test_no_statement_allows_a_wildcard_action() -> None:
    bad = [
        f"{one}: statement {block.get('sid')} allows {action}"
        for one, block in statements()
        if block.get("effect", "Allow") == "Allow"
        for action in block.get("actions", [])
        if "*" in action
    ]
    # A dynamic statement may take its actions from a local value.
    bad += [
        f"{one}: {text}"
        for one in of_kind("locals")
        for text in strings(one.body)
        if re.fullmatch(r"[a-z0-9]+:\S*\*", text)
    ]
    assert not bad, "\n".join(bad)


def test_only_actions_without_resources_have_a_wildcard_resource() -> None:
    bad = [
        f"{one}: statement {block.get('sid')} takes every resource"
        for one, block in statements()
        if "*" in block.get("resources", []) and not set(block["actions"]) <= WITHOUT_RESOURCES
    ]
    bad += [
        f"{one}: {text}"
        for one in of_kind("locals")
        for text in strings(one.body)
        if text == "*" or '"*"' in text
    ]
    assert not bad, "\n".join(bad)


def test_every_role_has_the_permissions_boundary_of_its_input() -> None:
    for role in ours("aws_iam_role", EVERYWHERE):
        boundary = role.body.get("permissions_boundary")
        assert boundary == "${var.permissions_boundary}", f"{role}: set permissions_boundary"


def test_every_call_of_a_module_with_a_role_passes_the_permissions_boundary() -> None:
    with_role = ("lambda_function", "event_listener", "text_processor")
    calls = [one for one in of_kind("module") if one.body["source"].rpartition("/")[2] in with_role]
    assert calls
    for call in calls:
        boundary = call.body.get("permissions_boundary")
        assert boundary == "${var.permissions_boundary}", f"{call}: pass permissions_boundary"


def test_only_lambda_can_assume_a_role() -> None:
    trusting = [(one, block) for one, block in statements() if "sts:AssumeRole" in block["actions"]]
    assert trusting
    for one, block in trusting:
        trusted = [arguments(principal) for principal in block["principals"]]
        assert trusted == [{"type": "Service", "identifiers": ["lambda.amazonaws.com"]}], one


def test_actions_that_read_a_kinesis_stream_are_those_of_the_aws_managed_policy() -> None:
    """AWSLambdaKinesisExecutionRole has the same actions; no plan tests it, since a stream takes 40 s."""
    (reading,) = [
        one.body["reading"] for one in of_kind("locals", "modules/event_listener/") if "reading" in one.body
    ]
    assert reading["kinesis"]["actions"] == [
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
    ]


def test_every_statement_has_a_name() -> None:
    bad = [f"{one}: a statement lacks its sid" for one, block in statements() if not block.get("sid")]
    assert not bad, "\n".join(bad)


def test_policies_are_written_as_policy_documents() -> None:
    """The other tests of this file read policy documents only."""
    types = ("aws_iam_role_policy_attachment", "aws_iam_policy", "aws_iam_policy_attachment")
    assert [str(one) for type_ in types for one in of_type(type_)] == []
    bad = [
        f"{one}: write a data.aws_iam_policy_document"
        for one in declarations()
        if one.kind == "resource"
        and one.labels[0]
        in ("aws_iam_role", "aws_iam_role_policy", "aws_s3_bucket_policy", "aws_sqs_queue_policy")
        for argument in ("policy", "assume_role_policy")
        if argument in one.body and "data.aws_iam_policy_document" not in one.body[argument]
    ]
    assert not bad, "\n".join(bad)


def test_no_role_may_create_log_groups() -> None:
    bad = [str(one) for one, block in statements() if "logs:CreateLogGroup" in block.get("actions", [])]
    assert not bad, "\n".join(bad)


def test_every_log_group_has_a_retention() -> None:
    for group in ours("aws_cloudwatch_log_group", EVERYWHERE):
        assert "retention_in_days" in group.body, f"{group}: set retention_in_days"


def test_every_function_is_traced() -> None:
    for function in ours("aws_lambda_function"):
        tracing = dict(blocks(function.body)).get("tracing_config", {})
        assert tracing.get("mode") == "Active", f"{function}: set the mode of tracing_config to Active"


def test_every_function_limits_its_retries_and_keeps_failed_events() -> None:
    for function in ours("aws_lambda_function"):
        area = f"{function.file.parent.as_posix()}/"
        (config,) = of_type("aws_lambda_function_event_invoke_config", area)
        for argument in ("maximum_retry_attempts", "maximum_event_age_in_seconds"):
            assert argument in config.body, f"{config}: set {argument}"
        destinations = [block for name, block in blocks(config.body) if name == "destination_config"]
        assert "on_failure" in destinations[0], f"{config}: add an on_failure destination"


def test_every_permission_names_the_source_that_may_invoke() -> None:
    for permission in ours("aws_lambda_permission", EVERYWHERE):
        assert "source_arn" in permission.body, f"{permission}: set source_arn"
        if permission.body["principal"] == "s3.amazonaws.com":
            assert "source_account" in permission.body, f"{permission}: a bucket's ARN has no account"


def test_every_event_source_mapping_says_its_batch_size() -> None:
    for mapping in ours("aws_lambda_event_source_mapping", EVERYWHERE):
        assert "batch_size" in mapping.body, f"{mapping}: set batch_size, or each plan shows a change"
