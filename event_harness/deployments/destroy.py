"""The end of a deployment: destroy by its state, else without its configuration, else by its tags."""

import contextlib
from contextlib import AbstractContextManager
from typing import Any

from event_harness.aws.errors import AWS_ERRORS, message_of
from event_harness.deployments.terraform_calls import TerraformCalls
from event_harness.errors import (
    DeploymentError,
    DestroyError,
    EmulatorGoneError,
    SettingError,
    StateError,
)
from event_harness.machine.interrupts import deferred, shielded
from event_harness.machine.progress import Progress
from event_harness.orphans.by_tag import remove_all
from event_harness.orphans.removal import empty_bucket
from event_harness.terraform import emptied, state_file
from event_harness.terraform.overrides import provider_settings


class Destroyer:
    """Destroys one deployment.

    Args:
        calls: calls terraform for it.

    Attributes:
        by_configuration: whether its configuration can be used; the state alone is enough.
        knows_all: whether this process has applied it, so that its state holds all that there is.
    """

    def __init__(self, calls: TerraformCalls) -> None:
        self.calls = calls
        self.record = calls.record
        self.by_configuration = True
        self.knows_all = False
        self._progress: Progress | None = None

    @deferred()
    def destroy(self) -> None:
        """Destroy everything, check that the state is empty, and delete the deployment's directory.

        It may be called again. It answers the first Ctrl-C with a line and goes on.

        Raises:
            DestroyError: it failed; the state is kept, and the message says how to finish.
        """
        if self.record.stage == "destroyed" or not self.record.is_ours():
            return
        failed = self.record.stage in ("init", "apply")
        try:
            with self._shielded():
                self.calls.check_target()
                self._destroy()
                self.calls.forget_state()
        except EmulatorGoneError as error:
            failed = True
            self.calls.say(f"{error}: nothing of deployment {self.record.deployment_id} is left")
        except KeyboardInterrupt as error:
            raise self._unfinished("interrupted") from error
        self.record.delete(keep_logs=failed)

    def _shielded(self) -> AbstractContextManager[None]:
        return shielded(self.calls.say, self._doing, leave_to=lambda: self.record.command("sweep"))

    def _doing(self) -> str:
        """What is being done now, for somebody who has interrupted it."""
        done = f", {self._progress}" if self._progress and self._progress.total else ""
        return f"destroying deployment {self.record.deployment_id}{done}"

    def _destroy(self) -> None:
        doubtful = self.record.stage == "apply"  # killed, terraform may have made what it didn't write down
        readable = True
        try:
            self.by_state()
        except StateError as error:
            self.calls.say(f"{error}: destroying deployment {self.record.deployment_id} by its tags")
            readable = False
        if doubtful or not readable:
            self._remove_unrecorded(must=not readable)

    def by_state(self) -> None:
        """Destroy what the state holds; leave everything else.

        Raises:
            StateError: the state can't be read.
            DestroyError: it failed; the state is kept, and the message says how to finish.
        """
        self._fetch_state()
        # An empty state holds nothing to destroy; terraform would refuse variables that made apply fail.
        if not self.record.managed_resources():
            return
        try:
            with self._shielded():
                self.record.at("destroy")
                self.calls.say(f"destroying deployment {self.record.deployment_id}")
                if self.calls.target.endpoint_url:
                    self._empty_buckets()
                try:
                    self._destroy_resources()
                finally:
                    self._fetch_state()
        except EmulatorGoneError:
            raise
        except BaseException as error:
            raise self._unfinished(str(error) or type(error).__name__) from error
        if left := self.record.managed_resources():
            raise self._unfinished(f"{len(left)} resources are left: {', '.join(left[:5])}")

    def _fetch_state(self) -> None:
        """Renew the copy of a remote state.

        Raises:
            StateError: it can't be read.
        """
        try:
            self.calls.fetch_state()
        except SettingError as error:
            raise StateError(str(error)) from error

    def _destroy_resources(self) -> None:
        """Run terraform destroy; where Terraform refuses the configuration, without the configuration."""
        calls = self.calls
        progress = self._progress = Progress(self.calls.say, "destroy")
        flags = calls.flags()
        if self.by_configuration:
            if self.knows_all and calls.shortcuts.refresh and self._without_refresh():
                return
            try:
                command = calls.terraform(progress=progress)
                command.execute_command("destroy", *flags, *calls.variable_flags())
                return
            except DeploymentError as error:
                if progress.planned:
                    raise
                self.calls.say(f"{error}: destroying by the state alone")
        directory = self.record.directory / "emptied"
        state = self.record.state
        remote = calls.remote
        backend = (
            remote.backend(self.record.deployment_id) if remote else {"local": {"path": str(state.resolve())}}
        )
        emptied.write(directory, backend, state_file.providers(state), self._provider_blocks())
        with calls.toolchain.installing():
            calls.terraform(internet=True, directory=directory).init(color=False)
        calls.terraform(progress=progress, directory=directory).execute_command("destroy", *flags)

    def _without_refresh(self) -> bool:
        """Destroy without a look at each resource first. Returns whether that has destroyed everything.

        A test may have deleted something meanwhile. Most resources are then taken as destroyed; where one is
        not, the ordinary destroy looks at what is left.
        """
        progress = self._progress = Progress(self.calls.say, "destroy")
        command = self.calls.terraform(progress=progress)
        flags = [*self.calls.flags(), "-refresh=false", *self.calls.variable_flags()]
        try:
            command.execute_command("destroy", *flags)
        except DeploymentError as error:
            if progress.planned:
                self.calls.say(f"{error}: destroying with a look at each resource")
            return False
        return True

    def _provider_blocks(self) -> list[dict[str, Any]]:
        """The provider blocks as they were at apply; on an emulator with what is needed there."""
        blocks = self.record.provider_blocks or [{"region": self.record.region}]
        if not any("alias" not in block for block in blocks):
            blocks = [{"region": self.record.region}, *blocks]
        if not self.calls.target.endpoint_url:
            return blocks
        old = self.calls.toolchain.old_provider
        settings = provider_settings(
            self.calls.target.endpoint_url, old_provider=old, version=self.calls.provider.version
        )
        kept = ("alias", "region")
        return [{name: value for name, value in block.items() if name in kept} | settings for block in blocks]

    def _empty_buckets(self) -> None:
        """Empty an emulator's buckets before terraform does.

        MiniStack doesn't encode the keys in a list of versions, although it is asked to. A new provider
        (5.100) decodes them. So it fails at a percent sign, and doesn't find a key with a plus sign.
        """
        for bucket in self.record.disposable_buckets():
            empty_bucket(self.calls.target, bucket)

    def _remove_unrecorded(self, *, must: bool) -> None:
        """Remove what carries the deployment's tags or name, whatever the state says.

        Args:
            must: the state is lost, so this is the only way.
        """
        try:
            left = remove_all(self.calls.target, self.record.deployment_id, self.calls.say)
        except AWS_ERRORS as error:
            if must:
                raise self._unfinished(message_of(error)) from error
            # Whoever may deploy need not be allowed to list everything; terraform itself had no objection.
            self.calls.say(
                f"deployment {self.record.deployment_id}: resources that are missing in its state can't be "
                f"looked for: {message_of(error)}"
            )
            return
        if left:
            raise self._unfinished(f"{len(left)} resources are left: {'; '.join(left[:5])}")

    def _unfinished(self, why: str) -> DestroyError:
        with contextlib.suppress(OSError):
            self.record.save()  # a sweep must find it, also if its directory was deleted
        record = self.record
        if record.own_emulator and not record.kept:
            error = DestroyError(
                f"deployment {record.deployment_id} could not be destroyed: {why}; nothing of it is left, "
                "since its own local AWS emulator ends with this session"
            )
        else:
            error = DestroyError(
                f"deployment {record.deployment_id} is not destroyed, its state is kept in "
                f"{record.directory}: {why}; finish it with: {record.command('sweep')}"
            )
        error.reason = why
        return error
