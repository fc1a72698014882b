"""What Terraform's resources connect becomes an edge: one test for each kind of connection."""

import json

from states import (
    ACCOUNT,
    REGION,
    arn,
    bucket,
    bus,
    drawn,
    function,
    graph_of,
    queue,
    resource,
    stream,
    table,
    topic,
)


def only(graph):
    (edge,) = graph.edges
    return edge


def test_event_source_mapping_of_a_queue_with_its_filter_and_its_batches():
    graph = graph_of(
        queue("inbox"),
        function("confirm"),
        resource(
            "aws_lambda_event_source_mapping.inbox",
            event_source_arn=arn("sqs", "inbox"),
            function_arn=arn("lambda", "function:confirm"),
            batch_size=10,
            filter_criteria=[{"filter": [{"pattern": '{"body": {"kind": ["a"]}}'}]}],
        ),
    )
    assert drawn(graph) == {"inbox -> confirm: event source mapping"}
    assert only(graph).filter == 'records {"body": {"kind": ["a"]}}'
    assert only(graph).notes == ("batches of 10",)


def test_event_source_mapping_of_a_tables_stream_by_an_alias_and_one_that_is_off():
    graph = graph_of(
        table("orders"),
        function("project"),
        resource(
            "aws_lambda_alias.live", function_name="project", arn=arn("lambda", "function:project:live")
        ),
        resource(
            "aws_lambda_event_source_mapping.orders",
            event_source_arn=arn("dynamodb", "table/orders/stream/2026-01-01T00:00:00.000"),
            function_name=arn("lambda", "function:project:live"),
            enabled=False,
            destination_config=[{"on_failure": [{"destination_arn": arn("sqs", "lost")}]}],
        ),
        queue("lost"),
    )
    assert drawn(graph) == {
        "orders -> project: event source mapping",
        "project -> lost: on failure",
    }
    assert not next(edge for edge in graph.edges if not edge.failure).enabled
    assert graph.nodes["aws_lambda_function.project"].failure_queue_url.endswith("/lost")


def test_notifications_of_a_bucket_with_prefix_and_suffix():
    graph = graph_of(
        bucket("source"),
        function("read"),
        queue("copies"),
        topic("news"),
        resource(
            "aws_s3_bucket_notification.source",
            bucket="source",
            lambda_function=[
                {
                    "lambda_function_arn": arn("lambda", "function:read"),
                    "events": ["s3:ObjectCreated:*"],
                    "filter_prefix": "in/",
                    "filter_suffix": ".csv",
                }
            ],
            queue=[
                {"queue_arn": arn("sqs", "copies"), "events": ["s3:ObjectCreated:*"], "filter_prefix": ""}
            ],
            topic=[{"topic_arn": arn("sns", "news"), "events": ["s3:ObjectRemoved:*"]}],
        ),
    )
    assert drawn(graph) == {
        "source -> read: notification",
        "source -> copies: notification",
        "source -> news: notification",
    }
    assert {edge.filter for edge in graph.edges} == {"keys with prefix 'in/' and suffix '.csv'", ""}


def test_bucket_through_eventbridge_reaches_only_the_rule_whose_pattern_matches_it():
    own = {
        "source": ["aws.s3"],
        "detail": {"bucket": {"name": ["source"]}, "object": {"key": [{"suffix": "x"}]}},
    }
    other = {"source": ["aws.s3"], "detail": {"bucket": {"name": [{"prefix": "other"}]}}}
    parts = [
        bucket("source"),
        bucket("elsewhere", "other-bucket"),
        function("mine"),
        function("others"),
        function("custom"),
    ]
    parts += [
        resource(f"aws_s3_bucket_notification.{name}", bucket=name, eventbridge=True)
        for name in ("source", "other-bucket")
    ]
    for name, pattern in {"mine": own, "others": other, "custom": {"source": ["shop"]}}.items():
        parts.append(
            resource(
                f"aws_cloudwatch_event_rule.{name}",
                name=name,
                event_bus_name="default",
                event_pattern=json.dumps(pattern),
            )
        )
        parts.append(
            resource(
                f"aws_cloudwatch_event_target.{name}",
                rule=name,
                event_bus_name="default",
                arn=arn("lambda", f"function:{name}"),
            )
        )
    graph = graph_of(*parts)
    assert "source -> default: notification" in drawn(graph)
    senders = {
        graph.nodes[edge.target].name: edge.senders for edge in graph.edges if edge.senders is not None
    }
    assert senders == {
        "mine": ("aws_s3_bucket.source",),
        "others": ("aws_s3_bucket.elsewhere",),
        "custom": (),
    }


def test_bucket_that_a_rule_names_is_connected_also_without_a_notification():
    def rule(name, detail):
        pattern = json.dumps({"source": ["aws.s3"], "detail": detail})
        return [
            resource(
                f"aws_cloudwatch_event_rule.{name}",
                name=name,
                event_bus_name="default",
                event_pattern=pattern,
            ),
            resource(f"aws_cloudwatch_event_target.{name}", rule=name, arn=arn("sqs", name)),
            queue(name),
        ]

    graph = graph_of(
        bucket("source"),
        bucket("trailed"),
        bucket("else"),
        *rule("created", {"bucket": {"name": ["source"]}}),
        *rule("put", {"requestParameters": {"bucketName": ["trailed"]}}),
    )
    assert drawn(graph) == {
        "source -> default: notification (named)",
        "trailed -> default: CloudTrail (named)",
        "default -> created: rule created",
        "default -> put: rule put",
    }


def test_subscriptions_with_filter_policy_raw_delivery_and_protocols_outside_of_the_state():
    graph = graph_of(
        topic("placed"),
        queue("work"),
        queue("lost"),
        resource(
            "aws_sns_topic_subscription.work",
            topic_arn=arn("sns", "placed"),
            protocol="sqs",
            endpoint=arn("sqs", "work"),
            raw_message_delivery=True,
            filter_policy='{"kind": ["a"]}',
            filter_policy_scope="MessageBody",
            redrive_policy=json.dumps({"deadLetterTargetArn": arn("sqs", "lost")}),
        ),
        resource(
            "aws_sns_topic_subscription.hook",
            topic_arn=arn("sns", "placed"),
            protocol="https",
            endpoint="https://hooks.example.com/secret-token",
        ),
    )
    assert drawn(graph) == {
        "placed -> work: subscription",
        "placed -> lost: dead-letter queue",
        "placed -> hooks.example.com: subscription",
    }
    work = next(edge for edge in graph.edges if edge.target == "aws_sqs_queue.work")
    assert work.filter == 'MessageBody {"kind": ["a"]}'
    assert work.notes == ("raw delivery",)
    assert "secret-token" not in json.dumps(graph.to_json())
    assert next(node for node in graph.nodes.values() if "hooks" in node.name).type == "other"


def test_rules_of_a_bus_with_pattern_transformer_and_dead_letters():
    graph = graph_of(
        bus("shop"),
        queue("work"),
        queue("lost"),
        resource(
            "aws_cloudwatch_event_rule.orders",
            name="orders",
            event_bus_name=arn("events", "event-bus/shop"),
            event_pattern='{"source": ["shop"]}',
            state="DISABLED",
        ),
        resource(
            "aws_cloudwatch_event_target.orders",
            rule="orders",
            event_bus_name="shop",
            arn=arn("sqs", "work"),
            dead_letter_config=[{"arn": arn("sqs", "lost")}],
            input_transformer=[{"input_template": "{}"}],
        ),
    )
    assert drawn(graph) == {"shop -> work: rule orders", "shop -> lost: dead-letter queue of rule orders"}
    work = next(edge for edge in graph.edges if edge.target == "aws_sqs_queue.work")
    assert (work.filter, work.notes, work.enabled) == (
        'events {"source": ["shop"]}',
        ("input transformed",),
        False,
    )


def test_schedules_are_entries_of_their_own():
    graph = graph_of(
        function("nightly"),
        queue("work"),
        resource(
            "aws_cloudwatch_event_rule.clock",
            name="clock",
            event_bus_name="default",
            schedule_expression="rate(1 hour)",
            arn=arn("events", "rule/clock"),
        ),
        resource("aws_cloudwatch_event_target.clock", rule="clock", arn=arn("lambda", "function:nightly")),
        resource(
            "aws_scheduler_schedule.call",
            schedule_expression="rate(1 day)",
            target=[
                {
                    "arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage",
                    "input": json.dumps({"QueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/work"}),
                }
            ],
        ),
    )
    assert drawn(graph) == {"clock -> nightly: rule clock", "call -> work: schedule"}
    assert graph.nodes["aws_cloudwatch_event_rule.clock"].type == "other"


def test_pipe_with_filter_enrichment_and_target():
    graph = graph_of(
        table("orders"),
        function("enrich"),
        queue("out"),
        resource(
            "aws_pipes_pipe.forward",
            name="acme-forward",
            arn=arn("pipes", "pipe/acme-forward"),
            source=arn("dynamodb", "table/orders/stream/2026-01-01T00:00:00.000"),
            enrichment=arn("lambda", "function:enrich"),
            target=arn("sqs", "out"),
            desired_state="STOPPED",
            source_parameters=[
                {
                    "filter_criteria": [{"filter": [{"pattern": '{"eventName": ["INSERT"]}'}]}],
                    "dynamodb_stream_parameters": [{"batch_size": 5}],
                }
            ],
        ),
    )
    assert drawn(graph) == {
        "orders -> forward: pipe source",
        "forward -> enrich: enrichment",
        "forward -> out: pipe target",
    }
    source = next(edge for edge in graph.edges if edge.kind == "pipe source")
    assert (source.filter, source.notes) == ('records {"eventName": ["INSERT"]}', ("batches of 5",))
    assert not any(edge.enabled for edge in graph.edges)
    assert graph.nodes["aws_pipes_pipe.forward"].identifier == "acme-forward"


def test_pipe_of_a_cloudformation_stack():
    properties = {
        "Name": "acme-forward",
        "Source": arn("sqs", "inbox"),
        "Target": arn("sns", "out"),
        "SourceParameters": {"FilterCriteria": {"Filters": [{"Pattern": '{"body": ["x"]}'}]}},
    }
    unnamed = properties | {"Name": {"Ref": "AWS::StackName"}}
    parts = {
        "forward": {"Type": "AWS::Pipes::Pipe", "Properties": properties},
        "nameless": {"Type": "AWS::Pipes::Pipe", "Properties": unnamed},
        "else": {"Type": "AWS::SQS::Queue"},
    }
    graph = graph_of(
        queue("inbox"),
        topic("out"),
        resource("aws_cloudformation_stack.pipes", template_body=json.dumps({"Resources": parts})),
    )
    assert drawn(graph) == {"inbox -> forward: pipe source", "forward -> out: pipe target"}
    assert graph.nodes["aws_cloudformation_stack.pipes/forward"].identifier == "acme-forward"


def test_firehose_between_stream_function_and_bucket():
    graph = graph_of(
        stream("clicks"),
        function("clean"),
        bucket("lake"),
        resource(
            "aws_kinesis_firehose_delivery_stream.lake",
            name="lake",
            arn=arn("firehose", "deliverystream/lake"),
            kinesis_source_configuration=[
                {"kinesis_stream_arn": arn("kinesis", "stream/clicks"), "role_arn": "arn:aws:iam::1:role/r"}
            ],
            extended_s3_configuration=[
                {
                    "bucket_arn": arn("s3", "lake"),
                    "role_arn": "arn:aws:iam::1:role/r",
                    "processing_configuration": [
                        {
                            "processors": [
                                {
                                    "parameters": [
                                        {
                                            "parameter_name": "LambdaArn",
                                            "parameter_value": arn("lambda", "function:clean:$LATEST"),
                                        }
                                    ]
                                }
                            ]
                        }
                    ],
                }
            ],
        ),
    )
    firehose = "lake_kinesis_firehose_delivery_stream"
    assert drawn(graph) == {
        f"clicks -> {firehose}: Firehose source",
        f"{firehose} -> clean: transformation",
        f"clean -> {firehose}: transformation",
        f"{firehose} -> lake_s3: Firehose destination",
    }


def test_streams_logs_replication_alarms_and_iot():
    graph = graph_of(
        table("orders"),
        stream("changes"),
        function("watch"),
        function("work"),
        topic("alarms"),
        bucket("one"),
        bucket("two"),
        resource(
            "aws_dynamodb_kinesis_streaming_destination.orders",
            table_name="orders",
            stream_arn=arn("kinesis", "stream/changes"),
        ),
        resource(
            "aws_cloudwatch_log_subscription_filter.work",
            log_group_name="/aws/lambda/work",
            filter_pattern="ERROR",
            destination_arn=arn("lambda", "function:watch"),
        ),
        resource(
            "aws_s3_bucket_replication_configuration.one",
            bucket="one",
            rule=[{"destination": [{"bucket": arn("s3", "two")}]}],
        ),
        resource(
            "aws_cloudwatch_metric_alarm.slow",
            arn=arn("cloudwatch", "alarm:slow"),
            alarm_actions=[arn("sns", "alarms")],
        ),
        resource(
            "aws_iot_topic_rule.sensors",
            arn=arn("iot", "rule/sensors"),
            kinesis=[{"stream_name": "changes"}],
        ),
    )
    assert drawn(graph) == {
        "orders -> changes: stream",
        "work -> watch: log subscription",
        "one -> two: replication",
        "slow -> alarms: alarm",
        "sensors -> changes: IoT kinesis",
    }


def test_asynchronous_destinations_count_before_dead_letters():
    graph = graph_of(
        function("work", dead_letter_config=[{"target_arn": arn("sqs", "letters")}]),
        queue("letters"),
        queue("failed"),
        topic("done"),
        resource(
            "aws_lambda_function_event_invoke_config.work",
            function_name="work",
            destination_config=[
                {
                    "on_success": [{"destination": arn("sns", "done")}],
                    "on_failure": [{"destination": arn("sqs", "failed")}],
                }
            ],
        ),
    )
    assert drawn(graph) == {
        "work -> done: on success",
        "work -> failed: on failure",
        "work -> letters: dead-letter queue",
    }
    assert graph.nodes["aws_lambda_function.work"].failure_queue_url.endswith("/failed")


def test_redrive_policies_also_as_a_resource_of_their_own():
    policy = json.dumps({"deadLetterTargetArn": arn("sqs", "dead"), "maxReceiveCount": 2})
    graph = graph_of(
        queue("one", redrive_policy=policy),
        queue("two"),
        queue("dead"),
        resource(
            "aws_sqs_queue_redrive_policy.two",
            queue_url=f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/two",
            redrive_policy=policy,
        ),
    )
    assert drawn(graph) == {"one -> dead: dead-letter queue", "two -> dead: dead-letter queue"}
    assert graph.nodes["aws_sqs_queue.two"].failure_queue_url.endswith("/dead")


def test_log_group_is_the_named_one_or_the_usual_one():
    graph = graph_of(
        function("plain"),
        function("own", logging_config=[{"log_group": "/acme/own"}]),
    )
    assert graph.nodes["aws_lambda_function.plain"].log_group == "/aws/lambda/plain"
    assert graph.nodes["aws_lambda_function.own"].log_group == "/acme/own"


def test_target_of_an_unknown_type_takes_part_as_other():
    graph = graph_of(
        topic("placed"),
        resource("aws_kinesisanalyticsv2_application.sums", arn=arn("kinesisanalytics", "application/sums")),
        resource(
            "aws_sns_topic_subscription.sums",
            topic_arn=arn("sns", "placed"),
            protocol="application",
            endpoint=arn("kinesisanalytics", "application/sums"),
        ),
    )
    node = graph.nodes["aws_kinesisanalyticsv2_application.sums"]
    assert (node.name, node.type, node.identifier) == ("sums", "other", node.arn)


def test_place_outside_of_the_state_has_the_type_that_its_arn_tells():
    graph = graph_of(
        function("work"),
        resource(
            "aws_lambda_event_source_mapping.far",
            event_source_arn=arn("kinesis", "stream/far"),
            function_arn=arn("lambda", "function:work"),
        ),
    )
    node = graph.nodes[arn("kinesis", "stream/far")]
    assert (node.name, node.type, node.identifier, node.outside) == ("far", "kinesis", "far", True)
