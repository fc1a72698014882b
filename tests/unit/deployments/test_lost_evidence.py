"""A deployment whose files were deleted or can't be read is removed by its tags, or reported."""

import shutil
import signal
import types

import pytest

from event_harness.aws.targets import Target
from event_harness.deployments import destroy
from event_harness.deployments.deployment import Deployment
from event_harness.deployments.record import DeploymentRecord
from event_harness.errors import DestroyError, EmulatorGoneError
from event_harness.machine import interrupts

STATE = '{"resources": [{"mode": "managed", "type": "aws_sqs_queue", "name": "a", "instances": [{}]}]}'


@pytest.fixture
def removed(monkeypatch):
    """The deployments that were removed by their tags; `left` is what that leaves."""
    asked, left = [], []
    monkeypatch.setattr(destroy, "remove_all", lambda _target, one, _say: asked.append(one) or left)
    return types.SimpleNamespace(asked=asked, left=left)


@pytest.fixture
def applied(tmp_path, monkeypatch):
    """A deployment that was applied. Terraform must not be called."""
    (tmp_path / "main.tf").write_text("")
    record = DeploymentRecord.create(tmp_path / ".event-harness", root=tmp_path, target="http://127.0.0.1:9")
    record.configuration = "config"
    record.at("applied")
    one = Deployment(tmp_path, Target.local("http://127.0.0.1:9"), None, record)
    state = record.configuration_dir / "terraform.tfstate.d" / record.deployment_id / "terraform.tfstate"
    state.parent.mkdir(parents=True)
    state.write_text(STATE)
    monkeypatch.setattr(one.calls, "terraform", lambda **_: pytest.fail("terraform was called"))
    return one


@pytest.mark.parametrize("lost", ["state", "deployment", "all records"])
def test_deployment_whose_files_were_deleted_is_removed_by_its_tags(applied, removed, tmp_path, lost):
    shutil.rmtree(
        {
            "state": applied.record.configuration_dir,
            "deployment": applied.record.directory,
            "all records": tmp_path / ".event-harness",
        }[lost]
    )
    said = []
    applied.calls.say = said.append
    applied.destroy()
    assert removed.asked == [applied.record.deployment_id]
    assert "has been deleted" in said[0]
    assert not applied.record.directory.exists()


def test_what_the_tags_cannot_remove_is_an_error_and_goes_on_record_again(applied, removed):
    shutil.rmtree(applied.record.directory)
    removed.left.append("aws_sqs_queue a is still there")
    with pytest.raises(DestroyError, match="1 resources are left: aws_sqs_queue a is still there"):
        applied.destroy()
    assert DeploymentRecord.load(applied.record.directory) == applied.record


def test_state_that_is_a_directory_is_not_an_empty_one(applied, removed):
    (state,) = applied.record.configuration_dir.rglob("terraform.tfstate")
    state.unlink()
    state.mkdir()
    applied.destroy()
    assert removed.asked == [applied.record.deployment_id]


def test_nothing_is_destroyed_on_an_emulator_that_has_ended(applied, removed):
    def gone():
        raise EmulatorGoneError("the local AWS emulator (process 1) has ended")

    said = []
    applied.calls.check_target, applied.calls.say = gone, said.append
    applied.destroy()
    assert removed.asked == []
    assert said == [
        "the local AWS emulator (process 1) has ended: nothing of deployment "
        f"{applied.record.deployment_id} is left"
    ]
    assert not applied.record.directory.exists()


def test_deployment_on_an_emulator_of_its_own_that_cannot_be_destroyed_names_no_record(applied, removed):
    """Everything ends with that emulator, so there is nothing to sweep."""
    applied.record.own_emulator = True
    (state,) = applied.record.configuration_dir.rglob("terraform.tfstate")
    state.unlink()
    removed.left.append("aws_sqs_queue a is still there")
    with pytest.raises(DestroyError) as error:
        applied.destroy()
    assert str(error.value) == (
        f"deployment {applied.record.deployment_id} could not be destroyed: 1 resources are left: "
        "aws_sqs_queue a is still there; nothing of it is left, since its own local AWS emulator ends with "
        "this session"
    )


def test_kept_deployment_on_an_emulator_of_its_own_names_its_record_and_the_sweep(applied, removed):
    """Its emulator outlives the session."""
    applied.record.own_emulator = applied.record.kept = True
    (state,) = applied.record.configuration_dir.rglob("terraform.tfstate")
    state.unlink()
    removed.left.append("aws_sqs_queue a is still there")
    with pytest.raises(DestroyError) as error:
        applied.destroy()
    said = str(error.value)
    assert f"is not destroyed, its state is kept in {applied.record.directory}: 1 resources are left" in said
    assert said.endswith(f" sweep {applied.record.deployment_id}")


def test_interrupted_apply_that_has_created_nothing_is_destroyed(applied, removed, monkeypatch):
    """The interrupt that has ended the apply must not end the destroy."""
    applied.record.at("apply")
    (state,) = applied.record.configuration_dir.rglob("terraform.tfstate")
    state.unlink()
    monkeypatch.setattr(destroy, "remove_all", lambda *_: interrupts.check() or [])
    with interrupts.orderly_interrupts():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        applied.destroy()
    assert not applied.record.directory.exists()


def test_deployment_of_another_process_is_not_destroyed(applied, removed):
    """As in a forked child, which has another pid, or after the pid was used again."""
    applied.record.started -= 1
    applied.destroy()
    assert applied.record.directory.exists()
