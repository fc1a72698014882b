"""The command init: writes what a first event test of a project needs; changes nothing that is there."""

import argparse
import difflib
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from event_harness.commands import ini, new_files, survey
from event_harness.commands.new_files import Answers, Id
from event_harness.commands.options import root, settings
from event_harness.commands.survey import Place
from event_harness.errors import HarnessError, SettingError
from event_harness.machine import terminal
from event_harness.terraform.configuration import Configuration

_ROUTE = re.compile(r"([A-Z]+) (/\S*)")
_BY_KEY = ("s3", "dynamodb", "kinesis")  # their correlation id is the key, unless something else is said
# What carries the id beside the body.
_BESIDE = {"sqs": "attribute", "sns": "attribute", "http": "header"}


def run(options: argparse.Namespace) -> int:
    """Look at the system, ask for what can't be found out, show the new files, and write them."""
    project = (options.project or Path.cwd()).resolve()
    ask = _asker(yes=options.yes)
    options.root = _root(options, ask)
    configuration = Configuration.read(options.root)
    known = _answers(options, configuration, ask)
    source = _package(options.source or new_files.SOURCE)
    files = new_files.all_of(known, configuration, project, _top(project), source, _tests(project))
    if new_files.OUTPUT in configuration.outputs:
        del files[configuration.directory / "event_harness.tf"]
        terminal.say(f"the root has an output {new_files.OUTPUT!r} already: its listener is left as it is")
    new = {path: text for path, text in files.items() if not _is_there(path, project)}
    for path in files:
        if path not in new:
            terminal.say(
                f"{_shown(path)} is there already and stays as it is{_lacks(path, files[path], project)}"
            )
    for path, text in new.items():
        _show(path, text)
    if not new:
        terminal.say("nothing is to be written")
        return 0
    if options.dry_run or ask(f"write these {len(new)} files? (y/n)", "y") not in ("y", "yes"):
        terminal.say("nothing was written")
        return 0 if options.dry_run else 1
    for path, text in new.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    terminal.say(f"{len(new)} files were written; now run: pytest")
    return 0


def _root(options: argparse.Namespace, ask: "Ask") -> Path:
    """The Terraform root: the one that is named, else this directory, else one below that the user picks."""
    found = root(options)
    if options.root is not None or found.resolve() != Path.cwd().resolve() or any(found.glob("*.tf*")):
        return found
    below = [
        one for pattern in ("*", "*/*") for one in sorted(found.glob(pattern)) if _holds_a_root(one, found)
    ]
    if not below:
        return found
    names = [_shown(one) for one in below]
    answer = ask(f"which directory is the Terraform root? one of: {', '.join(names)}", names[0])
    if answer not in names:
        raise SettingError(f"{answer!r} is none of: {', '.join(names)}")
    return below[names.index(answer)]


def _holds_a_root(directory: Path, top: Path) -> bool:
    parts = directory.relative_to(top).parts
    left_out = any(part.startswith(".") or part == "modules" for part in parts)
    return not left_out and any(directory.glob("*.tf"))


def _package(source: str) -> str:
    """The source of the module; of a checkout by its path, the whole checkout is the package.

    Terraform takes an absolute path for a package, and the module needs what is beside it.
    """
    checkout, modules, name = source.rpartition("/modules/")
    return (
        f"{checkout}//modules/{name}" if modules and Path(source).is_dir() and "//" not in source else source
    )


def _tests(project: Path) -> Path:
    """Where the new tests go: to the others; beside a conftest.py of the user's own, into a new directory."""
    tests = project / (ini.test_paths(project) or ["tests"])[0]
    own = (tests / "conftest.py").exists() and not (tests / new_files.TEST).exists()
    return tests / "events" if own else tests


def _lacks(path: Path, text: str, project: Path) -> str:
    """What an ini file of pytest that is there must get from the user."""
    if path != project / "pytest.ini":
        return ""
    there = ini.find(project)[1]
    lines = [line for line in text.splitlines() if line.startswith("harness_root")]
    missing = [line for line in lines if "root" not in there]
    return f"; add to it: {', '.join(missing)}" if missing else ""


def _answers(options: argparse.Namespace, configuration: Configuration, ask: "Ask") -> Answers:
    found = survey.places(configuration)
    if not any(place.listens for place in found):
        raise SettingError(
            f"{configuration.directory} declares nothing to listen to: a bucket, queue, topic, event bus, "
            "stream, or table with a stream. If a module declares it, write event_harness.tf by hand: "
            "docs/adopt.md"
        )
    found, ends, entries = _found(options, found)
    end = _choose("where do results arrive?", [place for place in found if place.listens], ends, ask)
    pattern = {}
    if end.type == "eventbridge":
        every = '{"source": [{"prefix": ""}]}'
        pattern = _json(ask(f"which events of {end.name} are results? (an event pattern)", every), "pattern")
    result_id = _id(f"where does a result at {end.name} carry the id of its input?", end, ask)
    found += [place for place in entries if place not in found]
    others = [place for place in entries or found if place != end]
    entry = _choose("where do tests send inputs?", found, others, ask)
    route = _route(entry, configuration, ask) if entry.type == "http" else None
    input_id = _id(f"where does an input of {entry.name} carry its id?", entry, ask)
    text = ask("an input that the system accepts, without its id (JSON, or a text)", "{}")
    try:
        body = json.loads(text)
    except ValueError:
        body = text
    sla = ask("within how many seconds must a result arrive?", "30")
    if not (sla.isascii() and sla.isdecimal() and 0 < int(sla) <= 24 * 60 * 60):
        raise SettingError(f"{sla!r} is no number of seconds: give a whole number from 1 to 86400")
    return Answers(end, result_id, pattern, entry, input_id, body, int(sla), route)


def _route(entry: Place, configuration: Configuration, ask: "Ask") -> tuple[str, str]:
    """The method and the path of inputs; by default those of the root's first route with a method."""
    keys = [
        str(body.get("route_key", ""))
        for (kind, _), body in configuration.blocks("resource", 2)
        if kind == "aws_apigatewayv2_route"
    ]
    known = [key for key in keys if _ROUTE.fullmatch(key)]
    answer = ask(f"to which route of {entry.name} do tests send? (METHOD PATH)", (known or ["POST /"])[0])
    if not (match := _ROUTE.fullmatch(answer)):
        raise SettingError(f"{answer!r} is no route: give a method and a path, such as POST /orders")
    return match[1], match[2]


def _found(options: argparse.Namespace, places: list[Place]) -> tuple[list[Place], list[Place], list[Place]]:
    """The places, the ends and the entries, as a copy of the system shows them; the last two may be empty."""
    if options.no_deploy:
        return places, [], []
    _, rootdir = settings(options)
    asked, _ = settings(options, target="local", root=os.path.relpath(root(options).resolve(), rootdir))
    terminal.say("deploying a copy to a local AWS emulator for a moment, to see how events pass")
    try:
        graph = survey.deployed(asked, rootdir, terminal.say)
    except HarnessError as error:
        terminal.say(f"it can't be deployed, so you are asked instead: {error}")
        return places, [], []
    places = survey.named(graph, places)
    return places, survey.ends(graph, places), survey.entries(graph, places)


Ask = Callable[[str, str], str]


def _asker(*, yes: bool) -> Ask:
    def ask(question: str, default: str) -> str:
        """Ask; an empty answer, or `--yes`, takes the default."""
        if yes:
            terminal.say(f"{question} [{default}]")
            return default
        sys.stdout.write(f"{question} [{default}] ")
        sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            raise SettingError(
                f"nobody answers {question!r}: run it on a terminal, or take all defaults with --yes"
            )
        if not sys.stdin.isatty():
            terminal.say("")
        return line.strip() or default

    return ask


def _choose(question: str, places: Sequence[Place], found: Sequence[Place], ask: Ask) -> Place:
    by_name = {place.name: place for place in places}
    by_name |= {place.address: place for place in places}
    names = ", ".join(f"{place.name} ({place.type})" for place in places)
    answer = ask(f"{question} one of: {names}", (found or places)[0].name)
    if answer not in by_name:
        raise SettingError(f"{answer!r} is none of: {names}")
    return by_name[answer]


def _id(question: str, place: Place, ask: Ask) -> Id:
    """Where events at a place carry the id."""
    if place.type in _BY_KEY:
        ways = "key, a pattern of keys such as out/*.json, " if place.type == "s3" else "key, "
        answer = ask(f"{question} ({ways}or a field such as body:order.id)", "key")
        if answer == "key":
            return Id("key")
        kind, colon, at = answer.partition(":")
        if colon and kind == "body" and at:
            return Id("body", at)
        if "*" in answer and place.type == "s3":
            return Id("key", answer)
        raise SettingError(f"{answer!r} says not where the id is: {ways}or body:FIELD")
    ways = "a field of the JSON body such as order.id"
    other = _BESIDE.get(place.type, "")
    if other:
        ways += f", or {other}:NAME"
    answer = ask(f"{question} ({ways})", "header:x-correlation-id" if other == "header" else "correlation_id")
    kind, colon, at = answer.partition(":")
    if colon and kind == other and at:
        return Id(kind, at)
    return Id("body", at if colon and kind == "body" else answer)


def _json(text: str, what: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise SettingError(f"{text!r} is no JSON: {error} ({what})") from error
    if not isinstance(value, dict):
        raise SettingError(f"{text!r} is no JSON object ({what})")
    return value


def _top(project: Path) -> Path:
    return next((one for one in (project, *project.parents) if (one / ".git").exists()), project)


def _is_there(path: Path, project: Path) -> bool:
    """Whether a file is there; an ini file of pytest counts whatever its name is."""
    if path == project / "pytest.ini":
        return path.exists() or ini.file(project) is not None
    return path.exists() or path.is_symlink()


def _show(path: Path, text: str) -> None:
    lines = difflib.unified_diff([], text.splitlines(), "/dev/null", _shown(path), lineterm="")
    for line in lines:
        terminal.say(line)


def _shown(path: Path) -> str:
    return os.path.relpath(path)
