"""Creates the sample's system on an AWS emulator: two buckets, two functions, a table."""

import io
import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

from event_harness.aws.targets import Target

FUNCTIONS = Path(__file__).parent / "functions"
ROLE = "arn:aws:iam::000000000000:role/any"  # the emulator takes any role


@dataclass(frozen=True)
class SampleSystem:
    """The names of the created resources. Each begins with the name of the system."""

    source: str
    destination: str
    table: str
    processor: str
    listener: str

    @property
    def name(self) -> str:
        """The name of the system."""
        return self.table.removesuffix("-results")

    def to_json(self) -> str:
        """The names as JSON, for another process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "SampleSystem":
        """Read the text that `to_json` wrote."""
        return cls(**json.loads(text))


def deploy(target: Target, name: str) -> SampleSystem:
    """Create the buckets, the functions and the table."""
    system = SampleSystem(
        *(f"{name}-{role}" for role in ("source", "destination", "results", "processor", "listener"))
    )
    s3, dynamodb = target.client("s3"), target.client("dynamodb")
    for bucket in (system.source, system.destination):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": target.region})
    dynamodb.create_table(
        TableName=system.table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    _function(target, system.processor, "text_processor", {"DESTINATION_BUCKET": system.destination})
    _function(target, system.listener, "event_listener", {"RESULTS_TABLE": system.table})
    for bucket, function in ((system.source, system.processor), (system.destination, system.listener)):
        arn = target.client("lambda").get_function(FunctionName=function)["Configuration"]["FunctionArn"]
        s3.put_bucket_notification_configuration(
            Bucket=bucket,
            NotificationConfiguration={
                "LambdaFunctionConfigurations": [
                    {"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]},
                ]
            },
        )
    return system


def packed(directory: Path) -> bytes:
    """A function's files as a zip."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in sorted(directory.glob("*.py")):
            archive.write(path, path.name)
    return content.getvalue()


def _function(target: Target, name: str, directory: str, environment: dict[str, str]) -> None:
    client = target.client("lambda")
    client.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=ROLE,
        Handler="app.handler",
        Timeout=30,
        MemorySize=512,
        Environment={"Variables": environment},
        Code={"ZipFile": packed(FUNCTIONS / directory)},
    )
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1})
