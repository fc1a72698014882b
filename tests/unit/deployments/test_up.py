"""What `up` writes for a shell, read by a shell; starting and ending is for the integration tests."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from event_harness.aws.credentials import Credentials
from event_harness.aws.targets import Target
from event_harness.deployments import up as up_module
from event_harness.deployments import up_files, up_shell
from event_harness.deployments.up import down, up
from event_harness.errors import ConfigurationError, EmulatorError, SettingError
from event_harness.terraform.generated import IMPLICIT_PROVIDER, OF_UP, OVERRIDE
from event_harness.terraform.toolchain import Toolchain

URL = "http://127.0.0.1:4567"


@pytest.fixture
def sourced(tmp_path):
    """The environment of a shell that has sourced the file, n times."""

    def shell(environ, *, providers="mirror", binary="/bin/sh", times=1):
        tools = Toolchain(Path(binary), "terraform", "1.11.4", providers, tmp_path / "cli.tfrc")
        file = tmp_path / "env"
        file.write_text(up_shell.going_in(Target.local(URL), tools))
        script = f". '{file}'; " * times + "env -0"
        done = subprocess.run(
            ["/bin/sh", "-euc", script],
            env={"PATH": "/usr/bin:/bin", **environ},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        pairs = (line.split("=", 1) for line in done.stdout.split("\0") if "=" in line)
        return {name: value for name, value in pairs if name not in SHELLS_OWN}

    return shell


SHELLS_OWN = {"PWD", "_", "OLDPWD", "SHLVL", "HOME", "LOGNAME"}  # zsh exports the last two by itself
SHELLS = [shell for shell in ("sh", "bash", "zsh", "dash", "ksh") if shutil.which(shell)]
BEFORE = {"AWS_PROFILE": 'it\'s "mine" $HOME', "AWS_REGION": "us-east-1", "NO_PROXY": "corp", "KEPT": "a\nb"}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("way", ["function", "file"])
def test_shell_goes_in_and_out_and_is_as_it_was(tmp_path, shell, times, way):
    tools = Toolchain(Path("/opt/packaged-terraform"), "terraform", "1.11.4", "mirror", tmp_path / "cli.tfrc")
    (tmp_path / "env").write_text(up_shell.going_in(Target.local(URL), tools))
    (tmp_path / "deactivate").write_text(up_shell.going_out())
    goes_in = "; ".join(["set -u", *["./env"] * times]).replace("./env", f". '{tmp_path}/env'")
    goes_out = "deactivate" if way == "function" else f". '{tmp_path}/deactivate'"
    script = f'{goes_in}; env -0 > in; {goes_out}; env -0 > out; [ "$(command -v deactivate)" != deactivate ]'
    environ = {"PATH": os.environ["PATH"], **BEFORE}
    subprocess.run([shell, "-c", script], cwd=tmp_path, env=environ, check=True)

    def variables(name):
        pairs = (line.split("=", 1) for line in (tmp_path / name).read_text().split("\0") if "=" in line)
        return {name: text for name, text in pairs if name not in SHELLS_OWN}

    inside = variables("in")
    assert inside["AWS_ENDPOINT_URL"] == URL
    assert "AWS_PROFILE" not in inside
    assert inside["PATH"].startswith("/opt:")
    assert variables("out") == environ


def test_function_of_a_python_environment_is_left_alone(tmp_path):
    tools = Toolchain(Path("/bin/sh"), "terraform", "1.11.4", "registry", tmp_path / "cli.tfrc")
    (tmp_path / "env").write_text(up_shell.going_in(Target.local(URL), tools))
    (tmp_path / "out").write_text(up_shell.going_out())
    script = f"deactivate() {{ echo venv; }}; . '{tmp_path}/env'; . '{tmp_path}/out'; deactivate"
    done = subprocess.run(["/bin/sh", "-euc", script], capture_output=True, text=True, check=True)
    assert done.stdout == "venv\n"


def test_shell_of_its_own_gets_the_same_variables_as_one_that_has_sourced_the_file(sourced, tmp_path):
    given = {"PATH": "/usr/bin:/bin", "AWS_PROFILE": "production", "NO_PROXY": "corp", "KEPT": "1"}
    tools = Toolchain(Path("/bin/sh"), "terraform", "1.11.4", "mirror", tmp_path / "cli.tfrc")
    assert up_shell.environ(Target.local(URL), tools, given) == sourced(given)


def test_shell_gets_what_boto3_and_terraform_need(sourced, tmp_path):
    environ = sourced({})
    assert environ["AWS_ENDPOINT_URL"] == URL
    assert environ["AWS_ACCESS_KEY_ID"] == "test"
    assert environ["AWS_REGION"] == "eu-west-1"
    assert environ["TF_CLI_CONFIG_FILE"] == str(tmp_path / "cli.tfrc")
    assert environ["TF_VAR_runtime"] == "python3.8"
    assert environ["TF_WORKSPACE"] == "local"
    assert environ["TF_VAR_ephemeral"] == "true"


def test_shell_forgets_the_users_account(sourced):
    environ = sourced(
        {"AWS_PROFILE": "production", "AWS_ENDPOINT_URL_S3": "https://real", "AWS_SESSION_TOKEN": "a=b\nc"}
    )
    assert not {"AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN"} & set(environ)


def test_current_provider_needs_no_old_runtime(sourced):
    assert "TF_VAR_runtime" not in sourced({}, providers="registry")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "127.0.0.1,localhost,"),
        ({"NO_PROXY": "corp"}, "127.0.0.1,localhost,corp"),
        ({"NO_PROXY": "127.0.0.1"}, "127.0.0.1"),
    ],
)
def test_proxy_of_the_user_is_kept_out_of_the_way(sourced, given, expected):
    environ = sourced({"HTTPS_PROXY": "http://proxy", **given})
    assert environ["NO_PROXY"] == environ["no_proxy"] == expected
    assert environ["HTTPS_PROXY"] == "http://proxy"


def test_sourcing_twice_changes_nothing_more(sourced):
    assert sourced({}, binary="/a b/terraform", times=2) == sourced({}, binary="/a b/terraform")


def test_packaged_terraform_is_put_on_path(sourced):
    assert sourced({}, binary="/no such/tool")["PATH"].split(":")[0] == "/no such"
    assert sourced({}, binary="/bin/sh")["PATH"] == "/usr/bin:/bin"


def test_down_where_nothing_is_up_says_so(tmp_path):
    lines = []
    down(tmp_path, say=lines.append)
    (tmp_path / ".event-harness").mkdir()
    down(tmp_path, say=lines.append)
    assert lines == ["no local AWS emulator is up here"] * 2


def test_down_removes_the_files_of_a_dead_emulator(tmp_path, monkeypatch):
    """After a reboot, say."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    state, override = tmp_path / ".event-harness", tmp_path / OVERRIDE
    (state / "up" / "tmp").mkdir(parents=True)
    (state / "env").touch()
    override.touch()
    (tmp_path / "terraform.tfstate").touch()
    (state / "up.json").write_text(json.dumps({"lock_to_come": True}))
    down(tmp_path, say=lambda line: None)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".event-harness", "terraform.tfstate"]
    assert [path.name for path in state.iterdir()] == ["up.lock"]


@pytest.fixture
def emulator(tmp_path, monkeypatch):
    """A local AWS emulator that doesn't run; the ones that were stopped are listed."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    (tmp_path / "main.tf").write_text('provider "aws" {}\n')

    class Fake:
        endpoint_url, pid, port, running, stopped = URL, os.getpid(), 4567, [], []
        credentials = Credentials("AKIAEMULATOR", "secret")

        @classmethod
        def find(cls, directory):
            return next((one for one in cls.running if one.directory == directory), None)

        @classmethod
        def find_by_mark(cls, project):
            return list(cls.running)

        @classmethod
        def start(cls, directory, **_):
            cls.running.append(cls())
            cls.running[0].directory = directory
            return cls.running[0]

        @classmethod
        def end(cls, directory):
            assert not cls.running

        def target(self):
            return Target.local(URL)

        def outlive(self):
            assert (self.directory.parent / up_shell.IN).exists()  # it is of use only from now on

        def stop(self):
            self.stopped.append(self.running.pop())

    for module in (up_module, up_files):
        monkeypatch.setattr(module, "LocalEmulator", Fake)
    monkeypatch.setattr(up_files, "answers", lambda port: False)
    tools = Toolchain(Path("/bin/sh"), "terraform", "1.11.4", "mirror", tmp_path / "cli.tfrc")
    monkeypatch.setattr(up_module.toolchain, "find", lambda *_, **__: tools)
    return Fake


def test_up_again_says_that_it_is_up(tmp_path, emulator):
    lines = []
    first = up(tmp_path, say=lines.append)
    assert up(tmp_path, say=lines.append) is first
    assert lines[-1].startswith(f"the local AWS emulator is up already, at {URL}")


def test_up_on_another_port_than_that_of_the_emulator_that_is_up_is_refused(tmp_path, emulator):
    first = up(tmp_path, say=lambda line: None)
    assert up(tmp_path, port=first.port, say=lambda line: None) is first
    with pytest.raises(
        SettingError, match="--port is 4600, but the local AWS emulator is up already, at http"
    ):
        up(tmp_path, port=4600, say=lambda line: None)
    assert emulator.running == [first]


def test_down_in_a_copy_of_a_project_leaves_the_emulator_of_the_original(tmp_path, emulator, monkeypatch):
    original, copy = tmp_path / "original", tmp_path / "copy"
    original.mkdir()
    (original / "main.tf").write_text("")
    up(original, say=lambda line: None)
    (original / ".event-harness" / "up").mkdir(exist_ok=True)
    shutil.copytree(original, copy)
    ended = []
    monkeypatch.setattr(emulator, "end", ended.append)
    down(copy, say=lambda line: None)
    assert emulator.stopped == []
    assert ended == [copy / ".event-harness" / "up"]


def test_down_ends_the_emulator_of_a_project_that_was_moved(tmp_path, emulator):
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    (old / "main.tf").write_text("")
    up(old, say=lambda line: None)
    old.rename(new)
    down(new, say=lambda line: None)
    assert len(emulator.stopped) == 1
    assert sorted(path.name for path in new.iterdir()) == [".event-harness", "main.tf"]


def test_down_through_a_link_ends_the_emulator(tmp_path, emulator):
    root = tmp_path / "root"
    root.mkdir()
    (root / "main.tf").write_text("")
    up(root, say=lambda line: None)
    (tmp_path / "link").symlink_to(root)
    down(tmp_path / "link", say=lambda line: None)
    assert len(emulator.stopped) == 1


def test_down_ends_no_emulator_of_another_project(tmp_path, emulator):
    for name in ("mine", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.tf").write_text("")
    up(tmp_path / "other", say=lambda line: None)
    lines = []
    down(tmp_path / "mine", say=lines.append)
    assert lines == ["no local AWS emulator is up here"]
    assert emulator.stopped == []


@pytest.mark.parametrize("command", [up, down])
def test_emulator_whose_files_were_deleted_is_ended(tmp_path, emulator, command):
    up(tmp_path, say=lambda line: None)
    shutil.rmtree(tmp_path / ".event-harness")
    command(tmp_path, say=lambda line: None)
    assert len(emulator.stopped) == 1
    if command is down:
        assert [path.name for path in tmp_path.iterdir()] == ["main.tf"]


def test_down_undoes_all_that_up_did_to_the_root(tmp_path, emulator):
    up(tmp_path, say=lambda line: None)
    assert (tmp_path / OVERRIDE).exists()
    down(tmp_path, say=lambda line: None)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".event-harness", "main.tf"]


@pytest.mark.parametrize("mine", ["my locked providers", None])
def test_users_provider_lock_is_set_aside_and_brought_back(tmp_path, emulator, mine):
    """Theirs wants a provider that the mirror lacks, and the mirror's is nothing for a real account."""
    lock = tmp_path / ".terraform.lock.hcl"
    if mine:
        lock.write_text(mine)
    up(tmp_path, say=lambda line: None)
    assert not lock.exists()
    lock.write_text("aws 3.39")
    down(tmp_path, say=lambda line: None)
    assert (lock.read_text() if lock.exists() else None) == mine


@pytest.mark.parametrize(
    ("state", "stays"),
    [
        ('{"resources": [{"arn": "arn:aws:sqs:eu-west-1:000000000000:q"}]}', False),
        ('{"resources": []}', False),
        ('{"resources": [{"arn": "arn:aws:sqs:eu-west-1:123456789012:q"}]}', True),
        ('{"resources": [{"arn": "arn:aws:sqs:eu-west-1:123456789012:000000000000"}]}', True),
        ('{"resources": [{"id": "a random_id"}]}', True),
    ],
)
def test_down_deletes_the_state_of_the_emulators_resources(tmp_path, emulator, state, stays):
    file = tmp_path / "terraform.tfstate.d" / "local" / "terraform.tfstate"
    file.parent.mkdir(parents=True)
    up(tmp_path, say=lambda line: None)
    file.write_text(state)
    down(tmp_path, say=lambda line: None)
    assert file.exists() is stays
    assert file.parent.parent.exists() is stays


@pytest.mark.parametrize(
    ("state", "stays"),
    [
        ('{"resources": [{"arn": "arn:aws:s3:::a-bucket"}]}', False),
        ('{"resources": [{"arn": "arn:aws:sqs:eu-west-1:123456789012:q"}]}', True),
    ],
)
def test_state_created_since_up_is_deleted_also_without_an_account(tmp_path, emulator, state, stays):
    file = tmp_path / "terraform.tfstate.d" / "local" / "terraform.tfstate"
    up(tmp_path, say=lambda line: None)
    file.parent.mkdir(parents=True)
    file.write_text(state)
    down(tmp_path, say=lambda line: None)
    assert file.exists() is stays


def test_down_deletes_an_empty_workspace_of_init_and_keeps_an_older_one(tmp_path, emulator):
    workspace = tmp_path / "terraform.tfstate.d" / "local"
    up(tmp_path, say=lambda line: None)
    workspace.mkdir(parents=True)
    down(tmp_path, say=lambda line: None)
    assert not workspace.parent.exists()
    workspace.mkdir(parents=True)
    up(tmp_path, say=lambda line: None)
    down(tmp_path, say=lambda line: None)
    assert workspace.exists()


@pytest.mark.parametrize("record", ["", '{"pid": 1, "lock', "[]", "{}"])
@pytest.mark.parametrize("state", [None, "", '{"resources": [{"id": "a'])
def test_up_and_down_work_with_a_record_or_state_that_was_cut_off(tmp_path, emulator, record, state):
    file = tmp_path / "terraform.tfstate.d" / "local" / "terraform.tfstate"
    lock, override = tmp_path / ".terraform.lock.hcl", tmp_path / OVERRIDE
    if state is not None:
        file.parent.mkdir(parents=True)
        file.write_text(state)
    up(tmp_path, say=lambda line: None)
    emulator.running.clear()
    lock.write_text("the mirror's, or mine")
    (tmp_path / ".event-harness" / "up.json").write_text(record)
    up(tmp_path, say=lambda line: None)
    (tmp_path / ".event-harness" / "up.json").write_text(record)
    down(tmp_path, say=lambda line: None)
    assert not override.exists()
    assert not (tmp_path / ".event-harness" / "up.json").exists()
    assert lock.read_text() == "the mirror's, or mine"
    assert (file.read_text() if file.exists() else None) == state


def test_up_that_fails_leaves_nothing(tmp_path, emulator, monkeypatch):
    """Here in the files that it writes after the start."""

    def refused(*_arguments, **_options):
        raise ConfigurationError("this can't be read")

    monkeypatch.setattr(up_module, "write_override", refused)
    with pytest.raises(ConfigurationError, match="this can't be read"):
        up(tmp_path, say=lambda line: None)
    assert len(emulator.stopped) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["main.tf"]


def test_up_announces_what_it_writes_into_the_root_and_hides_it_from_git(tmp_path, emulator):
    subprocess.run([shutil.which("git"), "init", "-q", str(tmp_path)], check=True)
    exclude = tmp_path / ".git/info/exclude"
    before = exclude.read_text()
    (tmp_path / "main.tf").write_text('provider "aws" {}\n')
    said = []
    up(tmp_path, say=said.append)
    assert f"written: {OVERRIDE}, which leads terraform to the emulator; `down` deletes it" in said
    status = subprocess.run(
        [shutil.which("git"), "status", "--porcelain"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert status.stdout == "?? main.tf\n"
    down(tmp_path, say=said.append)
    assert exclude.read_text() == before
    assert not (tmp_path / OVERRIDE).exists()


def test_up_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    def refused(**_arguments):
        raise EmulatorError("port 1 is taken")

    (tmp_path / "main.tf").touch()
    monkeypatch.setattr(up_module.toolchain, "find", refused)
    with pytest.raises(EmulatorError):
        up(tmp_path, say=lambda _line: None)
    assert [path.name for path in tmp_path.iterdir()] == ["main.tf"]


def test_up_that_fails_leaves_what_others_have_recorded(tmp_path, monkeypatch):
    def refused(**_arguments):
        (tmp_path / ".event-harness/deployments/d1").mkdir(parents=True)
        raise EmulatorError("port 1 is taken")

    (tmp_path / "main.tf").touch()
    monkeypatch.setattr(up_module.toolchain, "find", refused)
    with pytest.raises(EmulatorError):
        up(tmp_path, say=lambda _line: None)
    assert (tmp_path / ".event-harness/deployments/d1").is_dir()


def left_behind(root, *, record=None):
    """A root as an `up` leaves it if all its processes are killed at once."""
    (root / ".event-harness").mkdir(exist_ok=True)
    (root / OVERRIDE).write_text(json.dumps({"//": OF_UP}))
    if record is not None:
        (root / ".event-harness" / "up.json").write_text(json.dumps(record))


def take_back(*roots):
    said = []
    up_files.forget_what_a_gone_one_left(roots, said.append)
    return said


@pytest.mark.parametrize("record", [None, {}, {"port": 1, "lock_to_come": True}])
def test_next_command_deletes_the_override_of_an_emulator_that_is_gone(tmp_path, emulator, record):
    left_behind(tmp_path, record=record)
    (said,) = take_back(tmp_path, tmp_path)
    assert said.startswith(f"deleted {tmp_path / OVERRIDE}: the local AWS emulator of `up`, ")
    assert not (tmp_path / OVERRIDE).exists()
    assert take_back(tmp_path) == []


def test_users_provider_lock_comes_back_with_it(tmp_path, emulator):
    lock = tmp_path / ".terraform.lock.hcl"
    lock.write_text("my locked providers")
    up(tmp_path, say=lambda line: None)
    lock.write_text("aws 3.39")
    emulator.running.clear()
    take_back(tmp_path)
    assert lock.read_text() == "my locked providers"


def test_override_of_an_emulator_that_is_up_stays(tmp_path, emulator):
    up(tmp_path, say=lambda line: None)
    assert take_back(tmp_path) == []
    assert (tmp_path / OVERRIDE).exists()
    assert (tmp_path / ".event-harness" / "env").exists()


def test_override_stays_while_an_up_or_a_down_is_at_work(tmp_path, emulator):
    left_behind(tmp_path, record={})
    with FileLock(tmp_path / ".event-harness" / up_files.LOCKED):
        script = (
            "from pathlib import Path\n"
            "from event_harness.deployments.up_files import forget_what_a_gone_one_left\n"
            f"forget_what_a_gone_one_left([Path({str(tmp_path)!r})], print)\n"
        )
        assert subprocess.check_output([sys.executable, "-c", script], text=True) == ""
    assert (tmp_path / OVERRIDE).exists()


def test_override_of_an_emulator_on_another_machine_stays(tmp_path, emulator):
    """Its processes can't be seen from here: a checkout on a shared disk, or one in a container."""
    left_behind(tmp_path, record={"port": 1, "machine": "another"})
    (said,) = take_back(tmp_path)
    assert "a local AWS emulator of the machine another: if that is gone, run `" in said
    assert (tmp_path / OVERRIDE).exists()


def test_override_stays_if_an_emulator_answers_at_its_port(tmp_path, emulator, monkeypatch):
    """As seen from a container that shares the host's network and name."""
    monkeypatch.setattr(up_files, "answers", lambda port: port == 4567)
    left_behind(tmp_path, record={"port": 4567})
    assert take_back(tmp_path) == []
    assert (tmp_path / OVERRIDE).exists()


@pytest.mark.parametrize("name", [OVERRIDE, IMPLICIT_PROVIDER])
def test_file_of_that_name_that_up_did_not_write_is_never_touched(tmp_path, emulator, name):
    mine = tmp_path / name
    mine.write_text('{"provider": {"aws": {"region": "eu-west-1"}}}')
    assert take_back(tmp_path) == []
    with pytest.raises(ConfigurationError, match="was not written by `up`"):
        up(tmp_path, say=lambda line: None)
    down(tmp_path, say=lambda line: None)
    assert mine.read_text() == '{"provider": {"aws": {"region": "eu-west-1"}}}'
    assert emulator.running == []


def test_override_names_the_emulators_key_which_no_account_takes(tmp_path, emulator):
    """A terraform that doesn't point to the emulator must not work in the account of an ambient profile."""
    (tmp_path / "main.tf").write_text('provider "aws" {\n  profile = "staging"\n}\n')
    up(tmp_path, say=lambda line: None)
    (block,) = json.loads((tmp_path / OVERRIDE).read_text())["provider"]["aws"]
    assert (block["access_key"], block["secret_key"]) == ("AKIAEMULATOR", "secret")
    assert (tmp_path / OVERRIDE).stat().st_mode & 0o077 == 0
