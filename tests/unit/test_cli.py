"""The command line passes its arguments to the packages below, and returns their result."""

import json
import re
import types
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from listener_fakes import MAP

from event_harness import cli
from event_harness.commands import deployments, emulator, options
from event_harness.commands import redrive as redrive_command
from event_harness.commands import terraform as terraform_commands
from event_harness.deployments import up_files
from event_harness.orphans.by_tag import Orphans
from event_harness.orphans.inventory import Found
from event_harness.terraform.generated import OF_UP, OVERRIDE

URL = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """An empty project, in an environment without settings."""
    for name in (
        "AWS_ENDPOINT_URL",
        "EVENT_HARNESS_RESOURCES",
        "EVENT_HARNESS_REUSE",
        "EVENT_HARNESS_TARGET",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(options.Target, "check", lambda _self: None)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def swept(monkeypatch):
    """Record the calls of both sweeps with their arguments; `codes` holds what they return."""
    asked = types.SimpleNamespace(calls=[], codes={"sweep": 0, "sweep_by_tag": 0})

    names = {"sweep": "sweep_by_record", "sweep_by_tag": "sweep_by_tag"}

    def stand_in(name):
        def sweep(*_where, say, **asked_for):
            asked.calls.append((name, asked_for))
            return asked.codes[name]

        monkeypatch.setattr(deployments, names[name], sweep)

    for name in asked.codes:
        stand_in(name)
    return asked


@pytest.fixture
def terraform(project, monkeypatch):
    """Make a terraform from a shell script; the commands find it."""

    def make(script):
        binary = project / "terraform"
        binary.write_text(f"#!/bin/sh\n{script}\n")
        binary.chmod(0o700)
        tools = types.SimpleNamespace(binary=binary, environ=dict)
        monkeypatch.setattr(terraform_commands.toolchain, "find", lambda **_wanted: tools)

    return make


@pytest.mark.parametrize("dry_run", [True, False])
def test_sweep_with_a_target_looks_by_record_and_by_tag(swept, dry_run):
    flags = ["--dry-run"] if dry_run else []
    assert cli.main(["sweep", "--target", URL, *flags]) == 0
    assert swept.calls == [
        ("sweep_by_tag", {"dry_run": dry_run}),
        ("sweep", {"only": [], "dry_run": dry_run}),
    ]


def test_sweep_of_named_deployments_does_not_look_by_tag(swept):
    assert cli.main(["sweep", "d1", "d2", "--target", URL]) == 0
    assert swept.calls == [("sweep", {"only": ["d1", "d2"], "dry_run": False})]


@pytest.mark.parametrize("unfinished", ["sweep", "sweep_by_tag"])
def test_sweep_that_leaves_something_fails(swept, unfinished):
    swept.codes[unfinished] = 1
    assert cli.main(["sweep", "--target", URL]) == 1


def test_misspelt_argument_ends_the_command_before_it_starts(swept, capsys):
    assert cli.main(["sweep", "--dryrun"]) == 2
    assert swept.calls == []
    said = capsys.readouterr().err
    assert said == "event-harness: unknown argument '--dryrun'; see: event-harness sweep --help\n"


def test_command_line_without_a_command_is_wrong_and_shows_the_help(capsys):
    assert cli.main([]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("usage: event-harness")
    assert "exit codes:" in said.err


def test_sync_without_a_kept_deployment_is_one_line(tmp_path, capsys):
    assert cli.main(["--state-dir", str(tmp_path), "sync"]) == 1
    assert capsys.readouterr().err == (
        f"event-harness: no deployment is kept in {tmp_path}: keep one with pytest --harness-keep\n"
    )


def test_ctrl_c_ends_a_command_with_one_line_and_exit_code_130(monkeypatch, capsys):
    def interrupted(_project):
        raise KeyboardInterrupt

    monkeypatch.setattr(emulator.lasting, "down", interrupted)
    assert cli.main(["down"]) == 130
    assert capsys.readouterr().err == "event-harness: interrupted\n"


def test_list_shows_tagged_deployments_beside_recorded_ones(monkeypatch, capsys):
    queue = Found("sqs", "queue", "d1-letters")
    found = [
        Orphans("d1", "me@here", datetime(2020, 1, 1, 12, tzinfo=UTC), [queue], ["arn:unknown"]),
        Orphans("d2", "you@there", datetime(2999, 1, 1, tzinfo=UTC), [queue]),
    ]
    monkeypatch.setattr(deployments.by_tag, "find", lambda _target: found)
    monkeypatch.setattr(deployments.by_tag, "time_of", lambda _target: datetime(2026, 1, 1, tzinfo=UTC))
    assert cli.main(["list", "--target", URL]) == 0
    first, second = (line.split() for line in capsys.readouterr().out.splitlines()[1:])
    assert first == ["d1", URL, "2", "resources", "expired", "me@here", "2020-01-01", "12:00"]
    assert second[4:8] == ["not", "on", "record", "here"]


def test_list_says_that_there_are_no_deployments(capsys):
    assert cli.main(["list"]) == 0
    assert capsys.readouterr().out == "no deployments: nothing is in progress, nothing was left behind\n"


def test_unformatted_files_fail_the_check(terraform, project):
    for name in ("good", "bad"):
        (project / name).mkdir()
    terraform('case "$*" in "fmt "*-check*bad) exit 3 ;; esac')
    assert cli.main(["fmt", "--check", "good", "bad"]) == 1
    assert cli.main(["fmt", "--check", "good"]) == 0
    assert cli.main(["fmt", "bad"]) == 0


def test_exit_code_of_terraform_is_that_of_the_command(terraform):
    terraform('test "$*" = "apply -input=false" && exit 3')
    assert cli.main(["terraform", "apply", "-input=false"]) == 3


def test_root_with_the_override_of_up_is_never_deployed_to_a_real_account(
    project, terraform, monkeypatch, capsys
):
    terraform("exit 0")
    monkeypatch.setattr(up_files, "running", lambda state: True)
    (project / ".event-harness").mkdir()
    (project / ".event-harness" / "up.json").touch()
    assert cli.main(["terraform", "apply"]) == 1
    assert "this shell points to no emulator: `. .event-harness/env`" in capsys.readouterr().err
    monkeypatch.setenv("AWS_ENDPOINT_URL", URL)
    assert cli.main(["terraform", "apply"]) == 0


@pytest.mark.parametrize("command", [["list"], ["terraform", "version"], ["validate", "."], ["doctor"]])
def test_every_command_deletes_the_override_of_an_emulator_that_is_gone(
    project, terraform, monkeypatch, capsys, command
):
    """After a reboot, say. The command itself goes on, and what it prints on stdout stays as it was."""
    terraform("exit 0")
    state, override = project / ".event-harness", project / OVERRIDE
    state.mkdir()
    (state / "up.json").write_text("{}")
    override.write_text(json.dumps({"//": OF_UP, "provider": {"aws": {}}}))
    with suppress(Exception):  # what it does then is not of interest here
        cli.main(command)
    said = capsys.readouterr()
    assert not override.exists()
    assert not (state / "up.json").exists()
    assert f"event-harness: deleted {override}: the local AWS emulator of `up`" in said.err
    assert "deleted" not in said.out


def redrive(*arguments, capsys):
    """Return the message of a redrive that finds no system."""
    assert cli.main(["redrive", *arguments]) == 1
    return capsys.readouterr().err


def test_redrive_without_a_kept_deployment_says_how_to_name_a_system(capsys):
    said = redrive(capsys=capsys)
    assert "no deployment was kept here (--harness-keep), so name the system" in said
    assert re.search(r"event.harness\S* terraform output -json event_harness > map\.json, then: ", said)
    assert said.endswith(" redrive --resources map.json --target aws\n")


def test_redrive_of_a_named_deployment_ignores_the_system_in_the_environment(monkeypatch, capsys):
    monkeypatch.setenv("EVENT_HARNESS_RESOURCES", "map.json")
    assert "reuse is 'd1' (DEPLOYMENT_ID), but no such deployment was kept" in redrive("d1", capsys=capsys)


def test_redrive_with_resources_ignores_the_deployment_in_the_environment(monkeypatch, capsys):
    monkeypatch.setenv("EVENT_HARNESS_REUSE", "last")
    said = redrive("--resources", "map.json", capsys=capsys)
    assert "resources is 'map.json', but the target is local" in said
    assert "(--target=aws or =http://127.0.0.1:PORT)" in said


def test_redrive_without_an_id_takes_the_system_in_the_environment(monkeypatch, capsys):
    monkeypatch.setenv("EVENT_HARNESS_RESOURCES", "map.json")
    assert "resources is 'map.json'" in redrive(capsys=capsys)
    monkeypatch.setenv("EVENT_HARNESS_REUSE", "last")
    assert "'map.json' (EVENT_HARNESS_RESOURCES) and reuse is 'last' (EVENT_HARNESS_REUSE)" in redrive(
        capsys=capsys
    )


def test_redrive_refuses_two_systems_at_once(capsys):
    said = redrive("d1", "--resources", "map.json", capsys=capsys)
    assert (
        "resources is 'map.json' (--resources) and reuse is 'd1' (DEPLOYMENT_ID): these are two systems"
        in said
    )


def test_redrive_uses_the_given_region(project, capsys):
    (project / "map.json").write_text(json.dumps(MAP))
    said = redrive("--resources=map.json", f"--target={URL}", "--region=us-west-2", capsys=capsys)
    assert "but the region is us-west-2 (--region); set it with --region=eu-west-1" in said


def test_redrive_on_another_machine_needs_allow_remote(project, monkeypatch, capsys):
    (project / "map.json").write_text(json.dumps(MAP))
    where = ["--resources=map.json", "--target=http://192.0.2.1:4566"]
    assert "Allow it with --allow-remote" in redrive(*where, capsys=capsys)
    redriven = []
    monkeypatch.setattr(
        redrive_command,
        "redrive",
        lambda _resources, target, **_more: redriven.append(target.endpoint_url) or 0,
    )
    assert cli.main(["redrive", *where, "--allow-remote"]) == 0
    assert redriven == ["http://192.0.2.1:4566"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--project", "nowhere", "list"], "nowhere is not a directory (--project)"),
        (["list", "--target", "foo"], "target is 'foo' (--target); valid: local, aws, or the URL"),
        (["list", "--target", URL, "--region", "zz zz"], "region is 'zz zz' (--region); valid: the name"),
        (["fmt", "nowhere"], "nowhere doesn't exist; name a directory or a file to format"),
    ],
)
def test_argument_that_can_not_be_right_is_refused_in_one_line(arguments, said, terraform, capsys):
    terraform("exit 0")
    assert cli.main(arguments) == 1
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1


@pytest.mark.parametrize("port", ["0", "-1", "65536", "99999999999", "http", "1e3"])
def test_port_that_is_none_is_refused(port, capsys):
    with pytest.raises(SystemExit):
        cli.main(["up", "--port", port])
    assert f"'{port}' is not a port: give a number from 1 to 65535" in capsys.readouterr().err


def test_list_of_the_local_target_looks_at_the_records_only(capsys):
    assert cli.main(["list", "--target", "local"]) == 0
    assert "no deployments" in capsys.readouterr().out


def test_deleted_current_directory_is_one_clear_line(project, monkeypatch, capsys):
    (project / "gone").mkdir()
    monkeypatch.chdir(project / "gone")
    (project / "gone").rmdir()
    assert cli.main(["list"]) == 1
    assert "the current directory was deleted; change to one that exists" in capsys.readouterr().err


def test_text_of_foreign_origin_changes_nothing_in_the_terminal(monkeypatch, capsys):
    """The tag of an orphaned resource may come from anybody in the account."""
    owner = "\x1b[2J[red]me[/red]\r@here"
    monkeypatch.setattr(deployments.by_tag, "time_of", lambda _target: datetime(2026, 1, 1, tzinfo=UTC))
    found = [Orphans("d1", owner, datetime(2999, 1, 1, tzinfo=UTC), [Found("sqs", "queue", "q")])]
    monkeypatch.setattr(deployments.by_tag, "find", lambda _target: found)
    assert cli.main(["list", "--target", URL]) == 0
    assert cli.main(["sweep", "d\x1b[2Jx"]) == 1
    printed = capsys.readouterr()
    assert "[red]me[/red]" in printed.out
    assert not [char for char in printed.out + printed.err if not (char.isprintable() or char == "\n")]
