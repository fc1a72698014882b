"""Asks an API, or the URL of a function, about a request."""

import json
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from event_harness.aws.errors import AWS_ERRORS, code_of, message_of
from event_harness.aws.http_requests import API_HOST
from event_harness.explaining.probes.asking import Question, Seen
from event_harness.explaining.report import Finding
from event_harness.results.response import Response
from event_harness.system.resources import Component

_LINES = 5  # of the access log


def api(question: Question, component: Component) -> Seen:
    """Ask an API. IAM: apigateway:GET; logs:FilterLogEvents if the component names its access log."""
    name, answer = component.name, question.sent.response
    if not (question.is_entry(component) and answer):
        _check_there(question, component)
        return Seen(
            Finding(
                name,
                "unknown",
                "there; an API doesn't tell what has passed, and its integration is not looked into",
            )
        )
    lines = _access_log(question, component)
    if answer.status < 400:
        return Seen(Finding(name, "ok", f"answered {answer.status}", lines, here=True))
    text = f"answered {answer.status}{_said(answer)}"
    cause = f"{name} {text}"
    return Seen(Finding(name, "failed", text, lines, cause=cause, certain=True, here=True, ended=True))


def _said(answer: Response) -> str:
    """The message of API Gateway or Lambda itself. What the system says is content, which isn't shown."""
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ""
    message = next(iter(said.values())) if isinstance(said, dict) and len(said) == 1 else None
    own = isinstance(said, dict) and set(said) <= {"message", "Message"} and isinstance(message, str)
    return f": {message[:200]}" if own and message else ""


def _check_there(question: Question, component: Component) -> None:
    """Raise NotFoundException if no API has this id; a custom domain or a function's URL isn't looked up."""
    host = API_HOST.fullmatch(urlsplit(component.identifier).hostname or "")
    if not host:
        return
    try:
        question.client("apigatewayv2").get_api(ApiId=host[1])
    except ClientError as error:
        if code_of(error) != "NotFoundException":
            raise
        question.client("apigateway").get_rest_api(restApiId=host[1])


def _access_log(question: Question, component: Component) -> tuple[str, ...]:
    """The lines of the access log that name this request."""
    request = question.sent.service_id
    if not component.log_group or not request:
        return ()
    try:
        answer = question.client("logs").filter_log_events(
            logGroupName=component.log_group,
            startTime=int(question.since * 1000),
            filterPattern=f'"{request}"',
        )
    except AWS_ERRORS as error:
        return (f"its access log is not known ({message_of(error).partition(':')[0]})",)
    return tuple(str(event["message"]).strip() for event in answer.get("events", [])[:_LINES])
