"""The pages of the reference that the code itself writes."""

import inspect
import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import event_harness
from event_harness import fixtures
from event_harness.commands.parser import build
from event_harness.settings import SETTINGS


def pages(root: Path) -> dict[str, tuple[str, str]]:
    """Each generated page: file on the site -> its title and its text."""
    made = {
        "generated/settings.md": ("Settings", _settings()),
        "generated/fixtures.md": ("Fixtures", _fixtures()),
        "generated/command-line.md": ("Command line", _commands()),
        "generated/api.md": ("API", _api()),
    }
    for module in sorted((root / "modules").iterdir()):
        if (module / "variables.tf").is_file():
            name = f"Inputs and outputs of {module.name}"
            made[f"generated/module-{module.name}.md"] = (name, _module(module))
    return {path: (title, f"# {title}\n\n{text}") for path, (title, text) in made.items()}


def _settings() -> str:
    cells = (
        (f"`{one.option}`<br>`{one.variable}`<br>`{one.ini}`", _default(one.default), one.help)
        for one in SETTINGS
    )
    rows = [f"| {' | '.join(map(_cell, row))} |" for row in cells]
    head = "| option, environment, ini file | default | meaning |\n|---|---|---|\n"
    return (
        f"An option wins over the environment, and that over the ini file.\n\n{head}" + "\n".join(rows) + "\n"
    )


def _default(value: Any) -> str:
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`" if value else ""


def _fixtures() -> str:
    found = {
        name: value
        for name, value in vars(fixtures).items()
        if type(value).__name__ == "FixtureFunctionDefinition"
    }
    return "\n".join(f"## `{name}`\n\n{inspect.getdoc(found[name])}\n" for name in sorted(found))


def _commands() -> str:
    parser = build()
    commands: Any = next(action.choices for action in parser._actions if action.dest == "command")
    texts = {"event-harness": parser.format_help()} | {
        f"event-harness {name}": command.format_help() for name, command in commands.items()
    }
    return "\n".join(f"## `{name}`\n\n```text\n{text.rstrip()}\n```\n" for name, text in texts.items())


def _api() -> str:
    classes = (getattr(event_harness, name) for name in event_harness.__all__)
    return "\n".join(f"::: {one.__module__}.{one.__qualname__}\n" for one in classes)


def _module(directory: Path) -> str:
    """Inputs and outputs in the format "markdown document" of terraform-docs: a type may take many lines."""
    inputs = sorted(_blocks(directory / "variables.tf", "variable").items())
    required = [_input(name, one) for name, one in inputs if "default" not in one]
    optional = [_input(name, one) for name, one in inputs if "default" in one]
    outputs = [
        f"### `{name}`\n\nDescription: {_text(one.get('description', ''))}\n"
        for name, one in sorted(_blocks(directory / "outputs.tf", "output").items())
    ]
    sections = {"Required Inputs": required, "Optional Inputs": optional, "Outputs": outputs}
    return "\n".join(f"## {title}\n\n" + "\n".join(parts) for title, parts in sections.items() if parts)


def _input(name: str, one: dict[str, str]) -> str:
    parts = [f"### `{name}`", f"Description: {_text(one.get('description', ''))}"]
    parts.append(f"Type:{_value(one.get('type', 'any'))}")
    if "default" in one:
        parts.append(f"Default:{_value(one['default'])}")
    return "\n\n".join(parts) + "\n"


def _value(written: str) -> str:
    """A type or a default: in the line if it has one, else in a block."""
    lines = written.splitlines()
    if len(lines) == 1:
        return f" `{written}`"
    others = textwrap.dedent("\n".join(lines[1:]))  # the first line stands behind the argument's name
    return f"\n\n```hcl\n{lines[0]}\n{others}\n```"


def _blocks(file: Path, kind: str) -> dict[str, dict[str, str]]:
    """The arguments of each block of a kind, as they are written. `terraform fmt` has formatted the file."""
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    blocks = re.findall(rf'^{kind} "(\w+)" \{{\n(.*?)^\}}', text, re.MULTILINE | re.DOTALL)
    return {name: dict(_arguments(body)) for name, body in blocks}


def _arguments(body: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"^(?=  \w+ *[={])", body, flags=re.MULTILINE):
        if match := re.match(r"  (\w+) *= (.*)", part, re.DOTALL):
            yield match[1], match[2].strip()


def _text(written: str) -> str:
    """A description: a string, or a heredoc, which is Markdown."""
    heredoc = re.fullmatch(r"<<-?\w+\n(.*)\n\s*\w+", written, re.DOTALL)
    if heredoc:  # the site's Markdown wants four spaces in an item
        return re.sub(r"^ {2}(?=\S)", "    ", textwrap.dedent(heredoc[1]), flags=re.MULTILINE)
    return str(json.loads(written or '""'))


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")
