"""Terraform's configuration language, read by HashiCorp's own parser.

The parser (pygohcl) tells blocks, arguments and constant values exactly. Of an expression it returns a text
that has lost quotes and markers. So where an expression must be written again, its source text is found here:
the shortest text that the parser accepts as a whole.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from event_harness.errors import HarnessError

Body = Mapping[str, Any]


class UnreadableError(HarnessError):
    """A file isn't valid; Terraform's own diagnostic says why."""


def read(file: Path) -> Body:
    """The blocks of a file: kind -> label -> body; where several blocks have the same labels, a list.

    Raises:
        UnreadableError: the file can't be read, or isn't valid.
    """
    try:
        if file.suffix == ".json":
            content = json.loads(file.read_text(encoding="utf-8-sig"))
            return content if isinstance(content, dict) else {}
        return parsed(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableError(f"{file}: {error}") from error


def parsed(text: str) -> Body:
    """The blocks and arguments of a text in native syntax.

    Raises:
        UnreadableError: it isn't valid.
    """
    content: Body = json.loads(_as_json(text))  # nobody shares what he gets
    return content


@lru_cache(maxsize=500)
def _as_json(text: str) -> str:
    """A text in JSON. A deployment reads the same few files again and again."""
    import pygohcl

    try:
        return json.dumps(pygohcl.loads(text, keep_interpolations=True))
    except (pygohcl.HCLParseError, pygohcl.HCLInternalError) as error:
        raise UnreadableError(str(error)) from error


def labelled(tree: Any, labels: int) -> Iterator[tuple[tuple[str, ...], Body]]:
    """Every body below a kind of block, with its labels. Takes both syntaxes, JSON in all its forms.

    Args:
        tree: what `read` has returned under the block's kind.
        labels: how many labels that kind has.
    """

    def below(node: Any, found: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Body]]:
        """The labels and bodies of the blocks below a node."""
        if isinstance(node, list):
            for one in node:
                yield from below(one, found)
        elif isinstance(node, Mapping):
            if len(found) == labels:
                yield found, node
            else:
                for label, inner in node.items():
                    if label != "//":  # a comment in JSON syntax
                        yield from below(inner, (*found, label))

    yield from below(tree, ())


def block_texts(text: str, kind: str, *labels: str) -> list[str]:
    """The source text of each block of a kind, in native syntax.

    Args:
        text: of a file, or of what stands between a block's braces.
        kind: of the blocks.
        labels: all their labels.
    """
    named = "".join(rf'(?:\s*"{re.escape(label)}"|\s+{re.escape(label)}(?=[\s{{"]))' for label in labels)
    start = re.compile(rf"(?<![\w.-]){re.escape(kind)}{named}\s*{{")
    depth = len(labels)
    expected = [body for its, body in labelled(_or_empty(text).get(kind, {}), depth) if its == labels]
    found: list[str] = []
    at = 0
    while match := start.search(text, at):
        at = match.end()
        block = _shortest(text, match.start(), "}", inclusive=True)
        # A comment or a heredoc may hold a block, too.
        if block and next(labelled(parsed(block)[kind], depth))[1] in expected:
            found.append(block)
            at = match.start() + len(block)
    return found


def inside(block: str) -> str:
    """What stands between the braces of a block's text."""
    return block[block.index("{") + 1 : block.rindex("}")] + "\n"


def expression_text(body: str, name: str) -> str | None:
    """The source text of an argument's expression; None if there is no such argument.

    Args:
        body: what stands between a block's braces.
        name: of the argument, which isn't looked for in the blocks inside.
    """
    arguments = _or_empty(body)
    if name not in arguments:
        return None
    for match in re.finditer(rf"(?<![\w.-]){re.escape(name)}\s*=(?!=)", body):
        for end in ("\n", "}"):
            text = _shortest(body, match.end(), end, before="x =")
            if text is not None and parsed(f"x ={text}\n")["x"] == arguments[name]:
                return _without_last_comment(text.strip(), arguments[name])
    return None


def _without_last_comment(text: str, value: Any) -> str:
    """An expression without a comment behind it."""
    for comment in re.finditer(r"\s*(#|//|/\*)", text):
        shorter = text[: comment.start()]
        if shorter and _or_empty(f"x = {shorter}\n").get("x") == value:
            return shorter
    return text


def expression(value: Any) -> str:
    """A constant value as an expression in native syntax."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
    if isinstance(value, Mapping):
        pairs = [f"{object_key(key)} = {expression(one)}" for key, one in value.items()]
        return "{ " + ", ".join(pairs) + " }" if pairs else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(map(expression, value)) + "]"
    return json.dumps(value)


def from_json(value: Any) -> str:
    """What stands in JSON syntax, where each text is a template, as an expression in native syntax."""
    if isinstance(value, str):
        return _from_template(value)
    if isinstance(value, Mapping):
        pairs = [f"({from_json(key)}) = {from_json(one)}" for key, one in value.items() if key != "//"]
        return "{\n" + "\n".join(pairs) + "\n}"
    if isinstance(value, list):
        return "[" + ", ".join(map(from_json, value)) + "]"
    return json.dumps(value)


def _from_template(text: str) -> str:
    if "${" not in text and "%{" not in text:
        return expression(text)
    whole = text[2:-1].strip() if text.startswith("${") and text.endswith("}") else ""
    if whole and "x" in _or_empty(f"x = {whole}\n"):
        return f"(\n{whole}\n)"
    # Nothing is escaped in a heredoc, but it ends with a line break that the text has not.
    return f'trimsuffix(<<EVENT_HARNESS\n{text}\nEVENT_HARNESS\n, "\\n")'


def object_key(name: str) -> str:
    """The key of an object in native syntax, quoted where it is no identifier."""
    return name if re.fullmatch(r"[^\W\d][\w-]*", name) else expression(name)


def _shortest(text: str, start: int, end: str, *, before: str = "", inclusive: bool = False) -> str | None:
    """The shortest text from `start` up to an `end` that the parser accepts as a whole."""
    for match in re.finditer(re.escape(end), text[start:]):
        piece = text[start : start + (match.end() if inclusive else match.start())]
        try:
            if parsed(f"{before}{piece}\n") and piece.strip():
                return piece
        except UnreadableError:
            continue
    return None


def _or_empty(text: str) -> Body:
    try:
        return parsed(text)
    except UnreadableError:
        return {}
