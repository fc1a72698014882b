"""Which functions get their code from the bucket, and what their override says; terraform isn't run here."""

import pytest

from event_harness.terraform import code_overrides, hcl
from event_harness.terraform.configuration import Configuration
from event_harness.terraform.generated import CODE_OVERRIDE

FUNCTION = (
    'resource "aws_lambda_function" "f" {\n  function_name = "f"\n'
    "  filename = data.archive_file.a.output_path\n}\n"
)
BUCKET = "files"


@pytest.fixture
def override(tmp_path):
    """A function that writes the files of a module and returns the arguments that each function gets."""

    def make(**files):
        module = tmp_path / "d1" / "config"
        module.mkdir(parents=True)
        for name, text in files.items():
            (module / name.replace("__", ".")).write_text(text)
        text = code_overrides.override(Configuration.read(module), BUCKET, tmp_path / "d1" / "root")
        found = dict(hcl.labelled(hcl.parsed(text).get("resource", {}), 2)) if text else {}
        return {name: body for (_, name), body in found.items()}

    return make


def test_function_of_a_file_gets_it_from_the_bucket(override, tmp_path):
    found = override(main__tf=FUNCTION)["f"]
    assert found["filename"] is None
    assert found["s3_bucket"] == BUCKET
    assert "data.archive_file.a.output_path" in found["s3_key"]
    assert f"{tmp_path}/d1/root/" in found["s3_key"]


def test_literal_path_stays_a_text(override):
    found = override(main__tf=FUNCTION.replace("data.archive_file.a.output_path", '"lambda.zip"'))
    assert '"lambda.zip"' in found["f"]["s3_key"]


def test_path_in_json_syntax_stays_a_template(override):
    found = override(
        main__tf__json='{"resource": {"aws_lambda_function": {"f": {"filename": "${path.module}/a.zip"}}}}'
    )
    assert "${path.module}/a.zip" in found["f"]["s3_key"]


def test_override_file_of_the_user_counts(override):
    found = override(
        main__tf=FUNCTION, override__tf='resource "aws_lambda_function" "f" {\n  filename = var.built\n}\n'
    )
    assert "var.built" in found["f"]["s3_key"]
    assert "archive_file" not in found["f"]["s3_key"]


def test_function_that_may_come_from_elsewhere_decides_itself(override):
    """As modules do that take a package, an object or an image."""
    text = FUNCTION.replace(
        "  filename", "  s3_bucket = var.bucket\n  s3_key = var.key\n  image_uri = var.image\n  filename"
    )
    found = override(main__tf=text)["f"]
    assert "== null" in found["s3_bucket"]
    assert "var.bucket" in found["s3_bucket"]
    assert "var.key" in found["s3_key"]
    assert "image_uri" not in found


@pytest.mark.parametrize(
    "text",
    [
        'resource "aws_lambda_function" "f" {\n  image_uri = "x"\n}\n',
        'resource "aws_lambda_function" "f" {\n  s3_bucket = "b"\n  s3_key = "k"\n}\n',
        'resource "aws_lambda_function" "f" {\n  filename = null\n  image_uri = "x"\n}\n',
        'data "aws_lambda_function" "f" {\n  function_name = "x"\n}\n',
        '# resource "aws_lambda_function" "f" { filename = "x" }\n',
    ],
)
def test_nothing_is_said_of_other_functions(override, text):
    assert override(main__tf=text) == {}


@pytest.mark.parametrize(
    "use",
    [
        "aws_lambda_function.f.filename",
        "aws_lambda_function.f[0].filename",
        'aws_lambda_function.f["a"].s3_key',
        "aws_lambda_function.f[*].filename",
        "aws_lambda_function.f",
        "values(aws_lambda_function.f)[*].filename",
        "{ for key, one in aws_lambda_function.f : key => one.filename }",
        "{ for key, one in aws_lambda_function.f : key => one }",
        "[for one in aws_lambda_function.f : jsonencode(one)]",
    ],
)
def test_function_whose_file_may_be_read_keeps_it(override, use):
    assert override(main__tf=FUNCTION, outputs__tf=f'output "o" {{\n  value = {use}\n}}\n') == {}


@pytest.mark.parametrize(
    "use",
    [
        "aws_lambda_function.f.arn",
        "aws_lambda_function.f[0].arn",
        "aws_lambda_function.f[each.key].function_name",
        "aws_lambda_function.f[*].arn",
        "values(aws_lambda_function.f)[*].arn",
        "{ for key, one in aws_lambda_function.f : key => one.arn if one.timeout > 3 }",
        "[for one in aws_lambda_function.f : { name = one.function_name, arn = one.arn }]",
        "aws_lambda_function.f_other",
        "data.archive_file.a.filename",
    ],
)
def test_other_uses_do_not_count(override, use):
    text = (
        f'output "o" {{\n  value = {use}\n}}\n'
        'resource "null_resource" "n" {\n  depends_on = [aws_lambda_function.f, aws_x.y]\n}\n'
        "moved {\n  from = aws_lambda_function.old\n  to   = aws_lambda_function.f\n}\n"
    )
    assert list(override(main__tf=FUNCTION, more__tf=text)) == ["f"]


def test_function_that_reads_its_own_file_keeps_it(override):
    text = FUNCTION.replace(
        "}\n",
        "  lifecycle {\n    postcondition {\n      condition = fileexists(self.filename)\n"
        '      error_message = "x"\n    }\n  }\n}\n',
    )
    assert override(main__tf=text) == {}


def test_files_are_written_for_owned_modules_only_and_a_key_leads_back(tmp_path):
    directory, elsewhere = tmp_path / "d1", tmp_path / "elsewhere"
    (directory / "config").mkdir(parents=True)
    elsewhere.mkdir()
    for module in (directory / "config", elsewhere):
        (module / "main.tf").write_text(FUNCTION)
    (directory / "data" / "modules").mkdir(parents=True)
    (directory / "data" / "modules" / "modules.json").write_text(
        f'{{"Modules": [{{"Key": "", "Dir": "."}}, {{"Key": "m", "Dir": "{elsewhere}"}}]}}'
    )
    for _ in range(2):
        code_overrides.write(directory / "config", directory / "data", BUCKET)
    assert (directory / "config" / CODE_OVERRIDE).exists()
    assert not (elsewhere / CODE_OVERRIDE).exists()
    assert (directory / "root").resolve() == directory / "config"
    assert code_overrides.path_of(f"{directory}/root/./a.zip", directory) == "./a.zip"
    assert code_overrides.path_of("/built/a.zip", directory) == "/built/a.zip"
    assert code_overrides.path_of("a/key", directory) is None
