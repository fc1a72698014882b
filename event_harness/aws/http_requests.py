"""HTTP requests to what a user has published: a stage of API Gateway, a function's URL, any other address.

On an emulator every host is the emulator. It knows an API or a function by the Host header.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from event_harness.aws.targets import Target
from event_harness.errors import CredentialsError
from event_harness.machine.interrupts import pause

_NOT_SENT = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError)
_PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds before a request that was surely not taken is made again

API_HOST = re.compile(r"([a-z0-9]+)\.execute-api\.(?:([a-z0-9-]+)\.amazonaws\.com|.+)")
"""Host of an API: its id, and the region unless an emulator has made it up."""
FUNCTION_HOST = re.compile(r"([a-z0-9-]+)\.lambda-url\.([a-z0-9-]+)\..+")
"""Host of a function's URL: the id of the URL, and the region."""


@dataclass(frozen=True)
class Answer:
    """The answer to a request; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Caller:
    """Makes HTTP requests. Threads may share it.

    Args:
        target: Where the published URLs are served, and whose credentials sign.
        timeout: Seconds that an answer may take.
        sleep: Replaces the real pause between two attempts.
    """

    def __init__(self, target: Target, timeout: float, *, sleep: Callable[[float], None] = pause) -> None:
        self._target = target
        self._timeout = timeout
        self._sleep = sleep
        self._sessions: dict[str, URLLib3Session] = {}

    def call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        sign: bool = False,
        patient: bool = True,
    ) -> Answer:
        """Make a request. It follows no redirect.

        It makes the request again only if it was surely not taken: nobody listened at the address, or, if it
        is patient, the answer was 429 (too many requests).

        Args:
            method: GET, POST, …
            url: As API Gateway or Lambda names it.
            headers: Of the request.
            body: Bytes; may be empty.
            sign: Sign it (SigV4), for a route or a URL whose authorization type is AWS_IAM.
            patient: Whether 429 leads to another attempt.

        Raises:
            CredentialsError: There are no credentials to sign it with.
            HTTPClientError: No answer came (botocore's).
        """
        for seconds in _PAUSES:
            try:
                answer = self._once(method, url, headers, body, sign=sign)
            except _NOT_SENT:
                pass
            else:
                if answer.status != 429 or not patient:
                    return answer
            self._sleep(seconds)
        return self._once(method, url, headers, body, sign=sign)

    def _once(self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, sign: bool) -> Answer:
        place, host = served_at(self._target, url)
        request = AWSRequest(method=method, url=place, headers=dict(headers), data=body)
        if host:
            request.headers["Host"] = host
        if sign:
            self._sign(request, url)
        answer = self._session(place).send(request.prepare())
        return Answer(
            answer.status_code,
            {str(name).lower(): str(value) for name, value in answer.headers.items()},
            answer.content,
        )

    def _session(self, place: str) -> URLLib3Session:
        host = urlsplit(place).netloc
        if host not in self._sessions:
            proxies = {} if self._target.endpoint_url else get_environ_proxies(place)
            # The stubs know neither the file of certificates nor the pair of timeouts.
            settings: Any = {"verify": self._target.ca_bundle or True, "timeout": (5, self._timeout)}
            self._sessions[host] = URLLib3Session(proxies=proxies, **settings)
        return self._sessions[host]

    def _sign(self, request: AWSRequest, url: str) -> None:
        host = urlsplit(url).hostname or ""
        service = "lambda" if FUNCTION_HOST.fullmatch(host) else "execute-api"
        credentials = self._target.signing_credentials()
        if credentials is None:
            raise CredentialsError("no AWS credentials found to sign the request with: provide them")
        SigV4Auth(credentials, service, self._target.region).add_auth(request)


def served_at(target: Target, url: str) -> tuple[str, str | None]:
    """Where a target serves a URL: the URL to call, and the Host header if it isn't that URL's own.

    A test for an emulator never leaves it, whatever host a URL names.
    """
    if target.endpoint_url is None:
        return url, None
    parts, endpoint = urlsplit(url), urlsplit(target.endpoint_url)
    host = parts.hostname or ""
    if host in ("localhost", "127.0.0.1", "::1", endpoint.hostname):
        return url, None
    api = API_HOST.fullmatch(host)
    port = f":{endpoint.port}" if endpoint.port else ""
    served = f"{api[1]}.execute-api.localhost{port}" if api else host
    return urlunsplit((endpoint.scheme, endpoint.netloc, parts.path or "/", parts.query, "")), served
