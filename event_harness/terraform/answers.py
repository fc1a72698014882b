"""`event-harness configure`: ask for each variable of a Terraform root and save the answers."""

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from event_harness.errors import ConfigurationError, SettingError
from event_harness.machine import terminal
from event_harness.machine.cache import write_atomically
from event_harness.machine.writable import why_unwritable
from event_harness.terraform import hcl
from event_harness.terraform.configuration import Configuration, Variable

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_ARGUMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)\s*=\s*(.*)")
# How a value of a type looks like at its start.
_OPENING = {"list": "[", "set": "[", "tuple": "[", "map": "{", "object": "{"}


def configure(
    root: Path,
    save: Path,
    *,
    ask: Callable[[str], str],
    ask_secretly: Callable[[str], str],
    formatted: Callable[[str], str],
    say: Callable[[str], None] = terminal.say,
) -> None:
    """Ask for each variable; Enter takes the value in brackets: the saved answer, or the default.

    The file of answers has mode 0600. Saved values of variables that the root doesn't have are kept.

    Args:
        root: the Terraform root.
        save: the *.tfvars file to write; the answers in it are offered again.
        ask: asks one question and returns the answer.
        ask_secretly: does the same without showing the answer, for sensitive variables.
        formatted: formats a text as `terraform fmt` does.
        say: prints a line.

    Raises:
        ConfigurationError: the root can't be read.
        SettingError: nobody can answer, or the answers can't be saved.
    """
    why = why_unwritable(save)
    if not why and not os.access(save.absolute().parent, os.W_OK):
        why = f"permission denied in {save.absolute().parent}"
    if why:
        raise SettingError(f"{save} can't be written: {why}; save the answers elsewhere: --save FILE.tfvars")
    saved = _saved(save)
    configuration = Configuration.read(root)
    if configuration.broken:
        raise ConfigurationError(
            f"{configuration.broken[0]} is not valid, so its variables are unknown; correct it:"
            " event-harness validate shows Terraform's diagnostic"
        )
    lines = []
    for variable in configuration.variables.values():
        offered = saved.pop(variable.name, variable.default)
        say(f"\n{variable.description}")
        answer = _answer(variable, offered, ask_secretly if variable.sensitive else ask, say)
        # A default stays a default: what the environment says (TF_VAR_*) can still take its place.
        lines.append(_line(variable.name, answer, comment=answer == variable.default))
    lines += [_line(name, value, comment=False) for name, value in saved.items()]
    write_atomically(save, formatted("".join(lines)), mode=0o600)
    say(f"\nsaved to {save}")


def _line(name: str, value: str, *, comment: bool) -> str:
    text = f"{name} = {value}"
    return "".join(f"# {line}\n" for line in text.split("\n")) if comment else f"{text}\n"


def _answer(
    variable: Variable, offered: str | None, ask: Callable[[str], str], say: Callable[[str], None]
) -> str:
    brackets = "required" if offered is None else "sensitive" if variable.sensitive else offered
    while True:
        try:
            answer = ask(f"{variable.name} [{brackets}]: ").strip()
        except EOFError:
            raise SettingError(
                f"no answer for {variable.name}: there is no terminal; write the *.tfvars file yourself"
            ) from None
        if not answer:
            if offered is not None:
                return offered
            say(f"{variable.name} has no default and must be given")
        elif variable.type == "string" and not _quoted(answer) and answer != "null":
            return quoted(answer)
        elif _is_value_of(answer, variable.type):
            return answer
        else:
            shown = "the answer" if variable.sensitive else answer
            say(f"{shown} is not a Terraform value of type {variable.type}{_hint(variable.type)}")


def quoted(text: str) -> str:
    """Write a text as a string of Terraform, in which nothing of it is a template or an escape sequence."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    written = "".join(
        escapes.get(char) or (char if char.isprintable() else f"\\U{ord(char):08X}") for char in text
    )
    return '"' + written.replace("${", "$${").replace("%{", "%%{") + '"'


def _quoted(answer: str) -> bool:
    return len(answer) > 1 and answer[0] == answer[-1] == '"' and _is_value(answer)


def _is_value_of(text: str, type_: str) -> bool:
    """Whether a text is a value of a type: exact for the simple types, else as far as its brackets tell."""
    kind = type_.partition("(")[0].strip()
    if text == "null":
        return True
    if kind == "string":
        return _quoted(text)
    if kind == "bool":
        return text in ("true", "false")
    if kind == "number":
        return _NUMBER.fullmatch(text) is not None
    return text.startswith(_OPENING.get(kind, "")) and _is_value(text)


def _hint(type_: str) -> str:
    kind = type_.partition("(")[0].strip()
    hints = {
        "bool": ": answer true or false",
        "number": ": answer with digits, such as 5",
        "any": ": write a text in quotes",
    }
    if kind in _OPENING:
        return ': write it like ["a", "b"]' if _OPENING[kind] == "[" else ': write it like { name = "value" }'
    return hints.get(kind, "")


def _is_value(text: str) -> bool:
    try:
        return set(hcl.parsed(f"value = {text}\n")) == {"value"}
    except hcl.UnreadableError:
        return False


def _saved(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} can't be read: {error}; save the answers elsewhere") from error
    return dict(_arguments(path, text.splitlines()))


def _arguments(path: Path, lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    """The arguments of a file; a value ends with the first line with which it is a whole value."""
    name, value = "", ""
    for line in lines:
        if name:
            value += f"\n{line}"
        elif match := _ARGUMENT.fullmatch(line.strip()):
            name, value = match.groups()
        if name and _is_value(value):
            yield name, value.strip()
            name = ""
    if name:
        raise SettingError(
            f"{path}: the value of {name} is not valid; correct it, or save the answers elsewhere"
        )
