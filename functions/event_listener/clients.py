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
    """Reads the models of services. To find one, botocore lists the folders of all 400 services, twice."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 (botocore's signature)
        """The services that the listener uses."""
        return ["dynamodb", "s3"]


_session: "Session" = get_session()
_session.register_component("data_loader", _Loader())


def dynamodb_client() -> "DynamoDBClient":
    """Make the client of the results table.

    `received_at` is set before the call, and readers look back 10 s. Three attempts of 2 s, with pauses of 1
    and 2 s at most, end within that time. A failed record comes again with a new `received_at`.
    """
    config = Config(
        connect_timeout=0.5, read_timeout=1.5, retries={"mode": "standard", "total_max_attempts": 3}
    )
    return cast("DynamoDBClient", _session.create_client("dynamodb", config=config))


def s3_client() -> "S3Client":
    """Make the client of the buckets."""
    config = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 4})
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
