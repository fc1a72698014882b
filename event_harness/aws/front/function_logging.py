# MiniStack's Python workers run this before they import the function. It puts a handler on the root logger,
# in the format of Lambda's own (awslambdaric/bootstrap.py). The level is WARNING until the function sets it.
# ruff: noqa: D100
import logging
import sys
import time


class _LambdaLogHandler(logging.StreamHandler):  # type: ignore[type-arg]
    request_id = ""

    def format(self, record: logging.LogRecord) -> str:
        """Add the id of the request to a record."""
        record.aws_request_id = self.request_id
        return super().format(record)


_lambda_log_handler = _LambdaLogHandler(sys.stderr)
_lambda_formatter = logging.Formatter(
    "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
)
_lambda_formatter.converter = time.gmtime
_lambda_log_handler.setFormatter(_lambda_formatter)
logging.getLogger().addHandler(_lambda_log_handler)
