"""Serves MiniStack behind the front: `python -P -m event_harness.aws.front` instead of `-m ministack`."""

import os
from pathlib import Path

from ministack import app as ministack

from event_harness.aws.front import function_workers, functions, invocations, kinesis_tags, permissions
from event_harness.aws.front.admission import Admission
from event_harness.aws.front.proxying import ForwardProxy
from event_harness.aws.supervisor import MARK


def main() -> None:
    """Wrap MiniStack's application and start MiniStack's own server with it."""
    functions.install(os.environ["AWS_SECRET_ACCESS_KEY"])
    kinesis_tags.install()
    function_workers.install(Path(os.environ[MARK]))
    invocations.install()
    permissions.install()
    # MiniStack's `main` serves the application that its module names at that moment.
    ministack.app = ForwardProxy(Admission(ministack.app))
    ministack.main()


if __name__ == "__main__":
    main()
