"""`event-harness configure`: ask for each variable of a Terraform root and save the answers."""

import json
from collections.abc import Callable
from pathlib import Path

import hcl2

from event_harness.errors import SettingError
from event_harness.machine.writable import why_unwritable
from event_harness.terraform.configuration import Configuration, Variable


def configure(
    root: Path, save: Path, *, ask: Callable[[str], str] = input, say: Callable[[str], None] = print
) -> None:
    """Ask for each variable; Enter takes what stands in brackets: the saved answer, or the default.

    Args:
        root: the Terraform root.
        save: the *.tfvars file to write; answers that it holds are offered again.
        ask: asks one question and returns the answer.
        say: prints a line.

    Raises:
        ConfigurationError: the root can't be read.
        SettingError: there is nobody to ask, or the answers can't be saved.
    """
    if why := why_unwritable(save):
        raise SettingError(f"{save} can't be written: {why}; save the answers elsewhere: --save FILE.tfvars")
    saved = _saved(save)
    lines = []
    for variable in Configuration.read(root).variables.values():
        offered = saved.get(variable.name, variable.default)
        say(f"\n{variable.description}")
        answer = _answer(variable, offered, ask, say)
        # A default stays a default: what the environment says (TF_VAR_*) can still take its place.
        lines.append(f"{'# ' if answer == variable.default else ''}{variable.name} = {answer}\n")
    save.write_text("".join(lines), encoding="utf-8")
    say(f"\nsaved to {save}")


def _answer(
    variable: Variable, offered: str | None, ask: Callable[[str], str], say: Callable[[str], None]
) -> str:
    brackets = "required" if offered is None else offered
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
        elif variable.type == "string" and not answer.startswith('"'):
            return json.dumps(answer)
        elif _is_value(answer):
            return answer
        else:
            say(f"{answer} is not a Terraform value of type {variable.type}")


def _is_value(text: str) -> bool:
    try:
        hcl2.loads(f"value = {text}\n")
    except Exception:  # the parser's errors share no base class of their own
        return False
    return True


def _saved(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} can't be read: {error}; save the answers elsewhere") from error
    lines = [line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#")]
    return {name.strip(): value.strip() for name, _, value in lines}
