"""The AWS clients. A cold start pays for each of them, so each is made when it is used first.

They are botocore's own: boto3 adds a second layer, and the import of that takes longer than a client.
"""

from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import get_session

if TYPE_CHECKING:
    from botocore.session import Session
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client


class _Loader(Loader):
    """Reads what botocore knows about services, but only what the listener needs of it."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 (botocore's signature)
        """The services that the listener uses. Botocore would list the folders of all 400, twice."""
        return ["dynamodb", "s3"]

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        """Read a file of data, but not the list of all endpoints: each service has rules for its own."""
        if name == "endpoints":
            return {"partitions": []}, self.BUILTIN_DATA_PATH
        return cast("tuple[Any, str]", super().load_data_with_path(name))


_session: "Session" = get_session()
_session.register_component("data_loader", _Loader())


def dynamodb_client() -> "DynamoDBClient":
    """Make the client of the results table.

    `received_at` is set before the call, and readers look back 10 s. Three attempts of 2 s, with pauses of 1
    and 2 s at most, end within that time. A failed record comes again with a new `received_at`.
    """
    config = Config(
        connect_timeout=0.5,
        read_timeout=1.5,
        retries={"mode": "standard", "total_max_attempts": 3},
        parameter_validation=False,  # `store` makes all parameters; checking those of 100 records takes long
    )
    return cast("DynamoDBClient", _session.create_client("dynamodb", config=config))


def s3_client() -> "S3Client":
    """Make the client of the buckets."""
    config = Config(
        connect_timeout=5,
        read_timeout=20,
        retries={"mode": "standard", "total_max_attempts": 4},
        # Without the list of all endpoints, botocore doesn't know the old global one.
        s3={"us_east_1_regional_endpoint": "regional"},
    )
    return cast("S3Client", _session.create_client("s3", config=config))


class Late:
    """A client that is made at its first call.

    Args:
        make: Makes it.
    """

    def __init__(self, make: Any) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        client = self._make()
        self.__dict__ |= {
            method: getattr(client, method) for method in dir(client) if not method.startswith("_")
        }
        return getattr(client, name)
