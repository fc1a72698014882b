"""Gives the functions of a deployment their code from a bucket rather than from `filename`.

hashicorp/aws makes functions from `filename` one after another, and each takes 5 s. Functions from a bucket
are made at the same time. The key is the path of the file: our emulator reads it (see `aws.code_bucket`).
Only a deployment's own copy gets the override files, and only for that emulator.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from event_harness.terraform import hcl, modules
from event_harness.terraform.configuration import Configuration
from event_harness.terraform.generated import CODE_OVERRIDE

ROOT = "root"
"""A link in the deployment's directory to the root of its view, so that a key stays when the view is made
again."""
_TYPE = "aws_lambda_function"
_GIVES_WAY = ("filename", "s3_bucket", "s3_key")
_OTHER_CODE = ("image_uri", "s3_bucket", "s3_key")
_ARGUMENTS = ("filename", *_OTHER_CODE)
# Where Terraform takes the address of a resource, not its value.
_ADDRESSES = re.compile(
    r"\b(?:depends_on|replace_triggered_by)\s*=\s*\[[^\]]*\]"
    rf"|\b(?:from|to)\s*=\s*{_TYPE}\.[\w-]+[ \t]*$",
    re.MULTILINE,
)
_OTHER_ATTRIBUTE = rf"\.(?!(?:{'|'.join(_GIVES_WAY)})\b)\w"


def write(configuration: Path, data_dir: Path, bucket: str, *, tofu: bool = False) -> None:
    """Write the override files of the root and of each module that the deployment owns, after init.

    Args:
        configuration: the root, in the deployment's own copy.
        data_dir: its TF_DATA_DIR, in the deployment's directory.
        bucket: the bucket whose keys are paths.
        tofu: whether OpenTofu will run.
    """
    directory = data_dir.resolve().parent
    link = directory / ROOT
    link.unlink(missing_ok=True)
    link.symlink_to(configuration.resolve().relative_to(directory), target_is_directory=True)
    for module in modules.directories(configuration, data_dir):
        text = override(Configuration.read(module, tofu=tofu), bucket, link)
        if text:
            (module / CODE_OVERRIDE).write_text(text, encoding="utf-8")


def path_of(key: str, directory: Path) -> str | None:
    """The `filename` that a key stands for; None if it is another key.

    Args:
        key: of the object with a function's code.
        directory: the deployment's directory.
    """
    prefix = f"{directory.resolve() / ROOT}/"
    if key.startswith(prefix):
        return key.removeprefix(prefix)
    return key if key.startswith("/") else None


def override(module: Configuration, bucket: str, root: Path) -> str:
    """What an override file of a module says; empty if no function is made from `filename`.

    A function whose `filename` is read elsewhere in the module keeps it.

    Args:
        module: the module.
        bucket: the bucket whose keys are paths.
        root: the root of the configuration, where a relative path starts.
    """
    text = "\n".join(file.read_text(encoding="utf-8-sig") for file in module.contents)
    read = re.search(r"\bself\.(filename|s3_bucket|s3_key)\b", text)
    return "".join(
        _block(name, arguments, bucket, root)
        for name, arguments in _functions(module)
        if not read and not _is_read(text, name)
    )


def _block(name: str, arguments: dict[str, str], bucket: str, root: Path) -> str:
    filename = f"(\n{arguments['filename']}\n)"
    relative = hcl.expression(f"{root}/")
    key = f'substr({filename}, 0, 1) == "/" ? {filename} : join("", [{relative}, {filename}])'
    values = {"s3_bucket": hcl.expression(bucket), "s3_key": key}
    if any(other in arguments for other in _OTHER_CODE):  # one of them is null, the configuration says which
        values = {
            argument: f"{filename} == null ? (\n{arguments.get(argument, 'null')}\n) : ({value})"
            for argument, value in values.items()
        }
    lines = "".join(f"  {argument} = {value}\n" for argument, value in values.items())
    return f'resource "{_TYPE}" "{name}" {{\n  filename = null\n{lines}}}\n'


def _functions(module: Configuration) -> Iterator[tuple[str, dict[str, str]]]:
    """The functions with a `filename`, and the expressions of what says where the code is."""
    bodies = [(name, body) for (kind, name), body in module.blocks("resource", 2) if kind == _TYPE]
    for name in dict.fromkeys(name for name, body in bodies if "filename" in body):
        found: dict[str, str] = {}
        for file, content in module.contents.items():  # override files last
            if file.suffix == ".json":
                for labels, body in hcl.labelled(content.get("resource", {}), 2):
                    if labels == (_TYPE, name):
                        found |= {one: hcl.from_json(body[one]) for one in _ARGUMENTS if one in body}
                continue
            for block in hcl.block_texts(file.read_text(encoding="utf-8-sig"), "resource", _TYPE, name):
                texts = {one: hcl.expression_text(hcl.inside(block), one) for one in _ARGUMENTS}
                found |= {one: text for one, text in texts.items() if text}
        if found.get("filename", "null") != "null":
            yield name, found


def _is_read(text: str, name: str) -> bool:
    """Whether a module's text may read an argument that gives way: it names one, or the function as a whole.

    Args:
        text: of the module's files.
        name: the function's.
    """
    text = _ADDRESSES.sub("", text)
    for match in re.finditer(rf"\b{_TYPE}\.{re.escape(name)}(?![\w-])", text):
        before, after = text[: match.start()], text[match.end() :]
        if re.match(rf"(?:\[[^\[\]\n]*\])?{_OTHER_ATTRIBUTE}", after):
            continue
        if re.match(rf"\)\[\*\]{_OTHER_ATTRIBUTE}", after):  # values(…)[*].arn
            continue
        each = re.search(r"\bfor\s+(?:\w+\s*,\s*)?(\w+)\s+in\s+$", before)
        if each and _only_other_attributes(_up_to_its_end(after), each[1]):
            continue
        return True
    return False


def _only_other_attributes(text: str, name: str) -> bool:
    """Whether a text reads only attributes of an object that stay."""
    return not re.search(rf"(?<![\w.-]){re.escape(name)}\b(?!{_OTHER_ATTRIBUTE})", text)


def _up_to_its_end(text: str) -> str:
    """The text up to the bracket that closes the one in which it starts."""
    depth = 0
    for at, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth < 0:
            return text[:at]
    return text
