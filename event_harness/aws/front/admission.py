"""Admits requests with a signature by a key of this emulator, and requests that AWS accepts from anybody.

MiniStack runs the code of functions as the user who started it. Without this, any process or web page that
reaches its port could run code as that user.
"""

import ipaddress
import uuid
from urllib.parse import parse_qs

from ministack import app as ministack
from ministack.core import iam_actions, iam_evaluator, router

from event_harness.aws.front import signatures
from event_harness.aws.front.asgi import App, Receive, Request, Scope, Send, respond, whole_body
from event_harness.aws.front.proxying import PROXIED

_HEALTH = ("/_ministack/health", "/_ministack/ready")
# The caller of these holds a token that MiniStack made for one purpose.
_WITH_A_TOKEN = (
    "/_ministack/cfn-response/",
    "/_ministack/cfn-signal/",
    "/_ministack/eks-auth/",
    "/_ministack/rds/iam-auth",
)
# A user pool's public endpoints.
_COGNITO = ("/oauth2/authorize", "/oauth2/token", "/oauth2/userInfo", "/login", "/logout")
# Not STS: MiniStack checks no token of another provider, so it would give the key of a role to anybody.
_UNSIGNED_SERVICES = ("cognito-idp", "cognito-identity", "sns")
_HANDS_OUT_KEYS = ("cognito-identity:GetCredentialsForIdentity",)
_CLOSED = (
    "this local AWS emulator accepts only the credentials that it was started with: take AWS_ACCESS_KEY_ID "
    "and AWS_SECRET_ACCESS_KEY from the environment that the harness gives (after `up`: . .event-harness/env)"
)
_FOREIGN_HOST = "this local AWS emulator answers to 127.0.0.1 and localhost only"
_FOREIGN_ORIGIN = "this local AWS emulator answers no web page"


class Admission:
    """Answers 403 to a request that may not come in; hands all others on."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        request = Request.of(scope)
        proxied = bool(scope.get("state", {}).get(PROXIED))
        refusal, receive = await _refusal(request, proxied, receive, websocket=scope["type"] == "websocket")
        if refusal is None:
            return await self.app(scope, receive, send)
        if scope["type"] == "websocket":
            await receive()
            return await send({"type": "websocket.close", "code": 1008})
        body, _ = await whole_body(receive) if _is_query(request) else (b"", receive)
        return await respond(send, *_denied(request, body, refusal))


async def _refusal(
    request: Request, proxied: bool, receive: Receive, *, websocket: bool
) -> tuple[str | None, Receive]:
    """Why a request is refused, or None; and what its body can be read from."""
    if not (proxied or _is_ours(request.host)):
        return _FOREIGN_HOST, receive
    if _is_open(request):
        return None, receive
    handed_out = signatures.is_presigned(request) or signatures.is_form(request)
    if "origin" in request.headers and not handed_out:
        return _FOREIGN_ORIGIN, receive
    if request.method == "OPTIONS":  # a browser asks whether it may use a presigned URL; nothing is done
        return None, receive
    key = signatures.key_of(request)
    if not key:
        body, receive = (b"", receive) if websocket else await whole_body(receive)
        if signatures.is_form(request):
            return None if signatures.form_matches(body) and not _goes_to_a_service(
                request
            ) else _CLOSED, receive
        return None if _is_served_unsigned(request, body) else _CLOSED, receive
    secret = signatures.secret_of(key)
    if secret is None:
        return _CLOSED, receive
    body = b""
    if signatures.needs_body(request) and not websocket:
        body, receive = await whole_body(receive)
    return None if signatures.matches(request, key, secret, body) else _CLOSED, receive


def _is_ours(host: str) -> bool:
    """Whether a Host names this machine or a resource of AWS. A web page's host, rebound to us, doesn't."""
    name = host.lower().rpartition(":")[0] if not host.endswith("]") and ":" in host else host.lower()
    if name == "localhost" or name.endswith((".localhost", ".127.0.0.1", ".amazonaws.com", ".on.aws")):
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return _names_a_resource(name)


def _names_a_resource(host: str) -> bool:
    """A domain of API Gateway or CloudFront that the user has made in this emulator."""
    return bool(
        ministack._parse_cloudfront_dataplane_host(host)
        or ministack._resolve_custom_domain_request(host, "/") is not None
    )


def _is_open(request: Request) -> bool:
    """Whether AWS, too, lets anybody call it: what a user publishes decides itself whom it serves."""
    host, path = request.host, request.path
    if path in _HEALTH:
        return request.method in ("GET", "HEAD")
    if path.startswith(_WITH_A_TOKEN) or path in _COGNITO:
        return True
    if "/.well-known/" in path and request.method in ("GET", "HEAD"):
        return _is_user_pool(path)
    if _goes_to_a_service(request):
        return False
    return bool(
        ministack._parse_execute_api_url(host, path)
        or ministack._parse_lambda_url(host, path)
        or ministack._is_potential_alb_request(host, path)
        or ministack._APPSYNC_REALTIME_RE.match(host)
        or _is_graphql(request)
        or _names_a_resource(host.rpartition(":")[0] or host)
    )


def _is_user_pool(path: str) -> bool:
    pool = path.partition("/.well-known/")[0].strip("/")
    return bool(pool) and ministack._get_module("cognito")._get_pool_unscoped(pool) is not None


def _is_graphql(request: Request) -> bool:
    """A call of a GraphQL API, which checks its own keys and tokens."""
    if not ministack._APPSYNC_GRAPHQL_RE.match(request.path):
        return False
    return bool(
        router.detect_service(request.method, request.path, request.headers, request.query) == "appsync"
    )


def _goes_to_a_service(request: Request) -> bool:
    """Whether MiniStack routes by the path, not by the host: to itself or to a service of AWS."""
    path = request.path
    published = ("/_aws/execute-api/", "/_aws/lambda-url/", "/_alb/")
    return (
        (path.startswith(("/_ministack/", "/_localstack/", "/_aws/")) and not path.startswith(published))
        or path == "/health"
        or path.startswith((ministack._S3_CONTROL_PREFIX, ministack._SES_V2_PREFIX, "/iceberg"))
        or path in ministack._RDS_DATA_PATHS
        or ministack._is_ecr_registry_path(path)
        or "x-amz-request-route" in request.headers
    )


def _is_served_unsigned(request: Request, body: bytes) -> bool:
    """Whether it is an operation of users who have no key: to sign up and in, to confirm a subscription."""
    if request.path != "/" or ministack._extract_s3_vhost_bucket(request.host):
        return False
    parameters = _parameters(request, body)
    service = router.detect_service(request.method, "/", request.headers, parameters)
    action = iam_actions.extract_iam_action(service, request.method, "/", request.headers, body, parameters)
    if service not in _UNSIGNED_SERVICES or action in (None, *_HANDS_OUT_KEYS):
        return False
    return bool(iam_evaluator._served_unsigned(service, action))


def _is_query(request: Request) -> bool:
    """Whether it is of the Query protocol, which names the operation in the body."""
    return "x-www-form-urlencoded" in request.headers.get("content-type", "")


def _parameters(request: Request, body: bytes) -> dict[str, list[str]]:
    """The parameters of a request, by which MiniStack finds its service."""
    return request.query | (parse_qs(body.decode("utf-8", "replace")) if _is_query(request) else {})


def _denied(request: Request, body: bytes, why: str) -> tuple[int, dict[str, str], bytes]:
    """A refusal in the protocol of the service, so that an SDK shows the reason."""
    parameters = _parameters(request, body)
    service = router.detect_service(request.method, request.path, request.headers, parameters)
    status, headers, said = iam_actions.access_denied_response(
        service, "", "", str(uuid.uuid4()), error_code="AccessDenied", message=why, headers=request.headers
    )
    return status, headers, said
