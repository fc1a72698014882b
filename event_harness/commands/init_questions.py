"""The questions of init about what can't be found out, and the answers that they take."""

import json
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from event_harness.commands.new_files import USUAL, Id
from event_harness.commands.survey import Place
from event_harness.errors import SettingError
from event_harness.machine import terminal
from event_harness.terraform.configuration import Configuration

_Answer = TypeVar("_Answer")
Ask = Callable[[str, str], str]
"""Takes a question and its default; returns the answer."""

HEADER = "x-correlation-id"
WITHOUT_BODY = ("GET", "HEAD", "DELETE", "OPTIONS")
_ROUTE = re.compile(r"([A-Z]+) (/\S*)")
_BY_KEY = ("s3", "dynamodb", "kinesis")  # their correlation id is the key, unless something else is said
# What carries the id beside the body.
_BESIDE = {"sqs": ("attribute",), "sns": ("attribute",), "http": ("header", "query")}


class Asker:
    """Asks on the terminal.

    Args:
        yes: Take each default instead.
    """

    def __init__(self, *, yes: bool) -> None:
        self._yes = yes
        self._answers = not yes and sys.stdin.isatty()

    def __call__(self, question: str, default: str) -> str:
        """Ask; an empty answer takes the default.

        Raises:
            SettingError: Nobody answers.
        """
        if self._yes:
            terminal.say(f"{question} [{default}]")
            return default
        sys.stdout.write(f"{question} [{default}] ")
        sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            self._answers = False
            raise SettingError(
                f"nobody answers {question!r}: run it on a terminal, or take all defaults with --yes"
            )
        if not sys.stdin.isatty():
            terminal.say("")
        return line.strip() or default

    def until_valid(self, step: Callable[[], _Answer]) -> _Answer:
        """Ask again after a wrong answer, if a person answers.

        Args:
            step: Asks, and returns what the answer means.

        Raises:
            SettingError: By the step, if nobody is there who could answer again.
        """
        while True:
            try:
                return step()
            except SettingError as error:
                if not self._answers:
                    raise
                terminal.say(str(error))


def choose(question: str, places: Sequence[Place], found: Sequence[Place], ask: Ask) -> Place:
    """One of the places; by default the first that was found."""
    by_name = {place.name: place for place in places}
    by_name |= {place.address: place for place in places}
    names = ", ".join(f"{place.name} ({place.type})" for place in places)
    answer = ask(f"{question} one of: {names}", (found or places)[0].name)
    if answer not in by_name:
        raise SettingError(f"{answer!r} is none of: {names}")
    return by_name[answer]


def id_of(question: str, place: Place, ask: Ask, default: str = "") -> Id:
    """Where events at a place carry the correlation id.

    Args:
        question: To ask.
        place: Where the events are.
        ask: Asks.
        default: The answer to suggest; empty for the usual one of the place.
    """
    if place.type in _BY_KEY:
        field = "body:new_image.order.id" if place.type == "dynamodb" and place.listens else "body:order.id"
        ways = "key, a pattern of keys such as out/*.json, " if place.type == "s3" else "key, "
        answer = ask(f"{question} ({ways}or a field such as {field})", default or "key")
        if answer == "key":
            return Id("key")
        kind, colon, at = answer.partition(":")
        if colon and kind == "body" and at:
            return Id("body", at)
        if "*" in answer and place.type == "s3":
            return Id("key", answer)
        raise SettingError(f"{answer!r} does not say where the id is: give {ways}or body:FIELD")
    beside = _BESIDE.get(place.type, ())
    ways = "a field of the JSON body such as order.id" + "".join(f", or {other}:NAME" for other in beside)
    answer = ask(f"{question} ({ways})", default or USUAL.at)
    kind, colon, at = answer.partition(":")
    if colon and at and kind in beside:
        return Id(kind, at)
    return Id("body", at if colon and kind == "body" else answer)


def input_id(entry: Place, end: Place, result: Id, route: tuple[str, str] | None, key: str, ask: Ask) -> Id:
    """Where an input carries its id. What results carry it in is suggested: most systems copy it.

    Args:
        entry: Where inputs are sent.
        end: Where results arrive.
        result: Where results carry the id.
        route: The method and the path of an API.
        key: The key attribute of the end, if that is a table; else empty.
        ask: Asks.
    """
    if route and "*" in route[1]:
        return Id("path")
    if route and route[0] in WITHOUT_BODY:
        default = f"header:{HEADER}"
    elif entry.type in _BY_KEY:
        default = ""
    elif result.kind == "body":
        default = result.at.removeprefix("new_image.")
    elif result.kind == "attribute" and "attribute" in _BESIDE.get(entry.type, ()):
        default = f"attribute:{result.at}"
    else:
        default = key if end.type == "dynamodb" else ""
    return id_of(f"where does an input of {entry.name} carry its id?", entry, ask, default)


def body(ask: Ask) -> Any:
    """An input that the system accepts: JSON or a text."""
    text = ask("an input that the system accepts, without its id (JSON, or a text)", "{}")
    try:
        return json.loads(text)
    except ValueError:
        return text


def event_of(entry: Place, found: tuple[str, str], ask: Ask) -> tuple[str, str]:
    """The source and the detail-type of inputs to a bus; by default those that a rule takes."""
    source = ask(f"which source do events to {entry.name} have?", found[0] or "event-harness")
    return source, ask(f"which detail-type do events to {entry.name} have?", found[1] or "test")


def pattern_of(end: Place, ask: Ask) -> Any:
    """Which events of a bus are results."""
    every = '{"source": [{"prefix": ""}]}'
    return json_object(ask(f"which events of {end.name} are results? (an event pattern)", every), "pattern")


def sla(ask: Ask, default: str) -> int:
    """Seconds within which a result must arrive."""
    text = ask("within how many seconds must a result arrive?", default)
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= 24 * 60 * 60):
        raise SettingError(f"{text!r} is no number of seconds: give a whole number from 1 to 86400")
    return int(text)


def route_of(entry: Place, configuration: Configuration, ask: Ask) -> tuple[str, str]:
    """The method and the path of inputs; by default those of the root's first route with a path."""
    keys = [
        str(body.get("route_key", ""))
        for (kind, _), body in configuration.blocks("resource", 2)
        if kind == "aws_apigatewayv2_route"
    ]
    known = [_requested(key) for key in keys if _ROUTE.fullmatch(key)]
    question = f"to which route of {entry.name} do tests send? (METHOD PATH; * in the path is the id)"
    answer = ask(question, (known or ["POST /"])[0])
    if not (match := _ROUTE.fullmatch(answer)):
        raise SettingError(f"{answer!r} is no route: give a method and a path, such as POST /orders")
    return match[1], match[2]


def _requested(route: str) -> str:
    """A request that a route takes: `ANY /orders/{id}` takes `POST /orders/*`."""
    method, _, path = route.partition(" ")
    path = re.sub(r"\{\w+\}", "*", re.sub(r"\{\w+\+\}$", "", path))
    return f"{'POST' if method == 'ANY' else method} {path}"


def json_object(text: str, what: str) -> Any:
    """The JSON object that an answer holds."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise SettingError(f"{text!r} is no JSON: {error} ({what})") from error
    if not isinstance(value, dict):
        raise SettingError(f"{text!r} is no JSON object ({what})")
    return value
