"""Which calls of the AWS SDK the local AWS emulator makes for the tasks of state machines."""

_SERVICES = frozenset(
    [
        "athena",
        "cloudwatch",
        "cloudwatchlogs",
        "dynamodb",
        "ec2",
        "ecr",
        "ecs",
        "elasticache",
        "eventbridge",
        "glue",
        "iam",
        "kinesis",
        "kms",
        "logs",
        "rds",
        "rdsdata",
        "secretsmanager",
        "sfn",
        "sns",
        "sqs",
        "ssm",
        "sts",
    ]
)
_ONLY = {
    "s3": frozenset(
        [
            "CopyObject",
            "CreateBucket",
            "DeleteBucket",
            "DeleteObject",
            "GetBucketVersioning",
            "GetObjectTagging",
            "HeadBucket",
            "HeadObject",
            "ListBuckets",
            "ListObjects",
            "ListObjectsV2",
            "PutObjectTagging",
        ]
    ),
    "lambda": frozenset(
        [
            "CreateAlias",
            "CreateFunction",
            "GetAlias",
            "GetFunction",
            "GetFunctionConfiguration",
            "UpdateAlias",
            "UpdateFunctionCode",
            "UpdateFunctionConfiguration",
        ]
    ),
    "route53": frozenset({"ChangeResourceRecordSets"}),
}
"""Services of which it makes these calls only."""


def is_made(service: str, action: str) -> bool:
    """Whether the emulator makes a call: `s3` and `putObject` of `arn:aws:states:::aws-sdk:s3:putObject`."""
    service = service.lower()
    if service in _ONLY:
        return action[:1].upper() + action[1:] in _ONLY[service]
    return service in _SERVICES
