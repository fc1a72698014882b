"""The test resources are behind one gate, and what is before it knows nothing of them."""

import re

from terraform_files import REPOSITORY, declarations, of_kind, strings

HARNESS = re.compile(
    r"event_listener|event-listener|event_harness|deploy_test_resources|module\.event_listener"
)
SUT_MODULES = ("modules/text_processor/", "modules/lambda_function/", "modules/private_bucket/")


def test_the_gate_is_shut_by_default() -> None:
    (gate,) = [one for one in of_kind("variable", ".") if one.name == "deploy_test_resources"]
    assert gate.body["default"] is False
    assert gate.body["type"] in ("bool", "${bool}")


def test_the_gate_has_one_door() -> None:
    """The variable is used once: as the count of the listener's module."""
    uses = [
        f"{one}: {text}"
        for one in declarations(".")
        for text in strings(one.body)
        if "var.deploy_test_resources" in text
    ]
    assert uses == ["main.tf: module.event_listener: ${var.deploy_test_resources ? 1 : 0}"]


def test_only_the_output_of_the_harness_names_the_listener() -> None:
    naming = [
        str(one)
        for one in declarations(".")
        if any("module.event_listener" in text for text in strings(one.body))
    ]
    assert naming == ["outputs.tf: output.event_harness"]


def test_the_system_under_test_does_not_mention_its_tests() -> None:
    bad = [
        f"{file.relative_to(REPOSITORY)}:{number}: {line.strip()}"
        for module in SUT_MODULES
        for file in sorted((REPOSITORY / module).glob("*.tf"))
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if HARNESS.search(line)
    ]
    assert not bad, "\n".join(bad)
