"""Names of services and operations, and the errors of AWS that a fault imitates."""

import difflib

from event_harness.errors import SettingError

SERVICES: dict[str, tuple[str, ...]] = {
    **{
        name: (name,) for name in ("dynamodb", "events", "firehose", "kinesis", "kms", "lambda", "logs", "s3")
    },
    **{name: (name,) for name in ("scheduler", "secretsmanager", "sns", "sqs", "ssm", "sts")},
    "cloudwatch": ("monitoring",),
    "eventbridge": ("events",),
    "ses": ("ses", "sesv2"),
    "states": ("states",),
    "stepfunctions": ("states",),
}
"""boto3's name of a service -> the emulator's names."""

_OPERATIONS = {
    ("s3", "CopyObject"): "PutObject",
    ("s3", "HeadObject"): "GetObject",
    ("s3", "ListObjects"): "ListBucket",
    ("s3", "ListObjectsV2"): "ListBucket",
    ("s3", "DeleteObjects"): "DeleteObject",
    ("lambda", "Invoke"): "InvokeFunction",
}
_BOTO3 = {"eventbridge": ("events",), "states": ("stepfunctions",), "ses": ("ses", "sesv2")}
_THROTTLED = {
    "s3": ("SlowDown", 503),
    "sqs": ("RequestThrottled", 403),
    "kinesis": ("ProvisionedThroughputExceededException", 400),
    "lambda": ("TooManyRequestsException", 429),
    "sns": ("ThrottledException", 429),
    "kms": ("ThrottlingException", 400),
}
_FAILING = {
    "s3": ("InternalError", 500),
    "sqs": ("InternalError", 500),
    "sns": ("InternalError", 500),
    "dynamodb": ("InternalServerError", 500),
    "lambda": ("ServiceException", 500),
}


def emulator_names(service: str) -> tuple[str, ...]:
    """The emulator's names of a service.

    Raises:
        SettingError: there is no such service here.
    """
    if service not in SERVICES:
        raise SettingError(
            f"faults: there is no service {service!r}; there are: {', '.join(sorted(SERVICES))}"
        )
    return SERVICES[service]


def operation_name(service: str, operation: str | None) -> str:
    """The name of an operation as the emulator tells it: `PutItem`, also from `put_item`.

    Raises:
        SettingError: the service has no such operation.
    """
    if not operation:
        return ""
    name = operation
    if "_" in name or name.islower():
        name = "".join(part.capitalize() for part in name.split("_"))
    name = _OPERATIONS.get((service, name), name)
    valid = _operations(service)
    if name not in valid:
        near = difflib.get_close_matches(name, valid, 1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise SettingError(f"faults: {service} has no operation {operation!r}{meant}")
    return name


def _operations(service: str) -> set[str]:
    """The names of all operations of a service: those of boto3, and the emulator's own."""
    from botocore.loaders import Loader  # slow to import

    loader = Loader(include_default_search_paths=True)
    names = {own for (of, _), own in _OPERATIONS.items() if of == service}
    for one in _BOTO3.get(service, (service,)):
        names.update(loader.load_service_model(one, "service-2")["operations"])
    return names


def throttled(service: str) -> tuple[str, int]:
    """The code and the status with which a service refuses too many calls."""
    return _THROTTLED.get(service, ("ThrottlingException", 400))


def failing(service: str) -> tuple[str, int]:
    """The code and the status with which a service fails by itself."""
    return _FAILING.get(service, ("ServiceUnavailable", 503))


def denied(service: str) -> tuple[str, int]:
    """The code and the status with which a service denies a call."""
    return ("AccessDenied" if service in ("s3", "sqs", "ses", "sts") else "AccessDeniedException", 403)
