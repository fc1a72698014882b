"""Every command that a page names, in a block or within a sentence, is run by a test or by CI.

The list below names what runs it. A command that no line covers fails, so a new one needs a test first.
test_snippets.py has the other blocks of pages.
"""

import re
from itertools import chain

from test_documents import PAGES, ROOT, text_of

# They tell what was, not what to do.
HISTORY = ("CHANGELOG.md", "docs/decisions/", "benchmarks/results.md")
_BLOCK = re.compile(r"^( *)```(\S*)[^\n]*\n(.*?)^\1```[ ]*$", re.MULTILINE | re.DOTALL)
_PROGRAM = re.compile(
    r"(?:[A-Z_]+=\S+ )*(?:(?:make|event-harness|pytest|pip|python -m|\.venv/bin/\w+|\.) |\.ci/\w+$)"
)

UNIT, CONFIG, INTEGRATION = "tests/unit/", "tests/config/", "tests/integration/"
LONG = "tests/commands/"
ADOPT = LONG + "test_adopt.py"
BY_HAND = LONG + "test_deploy_by_hand.py"
CALLS = CONFIG + "test_makefile.py"  # what a target calls; the program that it calls has tests of its own
CI = ".github/workflows/ci.yml"
KEPT = ADOPT + "::test_commands_for_a_kept_deployment_work"
TUTORIAL = LONG + "test_demo.py::test_commands_of_the_tutorial"
# The whole command, as a pattern -> what runs it.
RUN_BY = [
    (r"make (test|lint|commands|bench QUICK=1)", CI),
    (r"make bench", CI),  # in its quick form, which a test demands of every row
    (
        r'make bench ROWS="reads listener"',
        UNIT + "benchmarks/test_figures.py::test_a_benchmark_that_runs_again",
    ),
    (
        r"(FUNCTIONS=30 )?(\.venv/bin/)?python -m benchmarks\.\w+( --case wrong)?",
        UNIT + "benchmarks/test_figures.py::test_every_benchmark_has_a_quick_form",
    ),
    (r"make test TARGET=aws", BY_HAND + "::test_documented_test_on_an_account"),
    (
        r"(TF_CLI_CONFIG_FILE=/path/to/cli\.tfrc )?EVENT_HARNESS_PROVIDERS=registry make test",
        CALLS + "::test_emulator_gets_the_providers",
    ),
    (r"make demo( FILE=in\.txt OUT=out\.txt)?", TUTORIAL),
    (r'echo "straße" > in\.txt|cat out\.txt', TUTORIAL),
    (r"make demo REPORT=DIR", CALLS + "::test_demo_takes_any_file_name"),
    (r"python -m demo", LONG + "test_demo.py"),
    (r"make (deploy\.g|deploy|delete)", BY_HAND),
    (r"terraform (init|apply -var deploy_test_resources=true|show -json > system\.json)", BY_HAND),
    (r"pytest --harness-target=aws --harness-resources=system\.json", BY_HAND),
    (r"make up", BY_HAND),
    (r"make examples TARGET=aws", CALLS + "::test_examples_runs_each_example"),
    (r"make install PYTHON=/path/to/python3\.11", CALLS + "::test_missing_python"),
    (r"HYPOTHESIS_PROFILE=explore make unit", CALLS + "::test_no_python_that_a_test_starts"),
    (r"make (list|sweep)", CALLS + "::test_list_and_sweep_see"),
    (r"make sweep ARGS=DEPLOYMENT_ID", CALLS + "::test_sweep_recognises_the_id"),
    (r"make sweep clean", CALLS + "::test_sweep_and_clean_uninstall"),
    (r"make redrive", CALLS + "::test_redrive_replays"),
    (r"make scan", LONG + "test_maintenance.py::test_scan_reads"),
    (r"make audit", LONG + "test_maintenance.py::test_audit_asks"),
    (r"make requirements", LONG + "test_maintenance.py::test_requirements_pins"),
    (r"\.ci/run", CALLS + "::test_gate_ends_where_lint_fails"),
    (r"make resilience( ARGS=(--help|\w+|\"kill .* --only sweep\"))?", LONG + "test_guarantees.py"),
    (
        r"make simulate( ARGS=(--help|\"--events.*\"))?",
        UNIT + "scale/test_scale.py::test_commands_of_the_document_run",
    ),
    (r'make simulate ARGS="--emulator .*"', INTEGRATION + "test_result_shards.py"),
    (r"make docs", LONG + "test_site.py"),
    (r"make dist", LONG + "test_distribution.py"),
    (r"make recording", LONG + "test_pictures.py"),
    (r"make nightly", LONG + "test_nightly.py"),
    (r"make schedule( FOR=(gitlab|cron))?", CONFIG + "test_release.py::test_schedule_for_gitlab_does"),
    (r"pip install .event-harness\[\w+\].", LONG + "test_distribution.py"),
    (r'pip install "event-harness\[local,terraform\] @ .*"', ADOPT + "::test_page_installs_the_package"),
    (r"pytest", ADOPT + "::test_tests_of_the_page_pass"),
    (
        r"pytest (-n|-n 4|--harness-target=aws)",
        LONG + "test_account_policy.py::test_policy_suffices_for_an_example",
    ),
    (r"pytest --harness-target=http://127\.0\.0\.1:4566", INTEGRATION + "test_reuse.py::test_emulator_that"),
    (r"pytest (--harness-keep|--harness-reuse( --harness-apply| -k total)?)", KEPT),
    (r"pytest --harness-report=reports/session", KEPT),
    (r"\.venv/bin/pytest FILE -k NAME --harness-keep", KEPT),
    (
        r"pytest (--harness-reuse )?--harness-debug=(…|text_processor -k upper_case)",
        INTEGRATION + "test_inspecting.py",
    ),
    (r"pytest --cov=functions --cov-branch --cov-report=term-missing", INTEGRATION + "test_inspecting.py"),
    (r"pytest --forked", INTEGRATION + "test_endings_of_pytest.py"),
    (r"\.venv/bin/pytest test_first\.py", INTEGRATION + "failing/test_tutorial.py"),
    (r"event-harness (status|sync|watch|graph|logs (--follow|--id 01M86P)|redrive( --dry-run)?)", KEPT),
    (r"event-harness redrive DEPLOYMENT_ID --component text_processor", KEPT),
    (r"event-harness redrive --resources map\.json --target aws", BY_HAND),
    (r"event-harness (list|sweep \$\(event-harness list .*\))", KEPT),
    (r"event-harness sweep( DEPLOYMENT_ID)?", INTEGRATION + "test_sweep.py"),
    (
        r"event-harness sweep --target aws( --remote-state s3://.*)?",
        INTEGRATION + "test_sweep.py::test_another_machine_destroys_by",
    ),
    (r"event-harness init", LONG + "test_init.py"),
    (r"event-harness doctor", INTEGRATION + "test_doctor.py"),
    (r"event-harness configure", INTEGRATION + "test_configure.py"),
    (r"event-harness down", INTEGRATION + "test_up_and_down.py"),
    (
        r"event-harness up --iam off",
        INTEGRATION + "test_up_and_down.py::test_down_below_the_project",
    ),
    (r"\. \.event-harness/(env|deactivate)", UNIT + "deployments/test_up.py::test_shell_goes_in_and_out"),
    (r"event-harness( sweep)? --help", UNIT + "test_help_and_completion.py::test_help_of_every_command"),
    (r"event-harness --state-dir", UNIT + "test_cli.py"),
    (
        r"event-harness completion bash >> ~/\.bashrc",
        UNIT + "test_help_and_completion.py::test_bash_completes_by_the_script",
    ),
]


def blocks_of(page: str) -> list[str]:
    """The lines of a page's blocks of shell commands."""
    blocks = [body for _, language, body in _BLOCK.findall(text_of(page)) if language == "sh"]
    lines = chain.from_iterable(body.splitlines() for body in blocks)
    return [command for line in lines if (command := re.sub(r"(^| +)#.*", "", line).strip())]


def sentences_of(page: str) -> list[str]:
    """The commands within a page's sentences and tables."""
    quoted = re.findall(r"(?<!`)`([^`]+)`(?!`)", _BLOCK.sub("", text_of(page)))
    return [command for one in quoted if _PROGRAM.match(command := " ".join(one.split()))]


COMMANDS = sorted(
    {
        (command, page)
        for page in PAGES
        if not page.startswith(HISTORY)
        for command in (*blocks_of(page), *sentences_of(page))
    }
)


def runs(command: str) -> list[str]:
    return [test for pattern, test in RUN_BY if re.fullmatch(pattern, command)]


def test_every_command_of_a_page_is_run_by_a_test():
    unknown = [f"{page}: {command}" for command, page in COMMANDS if not runs(command)]
    assert unknown == [], "no test runs it; add the test and a line to RUN_BY"


def test_what_runs_a_command_exists():
    for test in {test for _, test in RUN_BY}:
        file, _, name = test.partition("::")
        assert (ROOT / file).is_file(), test
        assert not name or f"def {name}" in (ROOT / file).read_text(encoding="utf-8"), test


def test_every_line_of_the_list_covers_a_command():
    named = {command for command, _ in COMMANDS}
    assert [one for one, _ in RUN_BY if not any(re.fullmatch(one, command) for command in named)] == []


def test_command_that_no_test_runs_is_seen():
    assert runs("make test")
    assert not runs("make test TARGET=moon")
    assert not runs("event-harness sweep --everything")
