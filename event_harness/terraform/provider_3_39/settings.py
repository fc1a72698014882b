"""The provider settings with which hashicorp/aws 3.39 works on an AWS emulator.

Provider 3.39 doesn't read `AWS_ENDPOINT_URL`, so the settings name the endpoint of each service.
"""

import re
from typing import Any

# A service that is missing here can't be reached: the provider would ask AWS itself.
ENDPOINTS = re.findall(
    r"\w+",
    """
    apigateway cloudformation cloudwatch cloudwatchevents cloudwatchlogs cognitoidp dynamodb
    ec2 ecr ecs efs elasticache firehose glue iam kinesis kms lambda rds resourcegroupstaggingapi route53 s3
    secretsmanager ses sns sqs ssm stepfunctions sts
    """,
)


def for_emulator(endpoint_url: str) -> dict[str, Any]:
    """The arguments of a `provider "aws"` block for an emulator.

    Args:
        endpoint_url: the emulator's URL.
    """
    return {
        "s3_force_path_style": True,
        "skip_credentials_validation": True,
        "skip_metadata_api_check": True,
        "skip_region_validation": True,
        "skip_get_ec2_platforms": True,  # otherwise each plan hangs for 45 s
        **endpoints(endpoint_url),
    }


def endpoints(endpoint_url: str) -> dict[str, Any]:
    """The block with the address of each service; later releases know the same names."""
    return {"endpoints": [dict.fromkeys(ENDPOINTS, endpoint_url)]}
