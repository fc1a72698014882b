"""Serves MiniStack behind the front: `python -P -m event_harness.aws.front` instead of `-m ministack`."""

import gc
import os
from pathlib import Path

from ministack import app as ministack

from event_harness.aws.front import (
    asynchronous_targets,
    code_files,
    deploying,
    fault_injection,
    function_errors,
    function_workers,
    functions,
    given_up,
    invocations,
    kinesis_tags,
    object_versions,
    permissions,
    pipe_parameters,
    service_models,
)
from event_harness.aws.front.admission import Admission
from event_harness.aws.front.code_files import CodeFiles
from event_harness.aws.front.fault_injection import FaultInjection
from event_harness.aws.front.fault_rules import Rules
from event_harness.aws.front.invocation_faults import Invocations
from event_harness.aws.front.memory import MemoryReport
from event_harness.aws.front.proxying import ForwardProxy
from event_harness.aws.front.stream_batches import StreamBatches, send_failure
from event_harness.aws.supervisor import MARK


def main() -> None:
    """Wrap MiniStack's application and start MiniStack's own server with it."""
    functions.install(os.environ["AWS_SECRET_ACCESS_KEY"])
    service_models.install()
    code_files.install()
    kinesis_tags.install()
    pipe_parameters.install()
    object_versions.install()
    asynchronous_targets.install()
    function_errors.install()
    function_workers.install(Path(os.environ[MARK]))
    faults = Rules()
    struck = Invocations(faults)
    struck.install()
    fault_injection.know_connections()
    invocations.install()
    given_up.install()
    StreamBatches(send_failure).install()  # the last: a fault also has the id of its invocation
    permissions.install()
    deploying.install()
    # MiniStack's `main` serves the application that its module names at that moment.
    behind = MemoryReport(FaultInjection(ministack.app, faults, struck))
    ministack.app = ForwardProxy(CodeFiles(Admission(behind)))
    gc.freeze()  # what is loaded stays: no collection, also not the last ones, needs to walk through it
    ministack.main()


if __name__ == "__main__":
    main()
