"""What the plugin keeps for one pytest process."""

import os
from types import SimpleNamespace

import pytest

from event_harness.plugin_process import STATUS_KEY, add_status_line


class Config(SimpleNamespace):
    """The part of pytest's configuration that the status line uses."""

    def __init__(self, verbosity=0, **more):
        super().__init__(stash=pytest.Stash(), **more)
        self.get_verbosity = lambda: verbosity
        self.pluginmanager = SimpleNamespace(getplugin=lambda _name: None)


@pytest.fixture
def terminal(monkeypatch, tmp_path):
    """Descriptor 1 is a terminal; returns the file that it shows."""
    shown = tmp_path / "terminal"
    descriptor = os.open(shown, os.O_WRONLY | os.O_CREAT)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(os, "isatty", lambda number: number == 1)
    monkeypatch.setattr(os, "dup", lambda _number: descriptor)
    yield shown
    os.close(descriptor)


def test_a_terminal_gets_the_line_whatever_pytest_captures(terminal):
    config = Config()
    add_status_line(config)
    config.stash[STATUS_KEY].show("waiting 2 s")
    assert "waiting 2 s" in terminal.read_text()


@pytest.mark.parametrize("config", [Config(verbosity=-1), Config(workerinput={})])
def test_quiet_sessions_and_workers_get_none(terminal, config):
    add_status_line(config)
    assert STATUS_KEY not in config.stash


def test_a_terminal_without_commands_gets_none(terminal, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    config = Config()
    add_status_line(config)
    assert STATUS_KEY not in config.stash


def test_a_pipe_gets_none(monkeypatch):
    monkeypatch.setattr(os, "isatty", lambda _descriptor: False)
    config = Config()
    add_status_line(config)
    assert STATUS_KEY not in config.stash
