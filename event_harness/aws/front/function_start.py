# MiniStack's Python workers run this before they import the function. No code of the function reads the
# worker's own input: `breakpoint()` would hang on it. Where a test session debugs or measures, it loads that.
# ruff: noqa: D100
import json
import os
import sys
import traceback
from typing import Any

_lambda_input = os.fdopen(os.dup(0), encoding="utf-8")
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
_lambda_process: Any = None


def _no_debugger(*_: object, **__: object) -> None:
    line = "breakpoint() needs a debugger: run pytest with --harness-debug"
    print(line, file=sys.stderr, flush=True)  # noqa: T201
    raise RuntimeError(line)


def _begin(init: dict[str, Any]) -> None:
    global _lambda_process
    init.get("env", {}).pop("@VARIABLE@", None)
    wishes = os.environ.pop("@VARIABLE@", "")
    if wishes:
        from importlib.util import module_from_spec, spec_from_file_location

        spec = spec_from_file_location("_event_harness_process", "@PROCESS@")
        if spec and spec.loader:
            module = module_from_spec(spec)
            spec.loader.exec_module(module)
            _lambda_process = module.Process(json.loads(wishes))
            _lambda_process.begin(init)


def _why(error: Exception, code: str) -> str:
    """Why the function's module can't be imported: the error with its type, and where it was raised."""
    if isinstance(error, (ImportError, AttributeError)):
        return str(error)
    here = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename.startswith(os.path.join(code, ""))
    ]
    place = f" ({os.path.relpath(here[-1][0], code)}:{here[-1][1]})" if here else ""
    return f"{type(error).__name__}: {error}{place}"


sys.breakpointhook = _no_debugger
