"""Input variables whose value is certain without terraform: given by the harness, or a constant default."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from event_harness.terraform import hcl
from event_harness.terraform.configuration import Configuration

_A_VARIABLE = re.compile(r"var\.([^\W\d][\w-]*)")
_FILES = ("terraform.tfvars", "terraform.tfvars.json")
_AUTO = (".auto.tfvars", ".auto.tfvars.json")


def constant_of(
    expression: str, configuration: Configuration, given: Mapping[str, Any], *, elsewhere: Iterable[str] = ()
) -> str:
    """The constant that an expression is, if it is nothing but a variable with a certain text; else itself.

    Args:
        expression: in native syntax.
        configuration: declares the variables.
        given: the variables that stand on the command line, which count before all else.
        elsewhere: what else may set variables.
    """
    match = _A_VARIABLE.fullmatch(expression.strip())
    variable = configuration.variables.get(match[1]) if match else None
    if variable is None or variable.type not in ("string", "${string}"):
        return expression
    if variable.name in given:
        value = given[variable.name]
        return hcl.expression(value) if isinstance(value, str) else expression
    if variable.default is None or list(elsewhere):
        return expression
    return variable.default


def set_elsewhere(configuration: Configuration, environ: Mapping[str, str]) -> Iterator[str]:
    """What may set variables besides the command line: files that terraform loads, and its environment."""
    yield from (name for name in environ if name.startswith("TF_VAR_"))
    for path in configuration.directory.iterdir():
        if path.name in _FILES or path.name.endswith(_AUTO):
            yield path.name
