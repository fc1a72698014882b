"""What calls functions, topics and tables, and can't be looked into, takes part in the graph as `other`."""

import pytest
from states import arn, bucket, bus, drawn, function, graph_of, resource, table, topic

WORK = arn("lambda", "function:work")
BALANCER = arn("elasticloadbalancing", "loadbalancer/app/front/1")
GROUP = arn("elasticloadbalancing", "targetgroup/orders/2")
HEARD = arn("elasticloadbalancing", "listener/app/front/1/3")


def test_user_pool_calls_its_triggers():
    pool = resource(
        "aws_cognito_user_pool.people",
        id="eu-west-1_a",
        arn=arn("cognito-idp", "userpool/eu-west-1_a"),
        lambda_config=[{"post_confirmation": WORK, "pre_sign_up": "", "kms_key_id": arn("kms", "key/1")}],
    )
    graph = graph_of(pool, function("work"))
    assert drawn(graph) == {"people -> work: trigger post_confirmation"}
    assert graph.nodes["aws_cognito_user_pool.people"].type == "other"


def test_received_mail_goes_to_a_function_a_topic_and_a_bucket():
    rule = resource(
        "aws_ses_receipt_rule.mail",
        id="mail",
        name="mail",
        lambda_action=[{"function_arn": WORK}],
        sns_action=[{"topic_arn": arn("sns", "told")}],
        s3_action=[{"bucket_name": "letters", "topic_arn": ""}],
    )
    assert drawn(graph_of(rule, function("work"), topic("told"), bucket("letters"))) == {
        "mail -> work: received mail",
        "mail -> told: received mail",
        "mail -> letters: received mail",
    }


def test_data_sources_of_an_appsync_api():
    def source(name, **config):
        return resource(f"aws_appsync_datasource.{name}", api_id="abc", name=name, **config)

    graph = graph_of(
        resource("aws_appsync_graphql_api.shop", id="abc", arn=arn("appsync", "apis/abc")),
        source("code", lambda_config=[{"function_arn": WORK}]),
        source("rows", dynamodb_config=[{"table_name": "orders"}]),
        source("events", event_bridge_config=[{"event_bus_arn": arn("events", "event-bus/loud")}]),
        *(function("work"), table("orders"), bus("loud")),
    )
    assert drawn(graph) == {
        "shop -> work: data source code",
        "shop -> orders: data source rows",
        "shop -> loud: data source events",
    }


def test_secret_is_rotated_by_its_function():
    secret = arn("secretsmanager", "secret:token-a1")
    graph = graph_of(
        resource("aws_secretsmanager_secret.token", id=secret, arn=secret),
        resource("aws_secretsmanager_secret_rotation.token", secret_id=secret, rotation_lambda_arn=WORK),
        function("work"),
    )
    assert drawn(graph) == {"token -> work: rotation"}


@pytest.mark.parametrize(
    "heard",
    [
        [
            resource(
                "aws_lb_listener.web",
                arn=HEARD,
                load_balancer_arn=BALANCER,
                default_action=[{"target_group_arn": GROUP}],
            )
        ],
        [
            resource(
                "aws_lb_listener.web",
                arn=HEARD,
                load_balancer_arn=BALANCER,
                default_action=[{"type": "fixed-response"}],
            ),
            resource(
                "aws_lb_listener_rule.work",
                listener_arn=HEARD,
                action=[{"forward": [{"target_group": [{"arn": GROUP}]}]}],
            ),
        ],
    ],
    ids=["by default", "by a rule"],
)
def test_load_balancer_calls_the_function_of_its_target_group(heard):
    graph = graph_of(
        resource("aws_lb.front", arn=BALANCER, id=BALANCER, name="front"),
        resource("aws_lb_target_group.work", arn=GROUP, id=GROUP, name="work"),
        resource("aws_lb_target_group_attachment.work", target_group_arn=GROUP, target_id=WORK),
        resource("aws_lb_target_group_attachment.host", target_group_arn=GROUP, target_id="i-123"),
        function("work"),
        *heard,
    )
    assert drawn(graph) == {"front -> work: target group"}


def test_load_balancer_that_forwards_to_another_target_group_calls_no_function():
    graph = graph_of(
        resource("aws_lb.front", arn=BALANCER, id=BALANCER, name="front"),
        resource("aws_lb_target_group.orders", arn=GROUP, id=GROUP, name="orders"),
        resource("aws_lb_target_group_attachment.work", target_group_arn=GROUP, target_id=WORK),
        resource("aws_lb_listener.web", arn=HEARD, load_balancer_arn=BALANCER, default_action=[]),
        resource(
            "aws_lb_listener_rule.other",
            listener_arn=HEARD,
            action=[{"target_group_arn": arn("elasticloadbalancing", "targetgroup/other/9")}],
        ),
        function("work"),
    )
    # No load balancer is known: the target group itself calls the function.
    assert drawn(graph) == {"orders -> work: target group"}
