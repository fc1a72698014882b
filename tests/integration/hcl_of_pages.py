"""The HCL of the pages, as modules that Terraform can validate."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
LISTENER = "modules/event_listener/README.md"
# docs/adopt.md is a project of its own: its blocks are titled.
_BLOCK = re.compile(r"^( *)```hcl\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_SOURCE = re.compile(r'"(?:git::[^"]*//modules|\.\.)/(\w+)(?:\?ref=[^"]*)?"')
_REFERENCE = re.compile(r"\b((?:data\.)?aws_\w+)\.(\w+)\.")
# What a resource that a page only refers to must have.
ARGUMENTS = {
    "aws_cloudwatch_event_bus": 'name = "a"',
    "aws_dynamodb_table": (
        'name = "a"\n  hash_key = "id"\n  billing_mode = "PAY_PER_REQUEST"\n'
        '  attribute {\n    name = "id"\n    type = "S"\n  }'
    ),
    "aws_kinesis_stream": 'name = "a"\n  shard_count = 1',
    "aws_lambda_function": (
        'function_name = "a"\n  role = "arn:aws:iam::123456789012:role/a"\n  runtime = "python3.13"\n'
        '  handler = "a.b"\n  filename = "a.zip"'
    ),
}
SWITCH = 'variable "deploy_test_resources" {\n  type = bool\n  default = false\n}\n'


def pages() -> list[Path]:
    """Every page but the changelog, which tells what was."""
    found = [
        page
        for area in ("*.md", "docs/**/*.md", "modules/*/*.md", "examples/*/*.md", "demo/*.md")
        for page in sorted(ROOT.glob(area))
    ]
    return [page for page in found if page.name != "CHANGELOG.md"]


def blocks_of(page: Path) -> list[str]:
    """The blocks of HCL of a page."""
    found = _BLOCK.findall(page.read_text(encoding="utf-8"))
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def write_modules(directory: Path) -> list[str]:
    """Write each block as a module that has what the block refers to, and a root that calls them all.

    Args:
        directory: The root.

    Returns:
        The names of the modules.
    """
    first = blocks_of(ROOT / LISTENER)[
        0
    ]  # the call of the listener that the other blocks of its README belong to
    names = []
    for number, block in enumerate(block for page in pages() for block in blocks_of(page)):
        if re.match(r"\w+ = ", block):  # arguments of the listener
            text = first.replace("  sources = {", f"{block}\n  sources = {{", 1)
        else:
            text = block if "module." not in block or "module " in block else f"{first}\n{block}"
        text = _SOURCE.sub(rf'"{ROOT}//modules/\1"', text)
        declared = set(re.findall(r'^(?:resource|data) "(\w+)" "(\w+)"', text, re.MULTILINE))
        for type_, name in sorted(set(_REFERENCE.findall(text))):
            kind, bare = ("data", type_[5:]) if type_.startswith("data.") else ("resource", type_)
            if (bare, name) not in declared:
                text += f'\n{kind} "{bare}" "{name}" {{\n  {ARGUMENTS.get(bare, "")}\n}}\n'
        folder = directory / f"page_{number}"
        folder.mkdir()
        (folder / "main.tf").write_text(f"{SWITCH}\n{text}", encoding="utf-8")
        names.append(folder.name)
    calls = "\n".join(f'module "{name}" {{\n  source = "./{name}"\n}}\n' for name in names)
    (directory / "pages.tf").write_text(calls, encoding="utf-8")
    return names
