"""States in an S3 bucket: another machine can destroy what a lost machine has deployed.

Below the prefix, each deployment has two objects: Terraform's state (`<deployment_id>/terraform.tfstate`,
with a lock file beside it while terraform works) and its record (`<deployment_id>/record.json`). Terraform
writes the state through its S3 backend with `use_lockfile`, also while an apply is running. The harness reads
it from a copy in the deployment's directory, which it renews after each apply and destroy.
"""

import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from event_harness.aws.errors import AWS_ERRORS, message_of
from event_harness.aws.ownership import is_deployment_id
from event_harness.aws.targets import Target
from event_harness.deployments.record import DEPLOYMENTS, RECORD, DeploymentRecord
from event_harness.errors import SettingError, StateError
from event_harness.machine import clock, dataclass_file, folders
from event_harness.settings import Settings
from event_harness.terraform.overrides import CHECKS_SKIPPED
from event_harness.terraform.toolchain import Toolchain

URL = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<prefix>[\w./=-]*[\w.=-])/?")
STATE = "terraform.tfstate"
LOCK = f"{STATE}.tflock"
# The first releases whose backend locks by a file in the bucket.
OLDEST = {"terraform": (1, 11), "tofu": (1, 10)}
# What the backend's own client needs on an emulator.
_ON_EMULATOR = {"use_path_style": True, **CHECKS_SKIPPED}


@dataclass(frozen=True)
class RemoteState:
    """Where the states of deployments are kept.

    Attributes:
        bucket: the bucket.
        prefix: what the keys begin with, without a slash at the end.
        region: the bucket's region.
        target: where the bucket is.
    """

    bucket: str
    prefix: str
    region: str
    target: Target

    @classmethod
    def open(cls, url: str, target: Target) -> "RemoteState":
        """Find the bucket that a URL names, `s3://BUCKET/PREFIX`.

        **IAM:** s3:ListBucket.

        Raises:
            SettingError: there is no such bucket, or it may not be listed.
        """
        match = URL.fullmatch(url)
        if match is None:
            raise SettingError(f"remote_state is {url!r}; valid: s3://BUCKET/PREFIX")
        try:
            found = target.client("s3").head_bucket(Bucket=match["bucket"])
        except AWS_ERRORS as error:
            raise SettingError(
                f"remote_state is {url}, but the bucket {match['bucket']} can't be used: {message_of(error)}"
            ) from error
        region = found.get("BucketRegion") or target.region
        return cls(match["bucket"], match["prefix"].rstrip("/"), region, target)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    def backend(self, deployment_id: str = "") -> dict[str, Any]:
        """The backend block of a configuration whose workspace is the deployment.

        Args:
            deployment_id: of the deployment whose state the default workspace gets instead.
        """
        block: dict[str, Any] = {
            "bucket": self.bucket,
            "region": self.region,
            "encrypt": True,
            "use_lockfile": True,
        }
        if deployment_id:
            block |= {"key": self._key(deployment_id, STATE)}
        else:
            block |= {"key": STATE, "workspace_key_prefix": self.prefix}
        if self.target.endpoint_url:
            url = self.target.endpoint_url
            block |= _ON_EMULATOR | {"endpoints": {"s3": url, "sts": url, "iam": url}}
        return {"s3": block}

    def publish(self, record: DeploymentRecord) -> None:
        """Write a deployment's record beside its state, without its variables: they may be secret.

        **IAM:** s3:PutObject.

        Raises:
            StateError: it can't be written.
        """
        fields = dataclass_file.encoded(record.fields() | {"variables": {}, "var_files": []})
        self._call(
            "put_object", record.deployment_id, RECORD, Body=fields.encode(), ContentType="application/json"
        )

    def fetch(self, record: DeploymentRecord) -> None:
        """Renew the copy of the state in the deployment's directory.

        **IAM:** s3:GetObject.

        Raises:
            StateError: it can't be read.
        """
        text = self._read(record.deployment_id, STATE)
        if text is None:
            record.state.unlink(missing_ok=True)
            return
        folders.make(record.state.parent, exist_ok=True)
        partial = record.state.with_suffix(".partial")
        partial.write_bytes(text)
        partial.replace(record.state)

    def unlock(self, record: DeploymentRecord) -> bool:
        """Remove the lock that a killed terraform of the deployment's own session has left.

        Another machine's lock stays: its sweep may be working.

        **IAM:** s3:GetObject, s3:DeleteObject.

        Returns:
            Whether there was one.
        """
        text = self._read(record.deployment_id, LOCK)
        if text is None:
            return False
        try:
            who = str(json.loads(text)["Who"])
        except (ValueError, KeyError, TypeError):
            who = record.owner  # cut off
        if who.rpartition("@")[2] != record.owner.rpartition("@")[2]:
            return False
        self._call("delete_object", record.deployment_id, LOCK)
        return True

    def forget(self, deployment_id: str) -> None:
        """Delete what is kept of a destroyed deployment; the record goes last.

        **IAM:** s3:DeleteObject.

        Raises:
            StateError: it can't be deleted.
        """
        for name in (LOCK, STATE, RECORD):
            self._call("delete_object", deployment_id, name)

    def restore(
        self, state_dir: Path, only: Iterable[str], say: Callable[[str], None], *, dry_run: bool = False
    ) -> None:
        """Put expired deployments of other machines on record here, so that a sweep finds them.

        Nobody can tell from here whether another machine still works. So only the expiry counts.

        **IAM:** s3:ListBucket, s3:GetObject.

        Args:
            state_dir: the project's `.event-harness`.
            only: ids of deployments; empty: all.
            say: prints a line.
            dry_run: only say what would be done.

        Raises:
            StateError: the bucket can't be read.
        """
        only = set(only)
        for deployment_id in self._ids():
            directory = state_dir / DEPLOYMENTS / deployment_id
            if (only and deployment_id not in only) or (directory / RECORD).exists():
                continue
            record = self._record(deployment_id, directory, say)
            if record is None:
                continue
            until = f"{record.expires_at:%Y-%m-%d %H:%M} UTC"
            if clock.now() < record.expires_at:
                say(f"{deployment_id}: in use by {record.owner}, as far as known, until {until}, left alone")
            elif dry_run:
                say(f"{deployment_id}: would be destroyed by its state in {self}, expired {until}")
            else:
                record.save()

    def _record(
        self, deployment_id: str, directory: Path, say: Callable[[str], None]
    ) -> DeploymentRecord | None:
        text = self._read(deployment_id, RECORD)
        if text is None:
            return None
        try:
            record = DeploymentRecord.from_text(text.decode(), directory)
        except ValueError as error:
            say(f"{deployment_id}: its record in {self} can't be read ({error}), left alone")
            return None
        # Its configuration is on the other machine, and its terraform may have been killed at any moment.
        return dataclasses.replace(
            record, configuration="", stage="apply", kept=False, remote_state=str(self)
        )

    def _ids(self) -> Iterator[str]:
        pages = self.target.client("s3").get_paginator("list_objects_v2")
        try:
            for page in pages.paginate(Bucket=self.bucket, Prefix=f"{self.prefix}/", Delimiter="/"):
                for one in page.get("CommonPrefixes", []):
                    name = one["Prefix"].rstrip("/").rpartition("/")[2]
                    if is_deployment_id(name):
                        yield name
        except AWS_ERRORS as error:
            raise StateError(f"{self} can't be listed: {message_of(error)}") from error

    def _read(self, deployment_id: str, name: str) -> bytes | None:
        found = self._call("get_object", deployment_id, name)
        return None if found is None else bytes(found["Body"].read())

    def _call(self, operation: str, deployment_id: str, name: str, **more: Any) -> Mapping[str, Any] | None:
        """Call S3 about an object; None if there is no such object."""
        key = self._key(deployment_id, name)
        try:
            answer: Mapping[str, Any] = getattr(self.target.client("s3"), operation)(
                Bucket=self.bucket, Key=key, **more
            )
        except AWS_ERRORS as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise StateError(
                f"{operation} of s3://{self.bucket}/{key} failed: {message_of(error)}"
            ) from error
        return answer

    def _key(self, deployment_id: str, name: str) -> str:
        return f"{self.prefix}/{deployment_id}/{name}"


def wanted(settings: Settings, target: Target, tools: Toolchain) -> str:
    """Where a deployment's state is kept besides this machine.

    It is empty on an emulator of the session's own: this ends with the session.

    Raises:
        SettingError: the bucket can't be used, or terraform can't.
    """
    url = settings["remote_state"]
    if settings["target"] == "local" or not url:
        return ""
    _check_version(tools)
    return str(RemoteState.open(str(url), target))


def _check_version(tools: Toolchain) -> None:
    """Check that the backend of a terraform can lock by a file.

    Raises:
        SettingError: it is too old.
    """
    numbers = tuple(int(number) for number in re.findall(r"\d+", tools.version)[:2])
    oldest = OLDEST[tools.kind]
    if numbers < oldest:
        needed = ".".join(map(str, oldest))
        raise SettingError(
            f"remote_state needs {tools.kind} {needed} or newer, {tools.binary} is {tools.version}"
        )
