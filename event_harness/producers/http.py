"""Sends requests to an API, or to the URL of a function."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from event_harness.aws.http_requests import Answer, Caller
from event_harness.aws.targets import Target
from event_harness.errors import CredentialsError, ProducerError, SettingError
from event_harness.producers.base import NOW, Accepted, Producer
from event_harness.producers.bodies import Body, encoded, with_field
from event_harness.producers.inflight import InFlight
from event_harness.results.response import Response
from event_harness.results.sent import Sent
from event_harness.system.resources import Component

_REQUEST_IDS = ("x-amzn-requestid", "apigw-requestid", "x-amz-request-id")
_SAFE_IN_PATH = "/%:@!$&'()*+,;=~"  # a path may be encoded already


class HttpProducer(Producer):
    """Makes requests that carry the correlation id.

    IAM: none; with `sign` execute-api:Invoke, or lambda:InvokeFunctionUrl and lambda:InvokeFunction.

    Args:
        component: The API or the function. Its `url` is the address of a stage, or of a function's URL.
        target: Where the URL is served, and whose credentials sign.
        session_id: The test session that the inputs belong to.
        path: Path below the component's `url`: `/orders`. An asterisk stands for the correlation id.
        method: GET, POST, …
        header: Name of the header that carries the correlation id; None for none.
        field: Field of a JSON body that carries it (`order.id`: names joined by dots); None for none.
        query: Name of the query parameter that carries it; None for none.
        headers: Headers of every request.
        sign: Sign the requests (SigV4), for a route or a URL whose authorization type is AWS_IAM.
        timeout: Seconds that an answer may take.
        inflight: Limits how many inputs are in flight; None for no limit.
        now: Epoch seconds.
        caller: Makes the requests.
    """

    type = "http"
    service = ""
    limit = 10 * 1024 * 1024
    remedy = "put the body into S3 and send where it is"

    def __init__(
        self,
        component: Component,
        target: Target,
        session_id: str,
        *,
        path: str = "",
        method: str = "POST",
        header: str | None = "x-correlation-id",
        field: str | None = None,
        query: str | None = None,
        headers: Mapping[str, str] | None = None,
        sign: bool = False,
        timeout: float = 60,
        inflight: InFlight | None = None,
        now: Callable[[], float] = NOW,
        caller: Caller | None = None,
    ) -> None:
        super().__init__(component, target, session_id, inflight=inflight, now=now)
        if not (header or field or query or "*" in path):
            raise SettingError(
                "HttpProducer: give a header, a field, a query parameter or a path with an asterisk"
                " for the correlation id"
            )
        if urlsplit(component.identifier).scheme not in ("http", "https"):
            raise ProducerError(f"component {component.name!r}: {component.identifier!r} isn't an http URL")
        self.path = path
        self.method = method.upper()
        self.header = header
        self.field = field
        self.query = query
        self.headers = dict(headers or {})
        self.sign = sign
        self._caller = caller or Caller(target, timeout)

    def send(
        self,
        body: Body | None = None,
        *,
        correlation_id: str | None = None,
        method: str | None = None,
        path: str | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        raw: bool = False,
        check: bool = True,
    ) -> Sent:
        """Make one request. `sent.response` holds the answer: its status, headers and body.

        A request is made again only if it was surely not taken: nobody listened at the address, or the answer
        was 429 (too many requests). It follows no redirect.

        Args:
            body: Text, bytes, or a value that JSON can hold; None for a request without a body. The
                Content-Type fits it, unless `headers` names one.
            correlation_id: Your own id. The session id is put before it unless it is there already.
            method: Instead of the producer's.
            path: Instead of the producer's.
            query: Query parameters; a list gives a parameter several values.
            headers: Further headers.
            raw: Send the body exactly as it is, without the correlation id in `field`.
            check: Raise if the status of the answer is 400 or more. If false, `sent.response.status` says so.

        Raises:
            ProducerError: The body can't be sent, nobody answers, or the answer is an error.
        """
        correlation_id = self._new_id(correlation_id)
        if self.field and not raw and (body is not None or not (self.header or self.query)):
            body = with_field({} if body is None else body, self.field, correlation_id, self.type)
        content = b"" if body is None else encoded(body)
        url = self._url(self.path if path is None else path, query or {}, correlation_id)
        sent_headers = _headers(body, self.headers, headers or {})
        if self.header:
            sent_headers[self.header] = _header_value(correlation_id)
        method = (method or self.method).upper()
        where = f"{method} {url}"

        def call() -> Accepted:
            """Send the request, and check the answer."""
            try:
                answer = self._caller.call(method, url, sent_headers, content, sign=self.sign, patient=check)
            except CredentialsError as error:
                raise ProducerError(f"{where}: {error}") from error
            if check and answer.status >= 400:
                raise ProducerError(
                    f"{where}: answered {answer.status}{_said(answer)};"
                    f" {self._signing(answer)}with check=False, sent.response has the answer"
                )
            given = next((answer.headers[name] for name in _REQUEST_IDS if name in answer.headers), None)
            return Accepted(given, Response(answer.status, answer.body, answer.headers))

        return self._deliver(correlation_id, content, where, call)

    def _url(self, path: str, query: Mapping[str, Any], correlation_id: str) -> str:
        parts = urlsplit(self.component.identifier)
        below = quote(path, safe=_SAFE_IN_PATH).replace("*", quote(correlation_id, safe=""))
        whole = f"{parts.path.rstrip('/')}/{below.lstrip('/')}" if below else parts.path
        parameters = dict(query) | ({self.query: correlation_id} if self.query else {})
        asked = "&".join(
            part for part in (parts.query, urlencode(parameters, doseq=True, quote_via=quote)) if part
        )
        return urlunsplit((parts.scheme, parts.netloc, whole or "/", asked, ""))

    def _signing(self, answer: Answer) -> str:
        """What helps if an API wants to know who calls."""
        denied = answer.status == 403 and not self.sign
        return "if it has the authorization type AWS_IAM, set sign=True; " if denied else ""

    def _hint(self) -> str:
        return f"; is {self.component.identifier} deployed, and does it answer?"


def _headers(body: Body | None, *given: Mapping[str, str]) -> dict[str, str]:
    """The headers of a request. Their names are compared without regard to case; the last one wins."""
    kinds = {str: "text/plain; charset=utf-8", bytes: "application/octet-stream"}
    headers = {} if body is None else {"content-type": kinds.get(type(body), "application/json")}
    for more in given:
        names = {name.lower() for name in more}
        headers = {name: value for name, value in headers.items() if name.lower() not in names} | dict(more)
    return headers


def _header_value(correlation_id: str) -> str:
    if not (correlation_id.isascii() and correlation_id.isprintable()):
        raise ProducerError(
            f"correlation id {correlation_id[:60]!r}: a header takes printable ASCII only;"
            " take another id, or header=None with a field or a query parameter"
        )
    return correlation_id


def _said(answer: Answer) -> str:
    text = " ".join(answer.body[:300].decode("utf-8", "replace").split())
    return f": {text}" if text else ""
