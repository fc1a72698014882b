"""Where a system under test runs: on an AWS emulator, or on a real account."""

import functools
import ipaddress
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.credentials
import botocore.session
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.exceptions import BotoCoreError

from event_harness.aws import identities, running
from event_harness.aws.credentials import WELL_KNOWN, Credentials
from event_harness.aws.identities import Identity
from event_harness.errors import CredentialsError, SettingError
from event_harness.machine.boundary import explained
from event_harness.machine.ports import is_free

DEFAULT_REGION = "eu-west-1"

# Enough for an outage of ten seconds: up to seven retries, 1, 2, 4, ... 20 s apart, with jitter.
RETRIES = {"mode": "standard", "total_max_attempts": 8}

# Nothing listens on this port. A client that ignores AWS_ENDPOINT_URL fails at once and can't reach AWS.
NOWHERE = "http://127.0.0.1:9"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_MAKING_CLIENTS = threading.Lock()  # a session makes one client at a time


@dataclass(frozen=True)
class Target:
    """A place to deploy to, and the only maker of AWS clients.

    Attributes:
        name: "local" (an AWS emulator) or "aws" (a real account).
        region: AWS region.
        endpoint_url: the emulator's address; None on a real account.
        credentials: the credentials of the emulator's root user; of no use on a real account.
        emulator_log: the log of the local AWS emulator, if the harness has started it; None of any other.
    """

    name: str
    region: str
    endpoint_url: str | None = None
    credentials: Credentials = field(default=WELL_KNOWN, kw_only=True)
    emulator_log: Path | None = field(default=None, kw_only=True)
    _session: Any = field(default_factory=boto3.session.Session, repr=False, compare=False)
    _clients: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def local(
        cls,
        endpoint_url: str,
        region: str | None = None,
        *,
        credentials: Credentials = WELL_KNOWN,
        emulator_log: Path | None = None,
    ) -> "Target":
        """An AWS emulator at an address. Nothing in the user's environment changes this target.

        Args:
            endpoint_url: its address, by number.
            region: AWS region, eu-west-1 if not given.
            credentials: the credentials of its root user.
            emulator_log: its log, if the harness has started it.
        """
        region, session = region or DEFAULT_REGION, _hermetic_session()
        return cls("local", region, endpoint_url, session, credentials=credentials, emulator_log=emulator_log)

    @classmethod
    @explained()
    def emulator(cls, url: str, region: str | None = None, *, allow_remote: bool = False) -> "Target":
        """An AWS emulator that is already running, ours or another one.

        Args:
            url: its address, like `http://127.0.0.1:4566`.
            region: AWS region, eu-west-1 if not given.
            allow_remote: whether the emulator may run on another machine.

        Raises:
            SettingError: it is no URL, or it names another machine and `allow_remote` is false.
        """
        try:
            scheme, host, port = (parts := urlsplit(url)).scheme, parts.hostname, parts.port
        except ValueError:  # an IPv6 address that is cut off, or a port that is no number
            scheme, host, port = "", None, None
        if scheme not in ("http", "https") or not host:
            raise SettingError(f"{url!r} is not the URL of an emulator: give one like http://127.0.0.1:4566")
        if not (allow_remote or _is_loopback(host)):
            raise SettingError(
                f"{url!r} is not on this machine: the harness would create and destroy resources there. "
                "Allow it with --allow-remote (pytest: --harness-allow-remote)"
            )
        ours = running.at_port(port) if port and _is_loopback(host) else None
        # By number: with a name, S3 clients would put the bucket into the host name.
        host = "127.0.0.1" if host == "localhost" else f"[{host}]" if ":" in host else host
        endpoint_url = f"{scheme}://{host}" + (f":{port}" if port else "")
        if ours:
            return cls.local(endpoint_url, region, credentials=ours.credentials, emulator_log=ours.log)
        return cls.local(endpoint_url, region)

    @classmethod
    @explained()
    def aws(cls, region: str | None = None, environ: Mapping[str, str] = os.environ) -> "Target":
        """The real account that the credentials of the environment belong to.

        Raises:
            SettingError: no region is given or configured, or AWS_ENDPOINT_URL still names an emulator.
            CredentialsError: the profile that the environment names does not exist.
        """
        url = environ.get("AWS_ENDPOINT_URL")
        if url and _is_loopback(urlsplit(url).hostname or ""):
            raise SettingError(
                f"the target is aws, but AWS_ENDPOINT_URL is {url}: unset it, or give that URL as the target"
            )
        try:
            # boto3 does not read AWS_REGION.
            session = boto3.session.Session(region_name=region or environ.get("AWS_REGION") or None)
        except BotoCoreError as error:
            raise CredentialsError(f"{error}: look at AWS_PROFILE and ~/.aws/config") from error
        if not session.region_name:
            raise SettingError(
                "no AWS region: give one by --region (pytest: --harness-region), by AWS_REGION, "
                "or in the AWS profile"
            )
        return cls("aws", session.region_name, None, session)

    @property
    def skew(self) -> float:
        """Seconds by which the target's clock and ours may differ; 0 on this machine."""
        return 0.0 if self._here else 3.0

    @property
    def _here(self) -> bool:
        return _is_loopback(urlsplit(self.endpoint_url or "").hostname or "")

    def client(self, service: str, **config: Any) -> Any:
        """A boto3 client. There is one for each service and its settings; threads may share it.

        Args:
            service: boto3's name of the service.
            config: settings of `botocore.config.Config`; they win over the harness's own.
        """
        key = (service, repr(sorted(config.items())))
        with _MAKING_CLIENTS:
            if key not in self._clients:
                self._clients[key] = self._session.client(
                    service,
                    region_name=self.region,
                    endpoint_url=self.endpoint_url,
                    config=self._config(config),
                    **self._root_user(),
                )
            return self._clients[key]

    def _root_user(self) -> dict[str, str]:
        """The credentials of an emulator's root user; on a real account the session finds the user's own."""
        if self.endpoint_url is None:
            return {}
        return {
            "aws_access_key_id": self.credentials.access_key,
            "aws_secret_access_key": self.credentials.secret_key,
        }

    def signing_credentials(self) -> Any:
        """The credentials of this target, to sign a request with; None if there are none."""
        if self.endpoint_url is None:
            return self._session.get_credentials()
        return botocore.credentials.Credentials(self.credentials.access_key, self.credentials.secret_key)

    @property
    def ca_bundle(self) -> str | None:
        """The file of certificates that AWS_CA_BUNDLE or the profile names."""
        return self._session._session.get_config_variable("ca_bundle") or None

    def _config(self, config: Mapping[str, Any]) -> Config:
        common: dict[str, Any] = {"retries": dict(RETRIES), "max_pool_connections": 50}
        if self.endpoint_url:
            # No name leads to the emulator, so no operation may put something before its address.
            common |= {"proxies": {}, "s3": {"addressing_style": "path"}, "inject_host_prefix": False}
        return Config(**{**common, **config})

    def environ(self, base: Mapping[str, str], *, allow_internet: bool = False) -> dict[str, str]:
        """The environment of a child process (terraform) that works on this target.

        On an emulator every AWS setting of `base` is replaced, and no other host can be reached: the user's
        environment can't lead to the real AWS.

        Args:
            base: the environment to start from.
            allow_internet: leave the proxy settings as they are: `init` asks the provider registry.
        """
        if self.endpoint_url is None:
            return {**base, "AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}
        environ = {name: value for name, value in base.items() if not name.startswith("AWS_")}
        environ |= self.settings()
        if not allow_internet:
            environ |= dict.fromkeys([*_PROXIES, *map(str.lower, _PROXIES)], NOWHERE) | self._proxy()
        return environ

    def _proxy(self) -> dict[str, str]:
        """Where http requests go.

        Our own emulator is their proxy: each host that a client invents, as `000000000000.127.0.0.1`, is the
        emulator. The loopback is named as a network, since many clients take `127.0.0.1` in NO_PROXY for the
        end of a name, too.
        """
        if self.emulator_log and self.endpoint_url:
            hosts, proxy = "127.0.0.0/8,localhost", {"HTTP_PROXY": self.endpoint_url}
        else:
            names = {"127.0.0.1": 1, "localhost": 1, str(urlsplit(self.endpoint_url or "").hostname): 1}
            hosts, proxy = ",".join(names), {}
        settings = {"NO_PROXY": hosts, **proxy}
        return settings | {name.lower(): text for name, text in settings.items()}

    def settings(self) -> dict[str, str]:
        """The AWS_ variables that make any AWS client work on the emulator and nowhere else."""
        if self.endpoint_url is None:
            return {}
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @explained()
    def check(self) -> Identity:
        """Ask the target for our identity, before anything is deployed.

        Raises:
            CredentialsError: the credentials are missing, expired or refused.
            EmulatorGoneError: the address is on this machine, and nothing listens there.
            EmulatorError: no emulator answers at the address.
        """
        return identities.ask(self.client("sts", **identities.ONCE), self.endpoint_url, here=self._here)

    def gone(self) -> bool:
        """Whether the emulator has ended: it was on this machine, and nothing listens on its port any more.

        What was deployed to it has gone with it. A real account, or an emulator elsewhere, is never gone.
        """
        port = urlsplit(self.endpoint_url or "").port
        return bool(port and self._here and is_free(port))


@functools.cache
def _hermetic_session() -> boto3.session.Session:
    """A session that reads no environment variable and no file: AWS_PROFILE, AWS_CONFIG_FILE and the like.

    All emulators share it: a session reads the model of each service, which takes 10 to 50 ms.
    """
    variables = {
        name: (None, None, os.devnull if name in ("config_file", "credentials_file") else default, convert)
        for name, (_, _, default, convert) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
    }
    session = botocore.session.Session(session_vars=variables)
    return boto3.session.Session(region_name=DEFAULT_REGION, botocore_session=session)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name can lead to any host
