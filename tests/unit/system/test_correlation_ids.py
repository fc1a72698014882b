import pytest
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from hypothesis import given
from hypothesis import strategies as st
from listener_fakes import client_error

from event_harness.aws.errors import can_heal, code_of, message_of
from event_harness.system.correlation import (
    case_id_of,
    check_session_id,
    new_id,
    new_session_id,
    session_id_of,
    with_slash,
    without_slash,
)


def test_fresh_ids_of_a_session_differ():
    assert len({new_id("run") for _ in range(100)}) == 100


@given(st.text(min_size=1))
def test_any_id_belongs_to_its_session_and_keeps_what_was_asked_for(own):
    made = new_id("run", own)
    assert session_id_of(made) == "run"
    assert made.endswith(own)


@pytest.mark.parametrize(
    ("own", "made"), [("run", "run/run"), ("run/", "run/run/"), ("run/a", "run/a"), ("runs/a", "run/runs/a")]
)
def test_an_id_that_already_begins_with_its_session_stays_if_it_names_a_case(own, made):
    assert new_id("run", own) == made


def test_the_case_may_contain_slashes():
    assert case_id_of("run/a/b") == "a/b"
    assert case_id_of("alone") == ""


def test_an_id_without_its_slash_gets_it_back():
    made = new_id(new_session_id(), "order_17/a")
    assert without_slash(made) == made.replace("/", "_", 1)
    assert with_slash(f"arn:x:{without_slash(made)}") == f"arn:x:{made}"
    assert with_slash("run_1, s1_2 and xs1m86p1qsytdxp_a") == "run_1, s1_2 and xs1m86p1qsytdxp_a"


def test_a_good_session_id_is_returned():
    assert check_session_id("r1m81") == "r1m81"


@pytest.mark.parametrize(
    "error",
    [
        client_error("ThrottlingException"),
        client_error("SlowDown", status=503),
        client_error("Unheard", status=500),
        client_error("TooMany", status=429),
        EndpointConnectionError(endpoint_url="http://x"),
        ConnectTimeoutError(endpoint_url="http://x"),
        ReadTimeoutError(endpoint_url="http://x"),
    ],
    ids=str,
)
def test_what_may_heal(error):
    assert can_heal(error)


@pytest.mark.parametrize(
    "error",
    [
        client_error("AccessDenied", status=403),
        client_error("NoSuchBucket", status=404),
        client_error("ValidationException"),
        NoCredentialsError(),
        ValueError("ours"),
    ],
    ids=str,
)
def test_what_cannot_heal(error):
    assert not can_heal(error)


def test_an_error_of_aws_is_told_in_one_line():
    assert message_of(client_error("Code", "a\nb")) == "Code: a b"
    assert code_of(client_error("Code")) == "Code"
    assert message_of(ValueError("x\ny")) == "ValueError: x y"
