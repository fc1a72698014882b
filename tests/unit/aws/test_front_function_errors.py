"""The error of a function has the type of its exception."""

import traceback

import pytest

from event_harness.aws.front.function_errors import type_of, typed


class RefusedError(Exception):
    pass


def raised(error):
    try:
        raise error
    except Exception:
        return traceback.format_exc()


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (KeyError("id"), "KeyError"),
        (RefusedError("no"), "RefusedError"),
        (RefusedError("two\nlines: of text"), "RefusedError"),
        (RefusedError(), "RefusedError"),
    ],
)
def test_type_is_that_of_the_traceback(error, name):
    result = {"error": True, "body": {"errorType": "Runtime.HandlerError", "errorMessage": str(error)}}
    run = typed(lambda *_: {**result, "log": f"a line\n{raised(error)}"})
    assert run(None, {}, "r")["body"] == {"errorType": name, "errorMessage": str(error)}


@pytest.mark.parametrize(
    ("log", "message"), [("", "no"), ("Error: no\n    at handler", "no"), ("not a name: no", "no")]
)
def test_type_of_another_text_is_not_known(log, message):
    assert type_of(log, message) is None


def test_other_errors_keep_their_type():
    late = {
        "error": True,
        "body": {"errorType": "Sandbox.Timedout", "errorMessage": "x"},
        "log": "KeyError: x",
    }
    assert typed(lambda *_: late)(None, {}, "r") == late
