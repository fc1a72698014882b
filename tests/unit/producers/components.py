"""A component of each type that takes inputs."""

from event_harness.system.resources import Component

COMPONENTS = {
    "s3": Component("in", "s3", bucket="bucket"),
    "sqs": Component("in", "sqs", queue_url="http://queue"),
    "sns": Component("in", "sns", topic_arn="arn:topic"),
    "eventbridge": Component("in", "eventbridge", bus="bus"),
    "dynamodb": Component("in", "dynamodb", table="table"),
    "kinesis": Component("in", "kinesis", stream="stream"),
}
