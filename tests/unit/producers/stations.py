"""A station of each type that takes inputs."""

from event_harness.system.resources import Station

STATIONS = {
    "s3": Station("in", "s3", bucket="bucket"),
    "sqs": Station("in", "sqs", queue_url="http://queue"),
    "sns": Station("in", "sns", topic_arn="arn:topic"),
    "eventbridge": Station("in", "eventbridge", bus="bus"),
    "dynamodb": Station("in", "dynamodb", table="table"),
    "kinesis": Station("in", "kinesis", stream="stream"),
}
