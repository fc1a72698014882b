"""The command init: writes what a first event test of a project needs; changes nothing that is there."""

import argparse
import difflib
import json
import os
import re
from pathlib import Path

from event_harness.commands import ini, init_questions, new_files, survey
from event_harness.commands.init_questions import Ask
from event_harness.commands.new_files import Answers
from event_harness.commands.options import root, settings
from event_harness.commands.survey import Place
from event_harness.errors import HarnessError, SettingError
from event_harness.machine import terminal
from event_harness.terraform.configuration import Configuration


def run(options: argparse.Namespace) -> int:
    """Look at the system, ask for what can't be found out, show the new files, and write them."""
    project = (options.project or Path.cwd()).resolve()
    ask = init_questions.asker(yes=options.yes)
    options.root = _root(options, ask)
    configuration = Configuration.read(options.root)
    known = _answers(options, configuration, ask)
    source = _package(options.source or new_files.SOURCE)
    test = _test(project)
    files = new_files.all_of(known, configuration, project, _top(project), source, test)
    if new_files.OUTPUT in configuration.outputs:
        del files[configuration.directory / "event_harness.tf"]
        terminal.say(f"the root has an output {new_files.OUTPUT!r} already: its listener is left as it is")
    new = {path: text for path, text in files.items() if not _is_there(path, project)}
    for path in files:
        if path not in new:
            there = ini.file(project) if path == project / "pytest.ini" else path
            terminal.say(f"{_shown(there or path)} is there already and stays as it is")
    for path, text in new.items():
        _show(path, text)
    lacking = _lacking(files[project / "pytest.ini"], project)
    if not new:
        terminal.say(f"nothing is to be written{lacking and f'; but add {lacking}'}")
        return 0
    if options.dry_run or ask(f"write these {len(new)} files? (y/n)", "y") not in ("y", "yes"):
        terminal.say("nothing was written")
        return 0 if options.dry_run else 1
    for path, text in new.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    terminal.say(
        f"{len(new)} files were written. {new_files.where_ids_are(known)}. If your system passes the id on in"
        " another place, name that in the new files"
    )
    terminal.say(f"now add {lacking}, then run: pytest" if lacking else "now run: pytest")
    return 0


def _root(options: argparse.Namespace, ask: Ask) -> Path:
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


def _test(project: Path) -> Path:
    """The file of the new test: beside the others; beside a conftest.py of the user's own, one level down."""
    tests = project / (ini.test_paths(project) or ["tests"])[0]
    name = new_files.test_name(ini.python_files(project))
    own = (tests / "conftest.py").exists() and not (tests / name).exists()
    return (tests / "events" if own else tests) / name


def _lacking(text: str, project: Path) -> str:
    """The lines that an ini file of the user's own lacks, and where; empty if there is none."""
    there = ini.file(project)
    if there is None:
        return ""
    given = ini.find(project)[1]
    lines = [
        f"`harness_{name} = {json.dumps(value) if there.suffix == '.toml' else value}`"
        for name, value in re.findall(r"^harness_(\w+) = (.*)$", text, re.MULTILINE)
        if name not in given and (name, value) != ("sla", new_files.SLA)
    ]
    return f"{' and '.join(lines)} to the settings of pytest in {_shown(there)}" if lines else ""


def _answers(options: argparse.Namespace, configuration: Configuration, ask: Ask) -> Answers:
    found = survey.places(configuration)
    lacking = survey.without_output(configuration)
    if not any(place.listens for place in found):
        raise SettingError(
            f"{configuration.directory} declares nothing to listen to: a bucket, queue, topic, event bus, "
            f"stream, or table with stream_enabled. {_of_modules(lacking)}"
        )
    if lacking:
        terminal.say(
            f"no module has an output for {', '.join(lacking)}, so no test can listen there. If results"
            " arrive at one of them, give its module an output with that value first"
        )
    for place in found:
        if not place.listens:
            terminal.say(
                f"{place.address} has no stream, so no test can see what is written there. If results arrive"
                ' there, give it stream_enabled = true and stream_view_type = "NEW_AND_OLD_IMAGES" first'
            )
    found, ends, entries = _found(options, found)
    end = init_questions.choose(
        "where do results arrive?", [place for place in found if place.listens], ends, ask
    )
    pattern = {}
    if end.type == "eventbridge":
        every = '{"source": [{"prefix": ""}]}'
        asked = ask(f"which events of {end.name} are results? (an event pattern)", every)
        pattern = init_questions.json_object(asked, "pattern")
    result_id = init_questions.id_of(
        f"where does a result at {end.name} carry the id of its input?", end, ask
    )
    found += [place for place in entries if place not in found]
    others = [place for place in entries or found if place != end]
    entry = init_questions.choose("where do tests send inputs?", found, others, ask)
    route = init_questions.route_of(entry, configuration, ask) if entry.type == "http" else None
    input_id = init_questions.input_id(entry, end, result_id, route, survey.key(end, configuration), ask)
    body = None
    if not (route and route[0] in init_questions.WITHOUT_BODY):
        text = ask("an input that the system accepts, without its id (JSON, or a text)", "{}")
        try:
            body = json.loads(text)
        except ValueError:
            body = text
    sla = ask("within how many seconds must a result arrive?", new_files.SLA)
    if not (sla.isascii() and sla.isdecimal() and 0 < int(sla) <= 24 * 60 * 60):
        raise SettingError(f"{sla!r} is no number of seconds: give a whole number from 1 to 86400")
    return Answers(end, result_id, pattern, entry, input_id, body, int(sla), route)


def _of_modules(lacking: list[str]) -> str:
    """What to do in a root whose modules declare all that could be listened to."""
    if not lacking:
        return "If a module of a registry declares it, write event_harness.tf by hand: docs/adopt.md"
    return f"Its modules have {', '.join(lacking)}: give the module of the end an output with that value"


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
