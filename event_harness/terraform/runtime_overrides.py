"""What an override file must say so that a module names only Lambda runtimes that a provider knows."""

import json
import re
from collections.abc import Iterable
from typing import Any

from event_harness.terraform import hcl
from event_harness.terraform.configuration import Configuration

_RUNTIME = re.compile(r"(?P<language>nodejs|python|java|dotnet|go|ruby|provided)[\w.-]*")
# Where runtimes are named: one of a function, several of a layer.
_ATTRIBUTES = {"aws_lambda_function": "runtime", "aws_lambda_layer_version": "compatible_runtimes"}


class StandIns:
    """Replaces the runtimes that a provider doesn't know.

    Args:
        known: the runtimes that it knows.

    Attributes:
        newest: the newest runtime of each language, by language.
        said: what was replaced, in words; each once.
    """

    def __init__(self, known: Iterable[str]) -> None:
        self._known = tuple(known)
        self.newest = newest_of_each_language(self._known)
        self.said: dict[str, None] = {}

    def override(self, module: Configuration) -> dict[str, Any]:
        """The resources of a module that need other runtimes; empty if none does."""
        found: dict[str, Any] = {}
        for (type_, name), body in module.blocks("resource", 2):
            attribute = _ATTRIBUTES.get(type_, "")
            if (given := body.get(attribute)) and (replaced := self._replaced(given)) is not None:
                found.setdefault(type_, {})[name] = {attribute: replaced}
        return {"resource": found} if found else {}

    def _replaced(self, given: Any) -> Any:
        """A runtime or a list of them without those that the provider doesn't know; None if it knows all."""
        if isinstance(given, list):
            replaced = [self._replaced(one) if isinstance(one, str) else None for one in given]
            if not any(replaced):
                return None
            return [new or _quoted(old) for old, new in zip(given, replaced, strict=True)]
        if not isinstance(given, str):
            return None
        if literal := _RUNTIME.fullmatch(given):
            if given in self._known or literal["language"] not in self.newest:
                return None
            replacement = self.newest[literal["language"]]
            self.said[f"{replacement} stands in for {given}"] = None
            return replacement
        if re.fullmatch(r"[\w-]*", given):
            return None  # a name that no provider knows
        self.said["a newer runtime gets the newest of its language"] = None
        return self._expression(_as_expression(given))

    def _expression(self, given: str) -> str:
        """An expression of Terraform's for one runtime, or for a list of them."""
        return (
            f"${{try(tolist([for runtime in ({given}) : {self._of_one('runtime')}]), "
            f"{self._of_one(f'({given})')})}}"
        )

    def _of_one(self, runtime: str) -> str:
        language = f'regex("^(?:{"|".join(self.newest)})", {runtime})'
        stand_in = f"lookup({json.dumps(self.newest)}, {language}, {runtime})"
        # `try` is for a runtime that is null (an image) or of a language without a stand-in.
        return f"try(contains({json.dumps(self._known)}, {runtime}) ? {runtime} : {stand_in}, {runtime})"


def newest_of_each_language(known: Iterable[str]) -> dict[str, str]:
    """The newest runtime of each language, by language: {"python": "python3.8", …}."""
    newest: dict[str, str] = {}
    for runtime in known:
        if not (match := _RUNTIME.fullmatch(runtime)) or runtime.endswith("-edge"):
            continue
        language = match["language"]
        if language not in newest or _version(runtime) > _version(newest[language]):
            newest[language] = runtime
    return newest


def _version(runtime: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", runtime)]


def _as_expression(text: str) -> str:
    """The text of an expression; the parser has removed the quotes around a template."""
    try:
        hcl.parsed(f"runtime = {text}\n")
    except hcl.UnreadableError:
        return f'"{text}"'
    return text


def _quoted(text: str) -> str:
    """An element of a list that stays as it is, as a value of Terraform's JSON."""
    if _RUNTIME.fullmatch(text) or re.fullmatch(r"[\w-]*", text):
        return text
    return f"${{{_as_expression(text)}}}"
