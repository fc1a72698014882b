"""Lambda functions of a few lines, for tests of the local AWS emulator itself."""

import io
import json
import zipfile
from typing import Any

from event_harness.aws.targets import Target


def zipped(source: str) -> bytes:
    """The code of a function, packed for Lambda; its handler is `small.handler`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("small.py", source)
    return packed.getvalue()


class SmallFunction:
    """A deployed function. Its source defines `handler(event, context)`."""

    def __init__(
        self,
        target: Target,
        source: str,
        *,
        name: str = "small",
        role: str = "arn:aws:iam::000000000000:role/r",
        client: Any = None,
    ):
        self.name = name
        self.client = client or target.client("lambda", read_timeout=120)
        self.client.create_function(
            FunctionName=name,
            Runtime="python3.11",
            Role=role,
            Handler="small.handler",
            Timeout=600,
            Code={"ZipFile": zipped(source)},
        )

    def __call__(self, **event):
        """Invoke the function and return its result."""
        answer = self.client.invoke(FunctionName=self.name, Payload=json.dumps(event))
        return json.loads(answer["Payload"].read())

    def start(self, **event):
        """Invoke the function without waiting for its result."""
        self.client.invoke(FunctionName=self.name, InvocationType="Event", Payload=json.dumps(event))


# The code of a function that makes the call it is told, with its role; it returns the error as a text.
CALL = """
import boto3

def handler(event, context):
    try:
        getattr(boto3.client(event["service"]), event["operation"])(**event["arguments"])
    except Exception as error:
        return str(error)
"""
