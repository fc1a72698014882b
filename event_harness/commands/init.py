"""The command init: writes what a first event test of a project needs; changes nothing that is there."""

import argparse
import difflib
import json
import os
import re
from pathlib import Path

from event_harness.commands import ini, init_questions, new_files, survey
from event_harness.commands.init_questions import Asker
from event_harness.commands.new_files import Answers
from event_harness.commands.options import root, settings
from event_harness.commands.survey import Place
from event_harness.errors import HarnessError, SettingError
from event_harness.machine import terminal
from event_harness.system.graph.model import Graph
from event_harness.terraform.configuration import Configuration


def run(options: argparse.Namespace) -> int:
    """Look at the system, ask for what can't be found out, show the new files, and write them."""
    project = (options.project or Path.cwd()).resolve()
    ask = Asker(yes=options.yes)
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
    for path in new:  # first: a directory that can't be made leaves no file behind
        path.parent.mkdir(parents=True, exist_ok=True)
    for path, text in new.items():
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    terminal.say(
        f"{len(new)} files were written. {new_files.where_ids_are(known)}. If your system passes the id on in"
        " another place, name that in the new files"
    )
    terminal.say(f"now add {lacking}, then run: pytest" if lacking else "now run: pytest")
    return 0


def _root(options: argparse.Namespace, ask: Asker) -> Path:
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

    def chosen() -> Path:
        """The directory that the user names."""
        answer = ask(f"which directory is the Terraform root? one of: {', '.join(names)}", names[0])
        if answer not in names:
            raise SettingError(f"{answer!r} is none of: {', '.join(names)}")
        return below[names.index(answer)]

    return ask.until_valid(chosen)


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


def _answers(options: argparse.Namespace, configuration: Configuration, ask: Asker) -> Answers:
    several = survey.several(configuration)
    if not several or options.no_deploy:
        _nowhere(configuration, survey.places(configuration), several)
    graph = _deployed(options)
    there = set(graph.nodes) if graph else set()
    found = survey.places(configuration, there)
    _nowhere(configuration, found, [] if graph else several)
    if graph:
        found = survey.named(graph, found)
    _say_what_has_no_listener(found, survey.without_output(configuration, there), [] if graph else several)
    ends = survey.ends(graph, found) if graph else []
    entries = survey.entries(graph, found) if graph else []
    valid, questions = ask.until_valid, init_questions
    listening = [place for place in found if place.listens]
    end = valid(lambda: questions.choose("where do results arrive?", listening, ends, ask))
    pattern = valid(lambda: questions.pattern_of(end, ask)) if end.type == "eventbridge" else {}
    where = f"where does a result at {end.name} carry the id of its input?"
    result_id = valid(lambda: questions.id_of(where, end, ask))
    found += [place for place in entries if place not in found]
    others = [place for place in entries or found if place != end]
    entry = valid(lambda: questions.choose("where do tests send inputs?", found, others, ask))
    route = valid(lambda: questions.route_of(entry, configuration, ask)) if entry.type == "http" else None
    event = None
    if entry.type == "eventbridge":
        event = questions.event_of(entry, survey.event(graph, entry.address) if graph else ("", ""), ask)
    key = survey.key(end, configuration)
    input_id = valid(lambda: questions.input_id(entry, end, result_id, route, key, ask))
    body = None if route and route[0] in questions.WITHOUT_BODY else questions.body(ask)
    sla = valid(lambda: questions.sla(ask, new_files.SLA))
    return Answers(end, result_id, pattern, entry, input_id, body, sla, route, event)


def _nowhere(configuration: Configuration, found: list[Place], several: list[str]) -> None:
    """Refuse a root in which no place can be listened to."""
    if any(place.listens for place in found):
        return
    rest = _of_modules(survey.without_output(configuration))
    if several:
        rest += f". Only a deployed copy tells the instances of {', '.join(several)}"
    raise SettingError(
        f"{configuration.directory} declares nothing to listen to: a bucket, queue, topic, event bus, "
        f"stream, or table with stream_enabled. {rest}"
    )


def _say_what_has_no_listener(found: list[Place], lacking: list[str], several: list[str]) -> None:
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
    if several:
        terminal.say(
            f"only a deployed copy tells the instances of {', '.join(several)}, so none of them is offered"
        )


def _of_modules(lacking: list[str]) -> str:
    """What to do in a root whose modules declare all that could be listened to."""
    if not lacking:
        return "If a module of a registry declares it, write event_harness.tf by hand: docs/adopt.md"
    return f"Its modules have {', '.join(lacking)}: give the module of the end an output with that value"


def _deployed(options: argparse.Namespace) -> Graph | None:
    """How events pass through a copy of the system; None if it is not or can't be deployed."""
    if options.no_deploy:
        return None
    _, rootdir = settings(options)
    asked, _ = settings(options, target="local", root=os.path.relpath(root(options).resolve(), rootdir))
    terminal.say("deploying a copy to a local AWS emulator for a moment, to see how events pass")
    try:
        return survey.deployed(asked, rootdir, terminal.say)
    except HarnessError as error:
        terminal.say(f"it can't be deployed, so you are asked instead: {error}")
        return None


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
