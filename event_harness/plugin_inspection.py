"""The part of the plugin that looks into functions: `--harness-debug`, and the functions' part of `--cov`."""

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from event_harness.errors import SettingError
from event_harness.plugin_process import FOUND_KEY, SETTINGS_KEY, STDERR_KEY

if TYPE_CHECKING:  # a session that looks into nothing loads none of it
    from event_harness.deployments.record import DeploymentRecord
    from event_harness.inspecting.inspection import Inspection
    from event_harness.system.deployed_system import DeployedSystem

INSPECTION_KEY = pytest.StashKey["Inspection"]()


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Check that functions can be debugged. The main process tells the user which of them wait."""
    config.stash[FOUND_KEY] = lambda system, record: _begin(config, system, record)
    settings = config.stash[SETTINGS_KEY]
    if not settings["debug"]:
        return
    from event_harness.inspecting.debugging import check_installed

    if settings["target"] == "aws":
        raise pytest.UsageError(
            "--harness-debug debugs functions of the local AWS emulator, not those on aws"
        )
    try:
        check_installed()
    except SettingError as error:
        raise pytest.UsageError(str(error)) from error
    if _is_main(config):
        inspection(config).announce()


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say where coverage can't see the functions."""
    if config.pluginmanager.hasplugin("_cov") and config.stash[SETTINGS_KEY]["target"] == "aws":
        return ["event-harness: --cov doesn't see what functions run on aws: only on a local emulator"]
    return []


def inspection(config: pytest.Config) -> "Inspection":
    """What this session looks into. Its main process ends it."""
    from event_harness.aws.instruments import Owner
    from event_harness.inspecting.inspection import Inspection

    if INSPECTION_KEY not in config.stash:
        lent = getattr(config, "workerinput", {}).get("event_harness")
        settings = config.stash[SETTINGS_KEY]
        config.stash[INSPECTION_KEY] = Inspection(
            config.rootpath / settings["state_dir"],
            config.rootpath,
            Owner.parse(Path(lent).name) if lent else Owner.this_process(),
            debug=settings["debug"],
            cov=config.pluginmanager.getplugin("_cov"),
            say=config.stash[STDERR_KEY].write,
        )
    return config.stash[INSPECTION_KEY]


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Deliver the coverage of the functions before pytest-cov combines and reports."""
    mine = _is_measured(session.config) and _is_main(session.config)
    try:
        done = yield
    except BaseException:  # Ctrl-C, or --exitfirst with workers: pytest-cov then combines nothing
        if mine:
            inspection(session.config).coverage_is_partial = True
        raise
    if mine:
        inspection(session.config).deliver_coverage()
    return done


def pytest_unconfigure(config: pytest.Config) -> None:
    """Delete what is left of the session. Its deployment has been destroyed by now."""
    if INSPECTION_KEY in config.stash and _is_main(config):
        config.stash[INSPECTION_KEY].close()


def silence_coverage(config: pytest.Config) -> None:
    """Let a worker of pytest-xdist not warn that its tests run no source: the system's functions run them."""
    if _is_measured(config) and not _is_main(config):
        inspection(config).silence_coverage()


def _begin(config: pytest.Config, system: "DeployedSystem", record: "DeploymentRecord | None") -> None:
    """Let the functions of the system be debugged or measured, if the session wants that."""
    if config.stash[SETTINGS_KEY]["debug"] or _is_measured(config):
        from event_harness.terraform import archives

        made = {}
        if record:
            made = archives.made_from(record.state, record.configuration_dir, Path(record.root))
        inspection(config).begin(system, made)


def _is_measured(config: pytest.Config) -> bool:
    return config.pluginmanager.hasplugin("_cov") and config.stash[SETTINGS_KEY]["target"] != "aws"


def _is_main(config: pytest.Config) -> bool:
    return not hasattr(config, "workerinput")
