"""The client of S3, made for a short cold start.

It is botocore's own: boto3 adds a second layer, and the import of that takes longer than a client.
"""

from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import get_session

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


class _Loader(Loader):
    """Reads what botocore knows about services, but only what the text processor needs of it."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 (botocore's signature)
        """The service that is used. Botocore would list the folders of all 400, twice."""
        return ["s3"]

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        """Read a file of data, but not the list of all endpoints: each service has rules for its own."""
        if name == "endpoints":
            return {"partitions": []}, self.BUILTIN_DATA_PATH
        return cast("tuple[Any, str]", super().load_data_with_path(name))


def s3_client() -> "S3Client":
    """Make the client."""
    session = get_session()
    session.register_component("data_loader", _Loader())
    config = Config(
        connect_timeout=5,
        read_timeout=20,
        retries={"mode": "standard", "total_max_attempts": 4},
        # Without the list of all endpoints, botocore doesn't know the old global one.
        s3={"us_east_1_regional_endpoint": "regional"},
    )
    client = cast("S3Client", session.create_client("s3", config=config))
    if not client.meta.endpoint_url.startswith("https:"):
        _hash_no_bodies(client)
    return client


def _hash_no_bodies(client: "S3Client") -> None:
    """Leave out the hashes of bodies: without TLS, botocore reads a whole body for them before it sends it.

    Only emulators have no TLS. The rest of a request stays signed. Over TLS a checksum follows the body.
    """
    config: Any = client.meta.config
    config.request_checksum_calculation = "when_required"
    config.s3["payload_signing_enabled"] = False
