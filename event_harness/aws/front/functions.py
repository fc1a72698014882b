"""Changes MiniStack's Python functions: their log, their input, what looks into them, their roles' keys."""

import functools
import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path

from ministack.core import lambda_runtime
from ministack.services import sts

from event_harness.aws.instruments import VARIABLE

_HERE = Path(__file__).parent
_BOOTSTRAPS = (_HERE / "function_logging.py", _HERE / "function_start.py")
# Each line of the worker that we change, and what it becomes. The id of the request must be known to the log
# before the handler is called.
_CHANGES = {
    "    init = json.loads(sys.stdin.readline())\n": (
        "    init = json.loads(_lambda_input.readline())\n    _begin(init)\n"
    ),
    "        line = sys.stdin.readline()\n": "        line = _lambda_input.readline()\n",
    '        _real_stdout.write(json.dumps({"status": "error", "error": str(e)}) + "\\n")\n': (
        '        _real_stdout.write(json.dumps({"status": "error", "error": _why(e, code_dir)}) + "\\n")\n'
    ),
    "int((_deadline - time.time()) * 1000)": (
        "int((_deadline - time.time() + (_lambda_process.suspended() if _lambda_process else 0)) * 1000)"
    ),
    "            result = handler_fn(event, context)\n": (
        "            _lambda_log_handler.request_id = context.aws_request_id\n"
        "            if _lambda_process:\n"
        "                _lambda_process.invocation_begins()\n"
        "            try:\n"
        "                result = handler_fn(event, context)\n"
        "            finally:\n"
        "                if _lambda_process:\n"
        "                    _lambda_process.invocation_ends()\n"
    ),
}

Credentials = Callable[[dict[str, str]], dict[str, str]]


def install(secret: str) -> None:
    """Change MiniStack before its first function starts.

    Args:
        secret: the secret key that the emulator was started with.
    """
    lambda_runtime._PYTHON_WORKER_SCRIPT = changed(lambda_runtime._PYTHON_WORKER_SCRIPT)
    lambda_runtime.execution_credentials = with_secrets(lambda_runtime.execution_credentials, secret)


def changed(worker: str) -> str:
    """The worker's script with a handler on the root logger, as Lambda has one, and all else of ours.

    Raises:
        RuntimeError: the script isn't that of MiniStack 1.5.33.
    """
    for line, ours in _CHANGES.items():
        if worker.count(line) != 1:
            raise RuntimeError(
                "this version of MiniStack calls Lambda handlers in another way: install 1.5.33"
            )
        worker = worker.replace(line, ours)
    start = "".join(path.read_text(encoding="utf-8") for path in _BOOTSTRAPS)
    start = start.replace("@VARIABLE@", VARIABLE).replace("@PROCESS@", str(_HERE / "function_process.py"))
    return start + worker


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
