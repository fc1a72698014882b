"""Resources wait for what they need but don't name: without `depends_on` Terraform creates both at once."""

from terraform_files import Declaration, of_kind, of_type

MODULES = "modules/"
# These push events to a function, and need its permission first. Otherwise AWS refuses them or loses events.
PERMITTED = {
    "aws_cloudwatch_event_target": "events.amazonaws.com",
    "aws_s3_bucket_notification": "s3.amazonaws.com",
    "aws_sns_topic_subscription": "sns.amazonaws.com",
}
LISTENER = "modules/event_listener/"
# An event reaches the listener through one of these.
WAYS = (*PERMITTED, "aws_lambda_event_source_mapping")


def area(one: Declaration) -> str:
    return f"{one.file.parent.as_posix()}/"


def waits_for(one: Declaration, type_: str) -> list[Declaration]:
    """The resources of this type in its `depends_on`."""
    waited = {text.removeprefix("${").removesuffix("}") for text in one.body.get("depends_on", [])}
    return [found for found in of_type(type_, area(one)) if f"{type_}.{found.name}" in waited]


def test_event_sources_wait_for_their_own_permission() -> None:
    pushing = [one for type_ in PERMITTED for one in of_type(type_, MODULES)]
    assert len(pushing) == 4
    for one in pushing:
        principals = [found.body["principal"] for found in waits_for(one, "aws_lambda_permission")]
        assert principals == [PERMITTED[one.type]], f"{one}: let it depend on its aws_lambda_permission"


def test_the_permission_of_a_notification_is_for_its_own_bucket() -> None:
    notifications = of_type("aws_s3_bucket_notification", MODULES)
    assert notifications
    for notification in notifications:
        bucket = notification.body["bucket"]
        arns = (
            [bucket.replace(".name}", ".arn}")]
            if bucket.startswith("${module.")
            else [f"arn:${{data.aws_partition.current.partition}}:s3:::{bucket}"]
        )
        permissions = waits_for(notification, "aws_lambda_permission")
        granted = [one.body["source_arn"] for one in permissions]
        assert granted == arns, f"{notification}: let it depend on a permission for its own bucket"


def test_a_function_waits_for_its_log_group_and_its_permissions() -> None:
    """A function that starts earlier fails, or creates a log group without a retention."""
    functions = of_type("aws_lambda_function", MODULES)
    assert functions
    for function in functions:
        for type_ in ("aws_cloudwatch_log_group", "aws_iam_role_policy"):
            assert waits_for(function, type_), f"{function}: let it depend on its {type_}"


def test_settings_of_one_bucket_are_changed_one_after_another() -> None:
    """S3 refuses changes at the same time."""
    (controls,) = of_type("aws_s3_bucket_ownership_controls", MODULES)
    (policy,) = of_type("aws_s3_bucket_policy", MODULES)
    assert waits_for(controls, "aws_s3_bucket_public_access_block")
    assert waits_for(policy, "aws_s3_bucket_ownership_controls")


def test_outputs_that_name_a_function_or_a_bucket_wait_until_it_is_ready() -> None:
    ready = {
        "modules/lambda_function/": ("aws_iam_role_policy", "aws_lambda_function_event_invoke_config"),
        "modules/private_bucket/": ("aws_s3_bucket_ownership_controls", "aws_s3_bucket_policy"),
    }
    for module, types in ready.items():
        outputs = [one for one in of_kind("output", module) if one.name in ("arn", "name")]
        assert len(outputs) == 2
        for output in outputs:
            for type_ in types:
                assert waits_for(output, type_), f"{output}: let it depend on its {type_}"


def test_outputs_that_senders_use_wait_until_the_listener_gets_events() -> None:
    (harness,) = [one for one in of_kind("output", LISTENER) if one.name == "event_harness"]
    for type_ in WAYS:
        ways = of_type(type_, LISTENER)
        assert waits_for(harness, type_) == ways, f"{harness}: let it depend on each {type_}"
    buckets = [
        one
        for one in of_type("aws_lambda_permission", LISTENER)
        if one.body["principal"] == "s3.amazonaws.com"
    ]
    # The user may own the notification, so the module has none to wait for.
    assert waits_for(harness, "aws_lambda_permission") == buckets
    (source,) = [one for one in of_kind("output", "modules/text_processor/") if one.name == "source_bucket"]
    assert waits_for(source, "aws_s3_bucket_notification")
