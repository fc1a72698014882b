"""Records that this user can't read are not taken for none. Another user is played by a child process."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from event_harness.deployments import sweep, unrecorded
from event_harness.errors import SweepError

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")


def as_another_user(state, *arguments):
    """Run the command line as `nobody`, in a child that has imported everything before."""
    program = (
        "import os, sys; from event_harness.cli import main; import event_harness.commands.deployments\n"
        f"os.setgid({NOBODY}); os.setuid({NOBODY}); sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", program, "--project", str(state.parent), *arguments]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def state():
    """Everybody can reach it. pytest's own directories belong to one user."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        yield Path(directory) / ".event-harness"


@as_root
@pytest.mark.parametrize("command", ["sweep", "list"])
def test_other_users_deployment_is_reported_and_kept(dead, state, command):
    record = dead(stage="applied")
    os.utime(record.directory, (0, 0))
    code, said = as_another_user(state, command)
    assert code == (command == "sweep")
    assert record.deployment_id in said
    assert "can't be read" in said
    assert record.directory.exists()


@as_root
@pytest.mark.parametrize("command", ["sweep", "list"])
def test_records_that_cannot_be_listed_are_an_error(dead, state, command):
    dead(stage="applied")
    (state / "deployments").chmod(0o700)
    code, said = as_another_user(state, command)
    assert code == 1
    assert "can't be read: Permission denied; run this as the user who owns them" in said


def test_records_that_are_no_directory_are_an_error(state, said):
    state.mkdir()
    (state / "deployments").write_text("no directory")
    with pytest.raises(SweepError, match="can't be read: Not a directory"):
        sweep.sweep(state, say=said)
    with pytest.raises(SweepError):
        list(unrecorded.find(state))
