"""Whose credentials a target sees, and what is wrong if it sees none."""

import getpass
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError
from botocore.parsers import ResponseParserError

from event_harness.aws.errors import code_of, message_of
from event_harness.errors import CredentialsError, EmulatorError, EmulatorGoneError

# Settings of the client that asks: a user waits for the answer.
ONCE: dict[str, Any] = {
    "retries": {"mode": "standard", "total_max_attempts": 2},
    "connect_timeout": 5,
    "read_timeout": 10,
}
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired")
_REFUSED = ("InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException", "AccessDenied")


# botocore asks for a profile's MFA code by getpass. Without a terminal getpass raises EOFError; while pytest
# captures, an OSError without errno; where warnings are errors, its own warning.
_NOBODY_TO_ASK = (EOFError, OSError, getpass.GetPassWarning)


@dataclass(frozen=True)
class Identity:
    """The identity that the target sees: whose credentials we use."""

    account: str
    arn: str


def ask(client: Any, endpoint_url: str | None, *, here: bool) -> Identity:
    """Ask STS whose credentials a client uses.

    Args:
        client: a client of STS.
        endpoint_url: the emulator's address; None on a real account.
        here: whether the emulator is on this machine.

    Raises:
        CredentialsError: the credentials are missing, expired or refused.
        EmulatorGoneError: the address is on this machine, and nothing listens there.
        EmulatorError: no emulator answers at the address.
    """
    try:
        answer = client.get_caller_identity()
    except ResponseParserError as error:  # an answer in HTML, say
        where = endpoint_url or "the address of AWS"
        raise EmulatorError(
            f"{where} is not an AWS service: a web server or a proxy answers there; correct the URL"
        ) from error
    except (BotoCoreError, ClientError, *_NOBODY_TO_ASK) as error:
        if endpoint_url and code_of(error) in _REFUSED:
            raise CredentialsError(
                f"the emulator at {endpoint_url} refuses the credentials: {message_of(error)}"
            ) from error
        if endpoint_url:
            kind = EmulatorGoneError if here and _was_refused(error) else EmulatorError
            raise kind(
                f"no AWS emulator answers at {endpoint_url}: start it, or correct the URL ({error})"
            ) from error
        raise CredentialsError(_explain(error)) from error
    return Identity(answer["Account"], answer["Arn"])


def _was_refused(error: BaseException) -> bool:
    """Whether the connection was refused. A network may refuse it although the host is up."""
    cause: BaseException | None = error
    while cause and not isinstance(cause, ConnectionRefusedError):
        cause = cause.__cause__ or cause.__context__
    return cause is not None


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
            f"no AWS credentials ({why}): a profile with mfa_serial needs a terminal to ask for a code; "
            f"start a session that needs no code first {remedy}"
        )
    return f"AWS did not tell whose credentials these are: {' '.join(str(error).split())} {remedy}"
