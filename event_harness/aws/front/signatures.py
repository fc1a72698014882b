"""Whether a request is signed with a secret key that the emulator knows: ours, or one that it has issued.

MiniStack verifies signatures only with `AUTH=true`, and never those of its root user. The root key is public.
"""

import base64
import hmac
import os
import re

from ministack.core import iam_evaluator, responses, router, sigv4

from event_harness.aws.front.asgi import Request

_FIELD = re.compile(rb'name="([\w-]+)"(?:\r\n[^\r\n]+)*\r\n\r\n([^\r\n]*)\r\n--')
_ACCOUNT = re.compile(r"\d{12}")


def key_of(request: Request) -> str:
    """The access key id that a request names, or an empty text."""
    sigv4a = re.search(
        r"^AWS4-ECDSA-P256-SHA256 .*Credential=([^/]+)/", request.headers.get("authorization", "")
    )
    key = sigv4a.group(1) if sigv4a else router.extract_access_key_id(request.headers, request.query)
    return str(key)


def secret_of(key: str) -> str | None:
    """The secret key that belongs to an access key id, or None if the emulator knows none.

    MiniStack's root user has the id that the emulator was started with, or an account's number. The functions
    have the number. Both come with the secret that the emulator was started with.
    """
    if key == os.environ["AWS_ACCESS_KEY_ID"] or _ACCOUNT.fullmatch(key):
        return os.environ["AWS_SECRET_ACCESS_KEY"]
    if not key or iam_evaluator.is_root_access_key(key):
        return None  # `test`, which everybody knows
    found = iam_evaluator.resolve_credential(key, _account_of(key))
    return found.secret_access_key if isinstance(found, iam_evaluator.ResolvedCredential) else None


def is_presigned(request: Request) -> bool:
    """Whether the signature is in the query: a URL that its owner has handed out."""
    return "authorization" not in request.headers and any(
        request.first(name) for name in ("X-Amz-Signature", "Signature")
    )


def needs_body(request: Request) -> bool:
    """Whether the signature covers a hash of the body that the request doesn't state."""
    if request.headers.get("authorization", "").startswith("AWS4-"):
        return "x-amz-content-sha256" not in request.headers
    return is_presigned(request) and "/s3/" not in request.first("X-Amz-Credential")


def matches(request: Request, key: str, secret: str, body: bytes) -> bool:
    """Whether the signature of a request was made with a secret key.

    The time of signing is not checked: tests may hold the clock. MiniStack itself checks when a presigned URL
    expires.
    """
    presigned = is_presigned(request)
    authorization = request.headers.get("authorization", "")
    if authorization.startswith("AWS ") or (presigned and request.first("AWSAccessKeyId")):
        return _matches_version_2(request, key)
    parse = sigv4.parse_query_signature if presigned else sigv4.parse_header_signature
    signature = parse(request.query if presigned else request.headers)
    if isinstance(signature, tuple):
        return False  # a part of it is missing
    _, text = sigv4.header_signing_documents(
        signature,
        request.method,
        request.raw_path,
        request.query,
        request.headers,
        body,
        presigned=presigned,
    )
    if signature.region_set is not None:
        return bool(sigv4.sigv4a_signature_matches(key, secret, text, signature.signature))
    expected = sigv4.calculate_signature(
        secret, signature.date_stamp, signature.region, signature.service, text
    )
    return hmac.compare_digest(expected.encode(), signature.signature.encode())


def _matches_version_2(request: Request, key: str) -> bool:
    """boto3 presigns S3 URLs so by default in regions that are older than 2014."""
    from ministack.app import _extract_s3_vhost_bucket  # it imports every service's routes

    bucket = _extract_s3_vhost_bucket(request.host)
    path = f"/{bucket}{request.raw_path}" if bucket else request.raw_path
    pinned = iam_evaluator.SignedRequest(
        key, request.method, request.raw_path, request.query, request.headers, sigv2=True, auth_path=path
    )
    checked = iam_evaluator._sigv2_check(pinned, _account_of(key))
    return not isinstance(checked, iam_evaluator.AuthError)


def is_form(request: Request) -> bool:
    """Whether it may be an upload by a form, which is signed by a policy in its body."""
    form = request.headers.get("content-type", "").startswith("multipart/form-data")
    return form and request.method == "POST"


def form_matches(body: bytes) -> bool:
    """Whether the policy of a form was signed with a secret key that the emulator knows."""
    fields = {name.decode().lower(): value.decode("utf-8", "replace") for name, value in _FIELD.findall(body)}
    policy, scope = fields.get("policy", ""), fields.get("x-amz-credential", "").split("/")
    secret = secret_of(fields.get("awsaccesskeyid") or scope[0])
    if secret is None or not policy:
        return False
    if len(scope) == 5:
        given = fields.get("x-amz-signature", "")
        expected = sigv4.calculate_signature(secret, *scope[1:4], policy)
    else:
        given = fields.get("signature", "")
        expected = base64.b64encode(hmac.digest(secret.encode(), policy.encode(), "sha1")).decode()
    return hmac.compare_digest(expected.encode(), given.encode())


def _account_of(key: str) -> str:
    owner = iam_evaluator.find_iam_access_key_account(key)
    return str(responses._account_from_sts_session(key) or owner or responses.get_account_id())
