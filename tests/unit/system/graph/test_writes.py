"""What a function may write to: told by its role's policies and its environment, and marked so."""

import json

import pytest
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
    role,
    table,
    topic,
)

OUT = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/out"


def mapping(queue_name, function_name):
    return resource(
        f"aws_lambda_event_source_mapping.{queue_name}",
        event_source_arn=arn("sqs", queue_name),
        function_arn=arn("lambda", f"function:{function_name}"),
    )


def test_policies_tell_each_kind_of_place():
    graph = graph_of(
        function("work"),
        queue("out"),
        topic("news"),
        bucket("store"),
        table("orders"),
        bus("shop"),
        role(
            "role",
            ("sqs:SendMessage", arn("sqs", "out")),
            (["sns:Publish"], [arn("sns", "news")]),
            ("s3:Put*", f"{arn('s3', 'store')}/in/*"),
            ("dynamodb:PutItem", arn("dynamodb", "table/ord*")),
            ("events:PutEvents", arn("events", "event-bus/shop")),
        ),
    )
    assert drawn(graph) == {
        f"work -> {name}: may write (allowed)" for name in ("out", "news", "store", "orders", "shop")
    }


def test_denied_read_and_foreign_actions_are_no_edges():
    graph = graph_of(
        function("work", environment={"TABLE": "orders"}),
        queue("out"),
        table("orders"),
        role(
            "role",
            ("sqs:*", arn("sqs", "out")),
            ("sqs:SendMessage", arn("sqs", "out"), "Deny"),
            (["dynamodb:GetItem", "dynamodb:Query"], arn("dynamodb", "table/orders")),
        ),
    )
    assert drawn(graph) == set()


def test_wildcard_for_everything_counts_for_what_the_environment_names():
    graph = graph_of(
        function("work", environment={"OUT": OUT, "LEVEL": "info"}),
        queue("out"),
        queue("other"),
        queue("info"),
        topic("news"),
        role("role", (["sqs:SendMessage", "sns:Publish"], "*")),
    )
    assert drawn(graph) == {
        "work -> out: may write (allowed)",
        "work -> news: may write (allowed)",  # the only topic
        "work -> info: may write (allowed)",  # its very name
    }


def test_wildcard_with_several_places_and_no_name_tells_nothing():
    graph = graph_of(function("work"), queue("out"), queue("other"), role("role", ("sqs:*", "*")))
    assert drawn(graph) == set()


def test_environment_alone_tells_where_a_permission_is_missing():
    graph = graph_of(
        function("work", environment={"TOPIC_ARN": arn("sns", "news"), "CONFIG": json.dumps({"queue": OUT})}),
        topic("news"),
        queue("out"),
        role("role", ("logs:PutLogEvents", "*")),
    )
    assert drawn(graph) == {"work -> news: may write (named)", "work -> out: may write (named)"}
    assert {edge.notes for edge in graph.edges} == {("environment TOPIC_ARN",), ("environment CONFIG",)}


@pytest.mark.parametrize("variable", ["ORDERS_TABLE", "orders_table", "ordersTable"])
def test_name_that_several_resources_share_is_told_apart_by_the_variable(variable):
    graph = graph_of(
        function("work", environment={variable: "orders"}),
        table("orders"),
        bucket("store", "orders"),
        queue("line", "orders"),
    )
    assert drawn(graph) == {"work -> orders: may write (named)"}


def test_statement_for_reading_and_writing_does_not_lead_back_to_the_source():
    both = [arn("sqs", "in"), arn("sqs", "out")]
    graph = graph_of(
        queue("in"),
        queue("out"),
        function("work"),
        mapping("in", "work"),
        role("role", (["sqs:ReceiveMessage", "sqs:SendMessage"], both)),
    )
    assert drawn(graph) == {"in -> work: event source mapping", "work -> out: may write (allowed)"}


def test_writing_back_to_the_source_is_an_edge_if_it_is_meant():
    graph = graph_of(
        queue("in"),
        function("work"),
        mapping("in", "work"),
        role("role", ("sqs:ReceiveMessage", arn("sqs", "in")), ("sqs:SendMessage", arn("sqs", "in"))),
    )
    assert "work -> in: may write (allowed)" in drawn(graph)


def test_functions_that_share_a_role_are_told_apart_by_their_environments():
    graph = graph_of(
        function("one", environment={"OUT": OUT}),
        function("two"),
        queue("out"),
        topic("news"),
        role("role", ("sqs:SendMessage", arn("sqs", "out")), ("sns:Publish", arn("sns", "news"))),
    )
    assert drawn(graph) == {
        "one -> out: may write (allowed)",
        "one -> news: may write (allowed)",
        "two -> news: may write (allowed)",
    }


def test_attached_inline_and_aws_policies_count():
    own = arn("iam", "policy/own", "")
    inline = json.dumps(
        {"Statement": {"Effect": "Allow", "Action": "sns:Publish", "Resource": arn("sns", "news")}}
    )
    attached = json.dumps(
        {"Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": arn("sqs", "out")}]}
    )
    graph = graph_of(
        function("work"),
        queue("out"),
        queue("spare"),
        topic("news"),
        table("only"),
        resource(
            "aws_iam_role.role",
            name="role",
            arn=arn("iam", "role/role", ""),
            inline_policy=[{"policy": inline}],
        ),
        resource("aws_iam_policy.own", arn=own, policy=attached),
        resource("aws_iam_role_policy_attachment.own", role="role", policy_arn=own),
        resource(
            "aws_iam_role_policy_attachment.aws",
            role="role",
            policy_arn="arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess",
        ),
    )
    assert drawn(graph) == {f"work -> {name}: may write (allowed)" for name in ("out", "news", "only")}


def allowing(action, where):
    return json.dumps({"Statement": {"Effect": "Allow", "Action": action, "Resource": where}})


def test_role_that_repeats_its_policies_as_they_were_before_the_last_apply_tells_nothing():
    own = arn("iam", "policy/own", "")
    before = arn("iam", "policy/before", "")
    graph = graph_of(
        function("work"),
        queue("old"),
        queue("new"),
        topic("news"),
        table("only"),
        resource(
            "aws_iam_role.role",
            name="role",
            arn=arn("iam", "role/role", ""),
            inline_policy=[{"name": "send", "policy": allowing("sqs:SendMessage", arn("sqs", "old"))}],
            managed_policy_arns=[before],
        ),
        resource(
            "aws_iam_role_policy.send",
            name="send",
            role="role",
            policy=allowing("sqs:SendMessage", arn("sqs", "new")),
        ),
        resource("aws_iam_policy.own", arn=own, policy=allowing("sns:Publish", arn("sns", "news"))),
        resource(
            "aws_iam_policy.before",
            arn=before,
            policy=allowing("dynamodb:PutItem", arn("dynamodb", "table/only")),
        ),
        resource("aws_iam_role_policy_attachment.own", role="role", policy_arn=own),
    )
    assert drawn(graph) == {"work -> new: may write (allowed)", "work -> news: may write (allowed)"}


def test_queue_that_repeats_its_policy_as_it_was_before_the_last_apply_tells_nothing():
    def policy(source):
        return json.dumps(
            {
                "Statement": {
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": arn("sqs", "out"),
                    "Condition": {"ArnEquals": {"aws:SourceArn": arn("sns", source)}},
                }
            }
        )

    graph = graph_of(
        topic("old"),
        topic("new"),
        resource(
            "aws_sqs_queue.out", name="out", arn=arn("sqs", "out"), url=OUT, id=OUT, policy=policy("old")
        ),
        resource("aws_sqs_queue_policy.out", queue_url=OUT, policy=policy("new")),
    )
    assert drawn(graph) == {"new -> out: may send (allowed)"}


def test_default_bus_by_name_or_by_a_policy_for_every_bus():
    rule = [
        resource(
            "aws_cloudwatch_event_rule.r",
            name="r",
            event_bus_name="default",
            event_pattern='{"source": ["s"]}',
        ),
        resource("aws_cloudwatch_event_target.r", rule="r", arn=arn("sqs", "out")),
        queue("out"),
    ]
    by_policy = graph_of(function("work"), rule, role("role", ("events:PutEvents", "*")))
    assert "work -> default: may write (allowed)" in drawn(by_policy)
    by_name = graph_of(function("work", environment={"BUS": "default"}), rule)
    assert "work -> default: may write (named)" in drawn(by_name)
    neither = graph_of(function("work"), rule, role("role", ("sqs:SendMessage", "*")))
    assert not any("default" in line for line in drawn(neither) if line.startswith("work"))


def test_a_functions_own_failure_queue_is_no_place_it_writes_to():
    graph = graph_of(
        function("work", dead_letter_config=[{"target_arn": arn("sqs", "failed")}]),
        queue("failed"),
        role("role", ("sqs:SendMessage", arn("sqs", "failed"))),
    )
    assert drawn(graph) == {"work -> failed: dead-letter queue"}


def test_places_beyond_the_state_count_if_a_policy_names_them_wholly():
    theirs = arn("events", "event-bus/theirs")
    graph = graph_of(
        function("work"),
        resource("data.aws_cloudwatch_event_bus.theirs", name="theirs", id="theirs", arn=theirs),
        role(
            "role",
            ("events:PutEvents", theirs),
            ("sns:Publish", arn("sns", "far")),
            ("sns:GetTopicAttributes", arn("sns", "read")),
            ("s3:PutObject", f"{arn('s3', 'lake')}/*"),
            ("sqs:SendMessage", arn("sqs", "some-*")),
            ("sqs:SendMessage", arn("sqs", "refused")),
            ("sqs:*", arn("sqs", "refused"), "Deny"),
        ),
    )
    assert drawn(graph) == {f"work -> {name}: may write (allowed)" for name in ("theirs", "far", "lake")}
    types = {node.name: node.type for node in graph.nodes.values() if node.outside}
    assert types == {"theirs": "eventbridge", "far": "sns", "lake": "s3"}


def test_container_that_polls_a_queue_and_writes_to_a_table():
    task = arn("ecs", "task-definition/worker:3")
    graph = graph_of(
        queue("in"),
        table("orders"),
        resource(
            "aws_ecs_task_definition.worker",
            arn=task,
            family="worker",
            task_role_arn=arn("iam", "role/worker", ""),
        ),
        role(
            "worker",
            ("sqs:ReceiveMessage", arn("sqs", "in")),
            ("dynamodb:PutItem", arn("dynamodb", "table/orders")),
        ),
    )
    assert drawn(graph) == {"in -> worker: may receive (allowed)", "worker -> orders: may write (allowed)"}
    assert graph.nodes["aws_ecs_task_definition.worker"].type == "other"


def test_permissions_tell_what_should_lead_where_the_connection_is_missing():
    graph = graph_of(
        bucket("source"),
        function("read"),
        topic("news"),
        queue("work"),
        resource("aws_cognito_user_pool.people", arn=arn("cognito-idp", "userpool/p"), name="people"),
        function("greet"),
        resource(
            "aws_lambda_permission.source",
            function_name="read",
            principal="s3.amazonaws.com",
            source_arn=arn("s3", "source"),
        ),
        resource(
            "aws_lambda_permission.people",
            function_name=arn("lambda", "function:greet"),
            source_arn=arn("cognito-idp", "userpool/p"),
        ),
        resource(
            "aws_sqs_queue_policy.work",
            queue_url=f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/work",
            policy=json.dumps(
                {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "sqs:SendMessage",
                            "Principal": {"Service": "sns.amazonaws.com"},
                            "Resource": arn("sqs", "work"),
                            "Condition": {"ArnEquals": {"aws:SourceArn": arn("sns", "news")}},
                        }
                    ]
                }
            ),
        ),
    )
    assert drawn(graph) == {
        "source -> read: may invoke (allowed)",
        "people -> greet: may invoke (allowed)",
        "news -> work: may send (allowed)",
    }
