"""AWS errors: their code and message, and whether a later call may succeed."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 (botocore's own)
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
)
from botocore.parsers import ResponseParserError

# boto3 raises one of these when AWS refuses a call or can't be reached.
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
    """The service's error code; without an answer, the name of the exception."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code") or "Unknown")
    return type(error).__name__


def message_of(error: BaseException) -> str:
    """The error code and the service's message, on one line."""
    if isinstance(error, ClientError):
        said = error.response.get("Error", {}).get("Message") or str(error)
        return f"{code_of(error)}: {' '.join(str(said).split())}"
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def can_heal(error: BaseException) -> bool:
    """Whether the same call may succeed later: it was throttled, got a 5xx, or got no answer.

    Waiting can't heal any other error (denied, gone, invalid, no credentials).
    """
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return code_of(error) in _THROTTLED or status >= 500 or status == 429
    return isinstance(error, _CONNECTION)
