"""The workflows run what a person runs: each step is an action or a make target."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
STATES = "arn:aws:s3:::event-harness-states-ACCOUNT"
PLACEHOLDER = "your-org/event-harness"
CI, NIGHTLY = (ROOT / ".github" / "workflows" / f"{name}.yml" for name in ("ci", "nightly"))
RELEASE = ROOT / ".github" / "workflows" / "release.yml"
# Jobs that test, and so leave reports.
TESTS = {"gate", "opentofu", "aws", "newest-provider"}
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z.]+):", MAKEFILE, re.MULTILINE))


def read(workflow):
    content = yaml.safe_load(workflow.read_text(encoding="utf-8"))
    return content | {"on": content.pop(True)}  # YAML 1.1 reads `on` as true


def steps(workflow):
    return [step for job in read(workflow)["jobs"].values() for step in job["steps"]]


def commands_of(workflow, job=None):
    jobs = read(workflow)["jobs"]
    found = jobs[job]["steps"] if job else steps(workflow)
    return [step["run"] for step in found if "run" in step]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_every_command_of_a_workflow_is_a_make_target(workflow):
    commands = commands_of(workflow)
    assert commands
    for command in commands:
        called = re.fullmatch(r"make ([a-z.]+)( [A-Z_]+=\S+)*", command)
        assert called, f"{workflow.name}: {command!r} is no make target"
        assert called.group(1) in TARGETS, f"{workflow.name}: there is no target {called.group(1)!r}"


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_to_a_commit(workflow):
    for step in steps(workflow):
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"]), step["uses"]


def test_nightly_destroys_and_keeps_its_reports_whatever_happens():
    last = {step["name"]: step.get("if") for step in steps(NIGHTLY)}
    assert last["Destroy what a failed test left"] == last["Summarise"] == "always()"
    for job in (job for name, job in read(NIGHTLY)["jobs"].items() if name in TESTS):
        assert job["steps"][-1]["name"] == "Keep the reports"
        assert job["steps"][-1]["if"] == "always()"


def test_ci_runs_the_gate_that_a_person_runs():
    gate = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert [line for line in gate.splitlines() if line.startswith("make ")] == commands_of(CI, "gate")


def test_ci_runs_on_every_push_and_every_proposal():
    assert read(CI)["on"] == {"push": {"branches": ["main"]}, "pull_request": None}


def test_nightly_tests_and_sweeps_the_real_account_every_night():
    commands = [
        *("make install", "make sweep TARGET=aws", "make test TARGET=aws", "make sweep TARGET=aws"),
        "make summary",
    ]
    assert commands_of(NIGHTLY, "aws") == commands
    assert [list(when) for when in read(NIGHTLY)["on"]["schedule"]] == [["cron"]]


def test_nightly_runs_demonstration_and_tests_with_the_newest_provider():
    newest = "EVENT_HARNESS_PROVIDERS=registry"
    assert commands_of(NIGHTLY, "newest-provider") == [
        f"make demo {newest}",
        f"make test {newest}",
        "make summary",
    ]


def test_nightly_runs_are_one_at_a_time_and_never_cancelled():
    assert read(NIGHTLY)["concurrency"] == {"group": "nightly-aws", "cancel-in-progress": False}


def test_nightly_authenticates_by_oidc_and_has_no_other_permission_at_github():
    nightly = read(NIGHTLY)
    assert nightly["permissions"] == {}
    job = nightly["jobs"].pop("aws")
    told = {"contents": "read", "issues": "write"}
    assert [other["permissions"] for other in nightly["jobs"].values()] == [{"contents": "read"}, told]
    assert job["permissions"] == {"contents": "read", "id-token": "write"}
    assert job["environment"] == "nightly"


def test_trust_policy_admits_only_the_environment_of_the_nightly_job():
    page = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```json\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (statement,) = json.loads(block)["Statement"]
    job = read(NIGHTLY)["jobs"]["aws"]
    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": f"repo:{PLACEHOLDER}:environment:{job['environment']}",
        }
    }


def test_nightly_passes_the_permissions_boundary_to_terraform_and_the_bucket_of_states_to_the_harness():
    job = read(NIGHTLY)["jobs"]["aws"]
    assert job["env"] == {
        "TF_VAR_permissions_boundary": "${{ vars.AWS_PERMISSIONS_BOUNDARY }}",
        "EVENT_HARNESS_REMOTE_STATE": "${{ vars.AWS_REMOTE_STATE }}",
    }


def test_nightly_sweeps_with_credentials_that_are_still_valid():
    job = read(NIGHTLY)["jobs"]["aws"]
    (role,) = [step["with"] for step in job["steps"] if "role-to-assume" in step.get("with", {})]
    test_and_sweep = sum(
        step["timeout-minutes"] for step in job["steps"] if "TARGET=aws" in step.get("run", "")
    )
    assert test_and_sweep * 60 < role["role-duration-seconds"] <= 3600  # the default maximum of a role
    assert test_and_sweep < job["timeout-minutes"]


@pytest.mark.parametrize("workflow", [CI, NIGHTLY], ids=lambda path: path.stem)
def test_reports_and_logs_are_kept_also_those_of_the_examples(workflow):
    kept = [step["with"] for step in steps(workflow) if "upload-artifact" in step.get("uses", "")]
    tests = TESTS & set(read(workflow)["jobs"])
    assert len({one["name"] for one in kept}) == len(tests)  # two of one name can't be kept
    for one in kept:
        assert one["path"].split() == ["reports/", "**/.event-harness/logs/"]
        assert one["include-hidden-files"] is True


def test_make_alone_explains_every_target():
    explained = set(re.findall(r"^([a-z.]+):.*## ", MAKEFILE, re.MULTILINE))
    phony = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)
    assert phony
    assert set(phony.group(1).replace("\\", " ").split()) == explained


def test_readme_explains_every_target():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme[readme.index("## Make targets") : readme.index("## Troubleshooting")]
    missing = {target for target in TARGETS if f"`{target}`" not in table} - {"help", "requirements"}
    assert not missing


def statements(policy, effect):
    """Return the statements of a policy in docs with an effect."""
    document = json.loads((ROOT / "docs" / policy).read_text(encoding="utf-8"))
    assert {statement["Effect"] for statement in document["Statement"]} <= {"Allow", "Deny"}
    return [statement for statement in document["Statement"] if statement["Effect"] == effect]


def test_role_policy_lets_no_role_grow_beyond_the_permissions_boundary():
    growing = {"iam:CreateRole", "iam:PutRolePolicy"}
    allowed = {
        action
        for one in statements("aws-role-policy.json", "Allow")
        if "iam:PermissionsBoundary" not in one.get("Condition", {}).get("StringEquals", {})
        for action in one["Action"]
    }
    assert not allowed & (growing | {"iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy"})
    denied = {action for one in statements("aws-role-policy.json", "Deny") for action in one["Action"]}
    assert denied >= growing | {"iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"}


def test_permissions_boundary_allows_data_actions_on_own_names_only():
    allowing = statements("aws-permissions-boundary.json", "Allow")
    assert allowing
    for statement in allowing:
        actions, resources = (
            value if isinstance(value, list) else [value]
            for value in (statement["Action"], statement["Resource"])
        )
        assert not [action for action in actions if "*" in action or action.startswith(("iam:", "sts:"))]
        named = all("shout-" in resource for resource in resources)
        assert named or {action.split(":")[0] for action in actions} == {"xray"}, statement["Sid"]
    assert not statements("aws-permissions-boundary.json", "Deny")


def test_role_policy_is_least_privilege():
    """No action has a wildcard; only actions that list or read without an ARN have a wildcard resource."""
    allowing = statements("aws-role-policy.json", "Allow")
    assert allowing
    for statement in allowing:
        actions, resources = (
            value if isinstance(value, list) else [value]
            for value in (statement["Action"], statement["Resource"])
        )
        assert not [action for action in actions if "*" in action]
        if "*" in resources:
            reading = ("List", "Get", "Describe")
            assert all(action.split(":")[1].startswith(reading) for action in actions), statement["Sid"]
        assert all(
            resource == "*"
            or any(part in resource for part in ("shout-", "/aws/service/", ":layer:", STATES))
            for resource in resources
        )


def test_role_policy_has_what_only_newer_providers_ask_for():
    """hashicorp/aws 6.23 and later tag buckets by the calls of S3 for ABAC; 3.39 by the older calls."""
    (buckets,) = [one for one in statements("aws-role-policy.json", "Allow") if one["Sid"] == "Buckets"]
    assert set(buckets["Action"]) >= {"s3:ListTagsForResource", "s3:TagResource", "s3:UntagResource"}


def test_every_test_file_has_a_name_of_its_own():
    """Pytest imports test files by their file names: two files of one name can't run together.

    The functions of the systems that are tested are no test files.
    """
    files = (path for path in (ROOT / "tests").rglob("*.py") if "systems" not in path.parts)
    names = Counter(path.name for path in files if path.name != "conftest.py")
    assert [name for name, times in names.items() if times > 1] == []
