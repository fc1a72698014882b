"""What has changed in a project since a deployment was applied, and the update of its functions' code.

`record` writes down at apply what each function was made from. Later `changes_of` compares that with the
project, and `update` gives the functions their new code. Their state then differs from the target's: a later
apply or destroy goes through, since neither needs the old code.
"""

import contextlib
import dataclasses
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from event_harness.aws import code_bucket
from event_harness.aws.errors import AWS_ERRORS, message_of
from event_harness.aws.targets import Target
from event_harness.deployments import function_names
from event_harness.deployments.record import DeploymentRecord
from event_harness.errors import DeploymentError, HarnessError
from event_harness.machine import clock, interrupts
from event_harness.machine.cache import write_atomically
from event_harness.terraform import fetched, modules, sources
from event_harness.terraform.deployment_view import View
from event_harness.terraform.function_code import MOST_BYTES, Code, Made, read
from event_harness.terraform.left_out import LeftOut
from event_harness.terraform.origins import Origins
from event_harness.terraform.provider_3_39.archive_provider import ArchiveError

_CONFIGURATION = (".tf", ".tofu", ".tf.json", ".tofu.json", ".tfvars", ".tfvars.json")
_SHOWN = 3  # files that a line names
_WITHIN = 300.0  # seconds for AWS to update a function
_LOOK = 0.5  # seconds between two looks whether it has


@dataclass
class Recorded:
    """What the functions of a deployment run.

    Attributes:
        codes: the code of the functions.
        left_out: what the deployment's view leaves out of the project.
        synced_at: when functions were updated last, as an ISO time; empty if they run the code of the apply.
    """

    codes: list[Code]
    left_out: LeftOut
    synced_at: str = ""


@dataclass
class Changes:
    """What has changed since apply, or since the last update of the functions.

    Attributes:
        stale: the code that differs, and what it is now.
        files: the changed files that the functions' new code holds, relative to the root.
        others: the changed files that only an apply can bring there.
        refused: what of the functions' code can't be made exactly as at apply, with the reason.
        told: how to tell the functions, by their own names.
    """

    stale: list[tuple[Code, Made]] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.stale or self.others)

    @property
    def functions(self) -> list[str]:
        """The functions whose code differs, as they are told to a person."""
        return [self.told.get(name, name) for code, _ in self.stale for name in code.functions.values()]

    @property
    def not_synced(self) -> list[str]:
        """Of `refused`, what a changed file may concern: nothing if those are Terraform's own files."""
        return self.refused if any(not name.endswith(_CONFIGURATION) for name in self.others) else []


def record(view: View, deployed: DeploymentRecord) -> None:
    """Write down what each function runs, once all is applied.

    Where that can't be told, as of an encrypted state, nothing is written, and nothing is synced later.
    """
    data_dir = deployed.directory / "data"
    origins = Origins(view, deployed.directory, fetched.originals(data_dir))
    directory_of = partial(modules.directory_of, configuration=view.root, data_dir=data_dir)
    _file(deployed).unlink(missing_ok=True)
    with contextlib.suppress(HarnessError, OSError, ValueError, KeyError, TypeError):
        codes = read(deployed.state, origins, directory_of, code_bucket.BUCKET)
        _write(deployed, Recorded(codes, view.left_out))


def recorded(deployed: DeploymentRecord) -> Recorded | None:
    """What the functions of a deployment run; None if that is not on record, as of an older release."""
    try:
        content = json.loads(_file(deployed).read_text(encoding="utf-8"))
        kept = content["left_out"]
        names = ("modules", "never", "exclude", "include")
        left_out = LeftOut(kept["top"], kept["root"], *(tuple(kept[name]) for name in names))
        return Recorded([Code(**code) for code in content["codes"]], left_out, content["synced_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def changes_of(deployed: DeploymentRecord) -> Changes:
    """Compare a deployment with its project. Nothing is asked of the target."""
    root = Path(deployed.root).resolve()
    found = Changes()
    try:
        files = sources.changed(root, deployed.sources)
    except (OSError, ValueError):
        files = []  # the files could be read at apply; now they can't be compared
    known = recorded(deployed)
    exact: list[Code] = []
    inexact: list[tuple[Code, str]] = []
    for code in known.codes if known else []:
        why = code.why_not
        if not why and known:
            try:
                made = code.made(known.left_out)
            except (OSError, ValueError, ArchiveError) as error:
                why = f"its source can't be read ({error})"
            else:
                why = _why_not(code, made)
                if not why and made.digest != code.digest:
                    found.stale.append((code, made))
        if why:
            inexact.append((code, why))
        else:
            exact.append(code)
    for name in files:
        path = Path(os.path.normpath(root / name))
        holders = [code for code in exact if code.holds(path)]
        if not holders:
            found.others.append(name)
        elif any(code is stale for code, _ in found.stale for stale in holders):
            found.files.append(name)
    named = [code for code, _ in (*found.stale, *inexact)]
    found.told = function_names.told(deployed, [name for code in named for name in code.functions.values()])
    found.refused = [
        f"{', '.join(found.told[name] for name in code.functions.values())} ({why})" for code, why in inexact
    ]
    return found


def _why_not(code: Code, made: Made) -> str:
    if made.names != code.names and not code.may_grow:
        return "files were added or removed, and an expression says which ones are packed"
    if len(made.content) > MOST_BYTES:
        return f"it has {len(made.content):,} bytes, and Lambda takes {MOST_BYTES:,} at once"
    return ""


def update(deployed: DeploymentRecord, target: Target, changes: Changes, say: Callable[[str], None]) -> None:
    """Give the functions their new code. IAM: lambda:UpdateFunctionCode, lambda:GetFunction.

    Args:
        deployed: the record of the deployment; nobody else may use it meanwhile.
        target: where it is deployed.
        changes: what `changes_of` has found.
        say: prints a line.

    Raises:
        DeploymentError: a function can't be updated.
    """
    known = recorded(deployed)
    if not (known and changes.stale):
        return
    began = clock.monotonic()
    for code, made in changes.stale:
        for name in code.functions.values():
            interrupts.check()
            _update(target, name, made.content)
        _await(target, list(code.functions.values()))
        for one in known.codes:
            if one.address == code.address:
                one.digest, one.names, one.files = made.digest, made.names, [str(file) for file in made.files]
        known.synced_at = clock.now().isoformat(timespec="seconds")
        _write(deployed, known)
    took = clock.monotonic() - began
    say(f"synced {', '.join(changes.functions)} in {took:.1f} s ({shown(changes.files) or 'new code'})")


def _update(target: Target, name: str, content: bytes) -> None:
    try:
        target.client("lambda").update_function_code(FunctionName=name, ZipFile=content)
    except AWS_ERRORS as error:
        raise DeploymentError(
            f"the code of function {name} can't be updated: {message_of(error)}; apply the change with "
            "--harness-apply"
        ) from error


def _await(target: Target, names: list[str]) -> None:
    """Wait until AWS runs the new code. Our own emulator does so at once."""
    if target.emulator_log:
        return
    deadline = clock.monotonic() + _WITHIN
    for name in names:
        while (status := _status(target, name))[0] == "InProgress":
            if clock.monotonic() > deadline:
                raise DeploymentError(f"function {name} is still not updated after {_WITHIN:g} s")
            interrupts.pause(_LOOK)
        if status[0] == "Failed":
            raise DeploymentError(f"the code of function {name} can't be updated: {status[1]}")


def _status(target: Target, name: str) -> tuple[str, str]:
    try:
        found = target.client("lambda").get_function(FunctionName=name)["Configuration"]
    except AWS_ERRORS as error:
        raise DeploymentError(
            f"it can't be seen whether function {name} is updated: {message_of(error)}"
        ) from error
    return found.get("LastUpdateStatus", "Successful"), found.get("LastUpdateStatusReason", "")


def shown(files: list[str]) -> str:
    """The first of some files, and how many more there are."""
    more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
    return f"{', '.join(files[:_SHOWN])}{more}"


def _file(deployed: DeploymentRecord) -> Path:
    return deployed.directory / "functions.json"


def _write(deployed: DeploymentRecord, what: Recorded) -> None:
    write_atomically(_file(deployed), json.dumps(dataclasses.asdict(what)), mode=0o600)
