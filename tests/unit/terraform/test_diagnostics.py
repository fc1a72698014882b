"""Errors as terraform prints them, with and without frames."""

from event_harness.terraform.diagnostics import errors, summary

BOXED = (
    "╷\n│ Error: Invalid value for variable\n│ \n│   on main.tf line 3:\n│    3: x = 1\n│ \n"
    "│ region must be a region.\n│ \n╵\n"
)


def test_summary_says_each_error_once_with_its_place():
    said = summary(BOXED + BOXED)
    assert said == "Invalid value for variable: region must be a region. (main.tf line 3)"


def test_summary_of_something_else_is_its_end():
    assert summary("panic: oh no\n") == "panic: oh no"
    assert summary("") == "no message"


def test_text_of_an_error_leaves_out_the_source_that_terraform_shows():
    (error,) = errors(BOXED)
    assert error.text == "Invalid value for variable on main.tf line 3: region must be a region."
    assert error.place == "main.tf line 3"


def test_error_of_a_data_source_is_recognised_in_the_root_and_in_a_module():
    text = "Error: no\n\n  with {},\n  on main.tf line 1, in x:\n   1: x\n"
    for address in ("data.aws_ssm_parameter.x", "module.a.data.aws_ssm_parameter.x"):
        assert errors(text.format(address))[0].data
    assert not errors(text.format("aws_sqs_queue.data"))[0].data


def test_error_in_a_file_is_told_with_its_place_and_without_the_preface_of_init():
    text = (
        "\nError: Terraform encountered problems during initialisation, including problems\n"
        "with the configuration, described below.\n\nThe Terraform configuration must be valid.\n\n\n"
        'Error: Missing name for resource\n\n  on my file.tf line 3, in resource "x":\n'
        '   3: resource "x" {{\n\n'
        "All resource blocks must have 2 labels (type, name).\n"
    )
    assert summary(text) == (
        "Missing name for resource: All resource blocks must have 2 labels (type, name). (my file.tf line 3)"
    )
