"""Changes MiniStack's Python functions: gives the root logger a handler, and roles unguessable keys."""

import functools
import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path

from ministack.core import lambda_runtime
from ministack.services import sts

_BOOTSTRAP = Path(__file__).with_name("function_logging.py")
# The worker calls the handler in this line; the id of the request must be known to the log by then.
_CALL = "            result = handler_fn(event, context)\n"
_SET_REQUEST_ID = "            _lambda_log_handler.request_id = context.aws_request_id\n"

Credentials = Callable[[dict[str, str]], dict[str, str]]


def install(secret: str) -> None:
    """Change MiniStack before its first function starts.

    Args:
        secret: the secret key that the emulator was started with.
    """
    lambda_runtime._PYTHON_WORKER_SCRIPT = with_logging(lambda_runtime._PYTHON_WORKER_SCRIPT)
    lambda_runtime.execution_credentials = with_secrets(lambda_runtime.execution_credentials, secret)


def with_logging(worker: str) -> str:
    """The worker's script with a handler on the root logger, as Lambda has one.

    Raises:
        RuntimeError: the script doesn't call the handler as that of MiniStack 1.5.33 does.
    """
    if worker.count(_CALL) != 1:
        raise RuntimeError("this version of MiniStack calls Lambda handlers in another way: install 1.5.33")
    return _BOOTSTRAP.read_text(encoding="utf-8") + worker.replace(_CALL, _SET_REQUEST_ID + _CALL)


def with_secrets(credentials: Credentials, secret: str) -> Credentials:
    """Add our secret to a role's secret key, which MiniStack derives from known ARNs with `AUTH=true`."""

    @functools.wraps(credentials)
    def execution_credentials(config: dict[str, str]) -> dict[str, str]:
        """Make credentials whose secret only the emulator knows."""
        made = credentials(config)
        session = sts._sessions.get(made["AWS_ACCESS_KEY_ID"])
        if session is None:
            return made  # without `AUTH=true` a function works as root, with the emulator's own secret
        digest = hmac.new(secret.encode(), made["AWS_ACCESS_KEY_ID"].encode(), hashlib.sha256).hexdigest()
        session["SecretAccessKey"] = digest
        return made | {"AWS_SECRET_ACCESS_KEY": digest}

    return execution_credentials
