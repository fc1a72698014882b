"""What is kept, where, since when, until when, and what has changed since."""

import json
import types
from datetime import UTC, datetime

import pytest

from event_harness import cli
from event_harness.commands import kept as commands
from event_harness.deployments import status, sync
from event_harness.deployments.record import DeploymentRecord
from event_harness.terraform.function_code import Code


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Makes the record of a kept deployment; `changes` is what has changed since."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(status.Target, "gone", lambda _self: False)
    monkeypatch.setattr(status.up, "running", lambda _project: None)

    def make(changes=None, **fields):
        record = DeploymentRecord.create(tmp_path / ".event-harness", root=tmp_path, target="local")
        record.endpoint_url, record.region = "http://127.0.0.1:4599", "eu-west-1"
        record.created_at, record.expires_at = (
            datetime(2026, 11, 26, hour, 30, tzinfo=UTC) for hour in (8, 12)
        )
        record.kept = True
        for name, value in fields.items():
            setattr(record, name, value)
        record.save()
        monkeypatch.setattr(status.sync, "changes_of", lambda _record: changes or sync.Changes())
        return record

    return make


def test_kept_deployment_is_shown_with_its_address_and_times(kept, capsys):
    record = kept()
    kept(kept=False)
    assert cli.main(["status"]) == 0
    assert capsys.readouterr().out == (
        f"{record.deployment_id}: at http://127.0.0.1:4599, since 2026-11-26 08:30 UTC, "
        "expires 2026-11-26 12:30 UTC\n"
    )


def test_changes_are_shown_with_what_brings_them_there(kept, capsys):
    code = Code("data.archive_file.a", {"aws_lambda_function.a": "price"}, {})
    changes = sync.Changes(
        [(code, None)], ["src/app.py"], ["main.tf", "notify/app.py"], ["notify (a command has built it)"]
    )
    record = kept(changes)
    cli.main(["status"])
    _, stale, configuration, refused = capsys.readouterr().out.splitlines()
    assert stale.startswith("  changed since: price (src/app.py); --harness-reuse syncs it, or: ")
    assert stale.endswith(f" sync {record.deployment_id}")
    assert configuration == (
        "  changed since: main.tf, notify/app.py; apply it with "
        f"pytest --harness-reuse={record.deployment_id} --harness-apply"
    )
    assert refused == "  not synced: notify (a command has built it)"


def test_emulator_that_has_ended_is_shown(kept, capsys, monkeypatch):
    kept()
    monkeypatch.setattr(status.Target, "gone", lambda _self: True)
    cli.main(["status"])
    assert "\n  its emulator has ended, and all that was deployed to it is gone\n" in capsys.readouterr().out


def test_json_has_every_field(kept, capsys):
    record = kept(sync.Changes(others=["main.tf"]))
    assert cli.main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {
            "what": record.deployment_id,
            "where": "http://127.0.0.1:4599",
            "port": 4599,
            "since": "2026-11-26T08:30:00+00:00",
            "expires": "2026-11-26T12:30:00+00:00",
            "runs": True,
            "synced_at": None,
            "stale": [],
            "changed": [],
            "needs_apply": ["main.tf"],
            "not_synced": [],
            "lacks": [],
        }
    ]


def test_nothing_kept_is_said_with_what_keeps_a_deployment(kept, tmp_path, capsys):
    assert cli.main(["status"]) == 0
    assert capsys.readouterr().out == "nothing is kept here: pytest --harness-keep keeps a deployment\n"
    cli.main(["status", "--json"])
    assert capsys.readouterr().out == "[]\n"


def test_emulator_of_up_is_shown_last(kept, capsys, monkeypatch):
    kept()
    emulator = types.SimpleNamespace(pid=1, port=4566, endpoint_url="http://127.0.0.1:4566")
    monkeypatch.setattr(status.up, "running", lambda _project: emulator)
    monkeypatch.setattr(status.psutil.Process, "create_time", lambda _self: 1_790_000_000.25)
    cli.main(["status"])
    assert capsys.readouterr().out.endswith("\nup: at http://127.0.0.1:4566, since 2026-09-21 14:13 UTC\n")


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        (sync.Changes(), 0, "nothing has changed since deployment {} was brought up to date\n"),
        (sync.Changes(others=["main.tf"]), 1, ""),
    ],
)
def test_sync_fails_if_something_else_has_changed(kept, monkeypatch, capsys, changes, code, said):
    record = kept()
    asked = []

    class Reused:
        def __init__(self, found, _stack, _say):
            asked.append(found.deployment_id)
            self.record = found

        def synchronise(self):
            return changes

    monkeypatch.setattr(commands.kept, "Kept", Reused)
    for which in ([], [record.deployment_id]):
        assert cli.main(["sync", *which]) == code
        assert capsys.readouterr().out == said.format(record.deployment_id)
    assert asked == [record.deployment_id] * 2
