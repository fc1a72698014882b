"""Where a system under test lives: an AWS emulator on this machine, or a real account."""

import getpass
import ipaddress
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from event_harness.errors import CredentialsError, EmulatorError, EmulatorGoneError, SettingError

DEFAULT_REGION = "eu-west-1"
ACCESS_KEY = SECRET_KEY = "test"  # noqa: S105 (the emulator's root, worth nothing anywhere else)

# Rides out an outage of ten seconds and more: up to seven retries, 1, 2, 4, ... 20 s apart, with jitter.
RETRIES = {"mode": "standard", "total_max_attempts": 8}

# Nothing listens there, so what ignores AWS_ENDPOINT_URL fails at once instead of reaching the real AWS.
NOWHERE = "http://127.0.0.1:9"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@dataclass(frozen=True)
class Identity:
    """Who the target takes us for."""

    account: str
    arn: str


@dataclass(frozen=True)
class Target:
    """A place to deploy to, and the only maker of AWS clients.

    Attributes:
        name: "local" (an AWS emulator) or "aws" (a real account).
        region: AWS region.
        endpoint_url: the emulator's address; None on a real account.
    """

    name: str
    region: str
    endpoint_url: str | None = None
    _session: Any = field(default_factory=boto3.session.Session, repr=False, compare=False)
    _clients: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @classmethod
    def local(cls, endpoint_url: str, region: str | None = None) -> "Target":
        """The emulator at an address that we started ourselves; nothing of the user's environment counts."""
        return cls(
            "local", region or DEFAULT_REGION, endpoint_url, _hermetic_session(region or DEFAULT_REGION)
        )

    @classmethod
    def emulator(cls, url: str, region: str | None = None, *, allow_remote: bool = False) -> "Target":
        """An AWS emulator that is already running.

        Args:
            url: its address, like `http://127.0.0.1:4566`.
            region: AWS region, eu-west-1 if not given.
            allow_remote: whether anything but this machine is meant.

        Raises:
            SettingError: not a URL, or not on this machine and that was not allowed.
        """
        try:
            scheme, host, port = (parts := urlsplit(url)).scheme, parts.hostname, parts.port
        except ValueError:  # half an IPv6 address, or a port that is no number
            scheme, host, port = "", None, None
        if scheme not in ("http", "https") or not host:
            raise SettingError(f"{url!r} is no emulator's URL: give one like http://127.0.0.1:4566")
        if not (allow_remote or _is_loopback(host)):
            raise SettingError(
                f"the emulator's URL {url!r} leaves this machine, which must be allowed expressly "
                "(--allow-remote, with pytest --harness-allow-remote): "
                "what is there is created and destroyed like on a real account"
            )
        # By number: with a name, S3 clients would put the bucket into the host name.
        host = "127.0.0.1" if host == "localhost" else f"[{host}]" if ":" in host else host
        return cls.local(f"{scheme}://{host}" + (f":{port}" if port else ""), region)

    @classmethod
    def aws(cls, region: str | None = None, environ: Mapping[str, str] = os.environ) -> "Target":
        """The real account of the ambient credentials.

        Raises:
            SettingError: no region is given or configured, or the environment is still that of an emulator.
            CredentialsError: the profile that the environment names does not exist.
        """
        url = environ.get("AWS_ENDPOINT_URL")
        if url and _is_loopback(urlsplit(url).hostname or ""):
            raise SettingError(
                f"the target is aws, but AWS_ENDPOINT_URL is {url}: unset it, or make it the target"
            )
        try:
            # boto3 alone overlooks AWS_REGION.
            session = boto3.session.Session(region_name=region or environ.get("AWS_REGION") or None)
        except BotoCoreError as error:
            raise CredentialsError(f"{error}: look at AWS_PROFILE and ~/.aws/config") from error
        if not session.region_name:
            raise SettingError(
                "no AWS region: give one "
                "(--region, with pytest --harness-region; AWS_REGION, or the profile's own)"
            )
        return cls("aws", session.region_name, None, session)

    @property
    def skew(self) -> float:
        """Seconds that the target's clock and ours may differ: none on this machine."""
        return 0.0 if self._here else 3.0

    @property
    def _here(self) -> bool:
        return _is_loopback(urlsplit(self.endpoint_url or "").hostname or "")

    def client(self, service: str, **config: Any) -> Any:
        """A boto3 client, made once per service and settings; boto3 clients may be shared by threads.

        Args:
            service: boto3's name of the service.
            config: settings of `botocore.config.Config`, over the harness's own.
        """
        key = (service, repr(sorted(config.items())))
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._session.client(
                    service,
                    region_name=self.region,
                    endpoint_url=self.endpoint_url,
                    config=self._config(config),
                )
            return self._clients[key]

    def _config(self, config: Mapping[str, Any]) -> Config:
        common: dict[str, Any] = {"retries": dict(RETRIES), "max_pool_connections": 50}
        if self.endpoint_url:
            common |= {"proxies": {}, "s3": {"addressing_style": "path"}}
        return Config(**{**common, **config})

    def environ(self, base: Mapping[str, str], *, allow_internet: bool = False) -> dict[str, str]:
        """The environment of a child (terraform) that works on this target.

        On the emulator every AWS setting of `base` is replaced and the way to any other host is barred, so
        that the real AWS can't be reached whatever the user's environment says.

        Args:
            base: environment to start from.
            allow_internet: leave the network as it is, for `init`, which asks the provider registry.
        """
        if self.endpoint_url is None:
            return {**base, "AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}
        environ = {name: value for name, value in base.items() if not name.startswith("AWS_")}
        environ |= self.settings()
        if not allow_internet:
            environ |= dict.fromkeys([*_PROXIES, *map(str.lower, _PROXIES)], NOWHERE)
            hosts = ",".join({"127.0.0.1": 1, "localhost": 1, str(urlsplit(self.endpoint_url).hostname): 1})
            environ |= {"NO_PROXY": hosts, "no_proxy": hosts}
        return environ

    def settings(self) -> dict[str, str]:
        """The AWS_ variables with which any AWS client works on the emulator, and on nothing else."""
        if self.endpoint_url is None:
            return {}
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def check(self) -> Identity:
        """See that the target answers and takes us for somebody, before anything is deployed.

        Raises:
            CredentialsError: the credentials for the real account are missing, expired or refused.
            EmulatorGoneError: nobody listens at the address, which is on this machine.
            EmulatorError: no emulator answers at the address.
        """
        once = {
            "retries": {"mode": "standard", "total_max_attempts": 2},
            "connect_timeout": 5,
            "read_timeout": 10,
        }
        try:
            answer = self.client("sts", **once).get_caller_identity()
        except (BotoCoreError, ClientError, *_NOBODY_TO_ASK) as error:
            if self.endpoint_url:
                kind = EmulatorGoneError if self._refused(error) else EmulatorError
                raise kind(
                    f"no AWS emulator answers at {self.endpoint_url}: start it, or correct the URL ({error})"
                ) from error
            raise CredentialsError(_explain(error)) from error
        return Identity(answer["Account"], answer["Arn"])

    def _refused(self, error: BaseException) -> bool:
        """Whether this machine itself says that nobody listens; a network may say so of what is there."""
        cause: BaseException | None = error
        while cause and not isinstance(cause, ConnectionRefusedError):
            cause = cause.__cause__ or cause.__context__
        return cause is not None and self._here


def _hermetic_session(region: str) -> boto3.session.Session:
    """A session that reads neither environment nor files: AWS_PROFILE, AWS_CONFIG_FILE and all the others."""
    variables = {
        name: (None, None, os.devnull if name in ("config_file", "credentials_file") else default, convert)
        for name, (_, _, default, convert) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
    }
    session = botocore.session.Session(session_vars=variables)
    return boto3.session.Session(
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name=region,
        botocore_session=session,
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name may lead anywhere


_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired")
_REFUSED = ("InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException", "AccessDenied")


# What getpass raises, of which botocore asks a profile's MFA code, without a terminal: the end of the input;
# pytest's error without a number, while it captures; its own warning, where warnings are errors.
_NOBODY_TO_ASK = (EOFError, OSError, getpass.GetPassWarning)


def _explain(error: Exception) -> str:
    remedy = "(aws sso login, aws configure, or AWS_PROFILE); without an account, use the target local"
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        if code in _EXPIRED:
            return f"the AWS credentials have expired ({code}): renew them {remedy}"
        if code in _REFUSED:
            return f"AWS refuses the credentials ({code}): check them {remedy}"
    if isinstance(error, NoCredentialsError):
        return f"no AWS credentials found: provide them {remedy}"
    if isinstance(error, PartialCredentialsError):
        return f"incomplete AWS credentials ({error}): provide them {remedy}"
    if isinstance(error, _NOBODY_TO_ASK) and getattr(error, "errno", None) is None:
        why = " ".join(str(error).split()) or "nobody answers"
        return (
            f"no AWS credentials ({why}): a profile with mfa_serial asks for a code, which needs a terminal; "
            f"get a session that needs none beforehand {remedy}"
        )
    return f"AWS can't be asked whose credentials these are: {' '.join(str(error).split())} {remedy}"
