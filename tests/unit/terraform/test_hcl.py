import pytest

from event_harness.terraform import hcl

PROVIDERS = """
# provider "aws" { default_tags { tags = { old = 1 } } }
provider "aws" {
  region = var.region # }
  assume_role {
    tags = { wrong = "place" }
  }
  default_tags {
    tags = merge({ (var.team) = "v" }, local.tags) # as agreed
  }
}
provider aws {
  alias = "us"
  default_tags {
    tags = {
      (var.team) = "v${~ var.x ~}w $${y} %%{z}"
      "a b" = <<-EOT
        text with a } and ${var.x}
      EOT
      c = { for k in ["a"] : k => 1 }["a"]
      d = (
        # why
        true
        ? "x" : "y")
    }
  }
}
provider "awscc" {
  region = "x"
}
"""


def tags_of(block):
    (tags,) = hcl.block_texts(hcl.inside(block), "default_tags")
    return hcl.expression_text(hcl.inside(tags), "tags")


def test_each_block_of_a_kind_and_label_is_found_in_the_source():
    found = hcl.block_texts(PROVIDERS, "provider", "aws")
    assert [hcl.parsed(block)["provider"]["aws"].get("alias") for block in found] == [None, "us"]
    assert "".join(found) in PROVIDERS.replace("}\nprovider aws", "}provider aws")


def test_expression_is_found_as_it_was_written():
    first, second = hcl.block_texts(PROVIDERS, "provider", "aws")
    assert tags_of(first).startswith('merge({ (var.team) = "v" }, local.tags)')
    assert tags_of(second) in PROVIDERS
    assert tags_of(second).endswith('? "x" : "y")\n    }')
    assert hcl.expression_text(hcl.inside(first), "region").startswith("var.region")


def test_argument_of_a_block_inside_is_not_taken_for_one_of_the_block():
    block = 'assume_role {\n  tags = "no"\n}\ntags = "yes"\n'
    assert hcl.expression_text(block, "tags") == '"yes"'
    assert hcl.expression_text("assume_role {\n  tags = 1\n}\n", "tags") is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a ${b} %{c}", '"a $${b} %%{c}"'),
        ({"a-b": 1, "c d": [True, None]}, '{ a-b = 1, "c d" = [true, null] }'),
        ({}, "{}"),
        (1.5, "1.5"),
    ],
)
def test_constant_is_written_as_an_expression(value, text):
    assert hcl.expression(value) == text
    assert hcl.parsed(f"x = {text}\n")


@pytest.mark.parametrize(
    ("template", "holds"),
    [
        ("plain", '"plain"'),
        ("${var.tags}", "(\nvar.tags\n)"),
        ('a "${var.m["k"]}"\nb', '\na "${var.m["k"]}"\nb\n'),
        ("${var.a}${var.b}", "\n${var.a}${var.b}\n"),
        ("%{ if var.a }x%{ endif }", "\n%{ if var.a }x%{ endif }\n"),
    ],
)
def test_template_of_json_syntax_becomes_a_valid_expression(template, holds):
    text = hcl.from_json({"${var.key}": template, "//": "a comment"})
    assert list(hcl.parsed(f"x = merge({text}, {{}})\n")) == ["x"]
    assert "var.key" in text
    assert holds in text
    assert "comment" not in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"us-east-1"  # change it', '"us-east-1"'),
        ('"us-east-1" // change it', '"us-east-1"'),
        ('"us-east-1" /* change it */', '"us-east-1"'),
        ('"a#b" # c', '"a#b"'),
        ('"a#b"', '"a#b"'),
        ('[\n  "a", # one\n] # two', '[\n  "a", # one\n]'),
        ('var.region # "x"', "var.region"),
    ],
)
def test_a_comment_behind_an_expression_is_no_part_of_it(text, expected):
    assert hcl.expression_text(f"region = {text}\n", "region") == expected
