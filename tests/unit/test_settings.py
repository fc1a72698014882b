import pytest

from event_harness.errors import SettingError
from event_harness.settings import BY_NAME, SETTINGS, Settings, parse


def test_patterns_may_hold_spaces_and_are_given_one_a_line():
    environ = {"EVENT_HARNESS_RETRY": "not yet\n(try|ask) again"}
    assert Settings(environ=environ)["retry"] == ("not yet", "(try|ask) again")
    assert Settings({"retry": ["a b"]}, environ)["retry"] == ("a b",)
    assert Settings(environ={})["retry"] == ()
    with pytest.raises(SettingError, match=r"retry is '\(' .*valid: a regular expression \(.*unterminated"):
        Settings({"retry": ["("]}, {})


def test_default_applies_if_nothing_is_set():
    settings = Settings({}, {}, {})
    assert settings["target"] == "local"
    assert settings.origin("target") == "default"


def test_ini_beats_default():
    assert Settings({}, {}, {"sla": "12"})["sla"] == 12


def test_environment_beats_ini():
    assert Settings({}, {"EVENT_HARNESS_SLA": "7"}, {"sla": "12"})["sla"] == 7


def test_command_line_beats_environment():
    settings = Settings({"sla": "3"}, {"EVENT_HARNESS_SLA": "7"}, {"sla": "12"})
    assert settings["sla"] == 3
    assert settings.origin("sla") == "--harness-sla"


@pytest.mark.parametrize(
    ("name", "text", "valid"),
    [
        ("target", "azure", "local, aws, or the URL"),
        ("sla", "soon", "a number of seconds above 0, at most 86400"),
        ("sla", "-1", "a number of seconds above 0"),
        ("sla", "inf", "a number of seconds above 0"),
        ("sla", "nan", "a number of seconds above 0"),
        ("sla", "86401", "a number of seconds above 0, at most 86400"),
        ("readiness", "1e9", "a number of seconds above 0, at most 86400"),
        ("in_flight", "0", "a whole number from 1 to 1000"),
        ("in_flight", "1001", "a whole number from 1 to 1000"),
        ("ttl", "1e9", "a number of hours above 0, at most 8760"),
        ("region", "Ireland", "the name of an AWS region"),
        ("region", "zz zz", "the name of an AWS region"),
        ("reuse", "d" * 65, "the id of a kept deployment"),
        ("root", "a\0b", "no control characters"),
        ("resources", "map\x1b[31m.json", "no control characters"),
        ("in_flight", "2.5", "a whole number from 1"),
        ("ttl", "0", "a number of hours above 0"),
        ("keep", "perhaps", "true or false"),
        ("var", "name", "NAME=VALUE"),
        ("providers", "pypi", "registry, or mirror"),
        ("root", " ", "a text that isn't empty"),
    ],
)
def test_error_for_a_bad_value_shows_value_origin_and_valid_values(name, text, valid):
    with pytest.raises(SettingError) as error:
        parse(BY_NAME[name], text, "the ini file")
    message = str(error.value)
    assert repr(text) in message
    assert "(the ini file)" in message
    assert valid in message
    assert "\n" not in message


def test_every_source_has_the_same_validator():
    for source in ({"options": {"sla": "x"}}, {"environ": {"EVENT_HARNESS_SLA": "x"}}, {"ini": {"sla": "x"}}):
        with pytest.raises(SettingError, match="sla is 'x'"):
            Settings(**{"environ": {}} | source)


@pytest.mark.parametrize(("text", "count"), [("1", 1), ("50", 50)])
def test_whole_number_from_one_is_accepted(text, count):
    assert Settings({}, {"EVENT_HARNESS_IN_FLIGHT": text}, {})["in_flight"] == count


def test_error_uses_the_option_name_of_the_command():
    with pytest.raises(SettingError, match=r"region is ' ' \(--region\)"):
        Settings({"region": " "}, {}, spelt={"region": "--region"})


def test_emulator_url_is_a_target():
    assert Settings({"target": "http://127.0.0.1:4566/"}, {}, {})["target"] == "http://127.0.0.1:4566"


def test_variables_become_a_mapping():
    settings = Settings({"var": ["owner=me", "tags={a=1}"]}, {}, {})
    assert settings["var"] == {"owner": "me", "tags": "{a=1}"}


def test_readiness_can_be_switched_off():
    assert Settings({}, {"EVENT_HARNESS_READINESS": "0"}, {})["readiness"] == 0


def test_flag_is_read_from_the_environment():
    assert Settings({}, {"EVENT_HARNESS_KEEP": "true"}, {})["keep"] is True


def test_header_shows_each_set_value_with_its_origin():
    header = Settings({"keep": True}, {"EVENT_HARNESS_SLA": "7"}, {"target": "aws"}).header()
    assert "target aws (ini)" in header
    assert "sla 7 s (EVENT_HARNESS_SLA)" in header
    assert "keep True (--harness-keep)" in header
    assert "in_flight" not in header


def test_header_names_input_variables_without_their_values():
    header = Settings({"var": ["password=secret", "size=3"]}, {}, {}).header()
    assert "var password, size (--harness-var)" in header
    assert "secret" not in header


def test_every_setting_has_a_help_text():
    assert all(setting.help for setting in SETTINGS)
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)


def test_files_and_patterns_may_be_given_several_times():
    settings = Settings({"var_file": ["a.tfvars", "b.tfvars"]}, {"EVENT_HARNESS_EXCLUDE": "data\nweb/*"}, {})
    assert settings["var_file"] == ("a.tfvars", "b.tfvars")
    assert settings["exclude"] == ("data", "web/*")
    assert settings["include"] == ()
