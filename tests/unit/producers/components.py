"""A component of each type that takes inputs."""

from event_harness.system.resources import Component

COMPONENTS = {
    "s3": Component("in", "s3", bucket="bucket"),
    "sqs": Component("in", "sqs", queue_url="http://queue"),
    "sns": Component("in", "sns", topic_arn="arn:topic"),
    "eventbridge": Component("in", "eventbridge", bus="bus"),
    "dynamodb": Component("in", "dynamodb", table="table"),
    "http": Component("in", "http", url="https://abc.execute-api.eu-west-1.amazonaws.com/prod"),
    "lambda": Component("in", "lambda", function="entry", log_group="/entry"),
    "stepfunctions": Component("in", "stepfunctions", state_machine_arn="arn:aws:states:r:1:stateMachine:m"),
    "kinesis": Component("in", "kinesis", stream="stream"),
}
