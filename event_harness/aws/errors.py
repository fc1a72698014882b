"""Which errors of AWS a wait may outlive."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 (botocore's own)
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
)
from botocore.parsers import ResponseParserError

# What boto3 raises when AWS says no or can't be reached.
AWS_ERRORS = (BotoCoreError, ClientError, ResponseParserError)

_CONNECTION = (
    ConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ResponseParserError,
    ResponseStreamingError,
)
_THROTTLED = {
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
}


def code_of(error: BaseException) -> str:
    """The service's error code, or the name of the exception where no service answered."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code") or "Unknown")
    return type(error).__name__


def message_of(error: BaseException) -> str:
    """What the service said, on one line."""
    if isinstance(error, ClientError):
        said = error.response.get("Error", {}).get("Message") or str(error)
        return f"{code_of(error)}: {' '.join(str(said).split())}"
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def can_heal(error: BaseException) -> bool:
    """Whether the same call may succeed later: throttled, a 5xx, or nobody answered.

    Everything else (denied, gone, invalid, no credentials) stays as it is however long one waits.
    """
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return code_of(error) in _THROTTLED or status >= 500 or status == 429
    return isinstance(error, _CONNECTION)
