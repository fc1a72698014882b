import re
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from listener_fakes import World, client_error

from event_harness.errors import BodyError, ResultsUnavailableError, SettingError
from event_harness.listening.matching import Matcher, difference


def result_of(body, **more):
    world = World()
    world.table.record("run/a", body, **more)
    return world.listener.results()[0]


def reason(until, result):
    matcher = Matcher(until)
    assert not matcher.accepts(result)
    return matcher.misses([result])[0][1]


@pytest.mark.parametrize(
    ("until", "body"),
    [
        (None, "anything"),
        ("HELLO", "HELLO"),
        (b"\xff\x00", b"\xff\x00"),
        ({"a": [1, {"b": None}]}, '{"a": [1, {"b": null}]}'),
        ([1, 2], "[1,2]"),
        ({"a": (1, 2.0)}, '{"a": [1.0, 2]}'),
        (lambda result: result.text.startswith("HE"), "HELLO"),
        (lambda result: [result], "HELLO"),
    ],
)
def test_what_is_awaited_is_accepted(until, body):
    assert Matcher(until).accepts(result_of(body))


@pytest.mark.parametrize("until", ["HELLo", b"HELLo", ["HELLO"], lambda result: "", lambda result: None])
def test_what_is_not_awaited_is_not(until):
    assert not Matcher(until).accepts(result_of('"HELLO"'))


def test_a_text_of_other_content_says_where_it_differs():
    assert reason("one\ntwo\nthree", result_of("one\ntwo!\nthree")).splitlines() == [
        "differs from line 2, column 4 on (expected 13 characters, got 14)",
        "- expected, + got:",
        "- two",
        "+ two!",
        "  three",
    ]


def test_bytes_of_other_content_say_where_they_differ():
    assert reason(b"ab\x01", result_of(b"ab\xff\xfe")).splitlines() == [
        "differs from byte 2 on (expected 3 bytes, got 4)",
        "- 01",
        "+ ff fe",
    ]


def test_json_is_compared_by_value_and_shown_field_by_field():
    text = reason({"b": 1, "a": [2]}, result_of('{"a": [3], "b": 1}'))
    assert text == "a[0]: expected 2, got 3"


@pytest.mark.parametrize(
    ("until", "body"),
    [
        ({"paid": True}, '{"paid": 1}'),
        ({"paid": 0}, '{"paid": false}'),
        ([[True]], "[[1]]"),
        ({"a": 1}, '{"a": 1, "b": 2}'),
        ([1], "[1, 2]"),
    ],
)
def test_json_that_python_would_take_for_equal_is_not(until, body):
    assert reason(until, result_of(body))


def test_a_predicate_that_says_no_is_told_how_it_could_say_why():
    assert reason(lambda result: False, result_of("x")) == (
        "the predicate said no (use assert in it, and its message stands here)"
    )


def test_a_body_that_cannot_be_read_as_asked_is_a_failed_match():
    assert "BodyError" in reason("text", result_of(b"\xff"))
    assert "not JSON" in reason({"a": 1}, result_of("text"))


def test_a_difference_never_shows_the_whole_of_a_large_text():
    expected = "".join(f"line {number} {'x' * 200}\n" for number in range(5000))
    got = expected.replace("line 2500", "LINE 2500")
    lines = difference(expected, got)
    assert lines[0].startswith("differs from line 2501, column 1 on")
    assert len(lines) <= 14
    assert max(map(len, lines)) <= 100


def test_a_difference_deep_in_a_long_line_shows_its_neighbourhood():
    lines = difference("a" * 10_000 + "b" + "c" * 10_000, "a" * 10_000 + "B" + "c" * 10_000)
    assert "column 10001" in lines[0]
    assert any("ab" in line for line in lines[2:])
    assert any("aB" in line for line in lines[2:])
    assert max(map(len, lines)) <= 100


@given(st.text("ab\n", max_size=30), st.text("ab\n", max_size=30))
def test_the_place_of_a_difference_is_the_first_one(expected, got):
    lines = difference(expected, got)
    assert bool(lines) == (expected != got)
    if lines:
        line, column = map(int, re.match(r"differs from line (\d+), column (\d+) on", lines[0]).groups())
        pairs = enumerate(zip(expected, got, strict=False))
        at = next((n for n, (a, b) in pairs if a != b), min(len(expected), len(got)))
        before = (expected[:at].splitlines(keepends=True) or [""])[-1]
        ended = before.endswith("\n")
        assert (line, column) == (expected[:at].count("\n") + 1, 1 if ended else len(before) + 1)


@pytest.mark.parametrize(
    ("expected", "got"), [("", "x"), ("x", ""), ("a\n", "a"), ("a\r\n", "a\n"), ("a\nb", "a\nb\nc")]
)
def test_any_difference_is_seen(expected, got):
    assert difference(expected, got)


def test_equal_texts_have_no_difference():
    assert difference("a\nb", "a\nb") == []


def test_a_predicate_that_raises_is_a_failed_match_with_its_message_kept():
    def predicate(result):
        assert result.size == 99, "the size is wrong"

    assert reason(predicate, result_of("x")).startswith(
        "the predicate raised AssertionError: the size is wrong"
    )


def test_a_long_message_of_a_predicate_is_cut():
    def predicate(result):
        raise ValueError("\n".join(f"line {number}" + "x" * 500 for number in range(100)))

    lines = reason(predicate, result_of("x")).splitlines()
    assert len(lines) <= 14
    assert lines[-1] == "… 88 more lines"
    assert max(map(len, lines)) <= 120


def test_a_predicate_is_asked_once_for_each_result():
    asked = []
    matcher = Matcher(lambda result: asked.append(1))
    result = result_of("x")
    assert not matcher.accepts(result)
    assert not matcher.accepts(result)
    assert len(asked) == 1


def test_a_predicate_that_raised_is_asked_again():
    answers = [client_error("ThrottlingException"), True]

    def predicate(result):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    matcher = Matcher(predicate)
    result = result_of("x")
    assert not matcher.accepts(result)
    assert matcher.accepts(result)


@pytest.mark.parametrize(
    "error",
    [
        KeyboardInterrupt(),
        SystemExit(),
        pytest.fail.Exception("by the test"),
        pytest.skip.Exception("by the test"),
        NameError("typo"),
        ModuleNotFoundError("typo"),
        MemoryError(),
        ResultsUnavailableError("gone"),
    ],
    ids=repr,
)
def test_what_cannot_heal_passes_through(error):
    def predicate(result):
        raise error

    with pytest.raises(type(error)):
        Matcher(predicate).accepts(result_of("x"))


def test_the_body_of_a_deleted_object_ends_the_wait():
    with pytest.raises(BodyError, match="was deleted before"):
        Matcher("x").accepts(result_of("", body_kind="gone", gone_reason="deleted"))


def test_the_body_of_an_overwritten_object_is_a_failed_match_for_the_newer_one_is_to_come():
    text = reason("x", result_of("", body_kind="gone", gone_reason="overwritten"))
    assert "was overwritten before" in text


@pytest.mark.parametrize(
    ("until", "near", "far"),
    [
        ("one two three", "one 2 three", "something else"),
        (b"\x00\x01\x02\x03", b"\x00\xff\x02\x03", b"\xff\xff"),
        ({"id": "x", "total": 3.5}, '{"id": "x", "total": 3.0}', '{"keys": {"id": "x"}, "new": {}}'),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_the_nearest_miss_comes_last(until, near, far, order):
    matcher = Matcher(until)
    results = [result_of(near, event_id="near"), result_of(far, event_id="far")][::order]
    assert not any(matcher.accepts(result) for result in results)
    assert [result.event_id for result, _ in matcher.misses(results)] == ["far", "near"]


def test_what_differs_only_in_the_ends_of_lines_shows_them():
    assert reason("one\ntwo\n", result_of("one\r\ntwo\n")).splitlines()[2:4] == [r"- one\n", r"+ one\r\n"]


class Judge:
    def good(self, _result):
        return True


async def coroutine(_result):
    return False


async def asynchronous_generator():
    yield False


@pytest.mark.parametrize(
    ("predicate", "complaint"),
    [
        (coroutine, "returned a coroutine, which is always true; write it with `def`, not with `async def`"),
        (lambda result: asynchronous_generator(), "write it with `def`"),
        (
            lambda result: result.json,
            "the method Result.json, which is always true; call it: add parentheses",
        ),
        (lambda result: Judge().good, "the method Judge.good"),
        (lambda result: coroutine, "the function coroutine"),
        (lambda result: len, "the function len"),
        (lambda result: result.text.isupper, "the function str.isupper"),
        (lambda result: Judge, "the function Judge"),
        (lambda result: partial(len), "the function partial"),
        (lambda result: (item for item in [False]), "a generator, which is always true; put any(...)"),
    ],
)
def test_a_predicate_whose_answer_is_always_true_is_an_error_that_ends_the_wait(predicate, complaint):
    with pytest.raises(SettingError, match=re.escape(complaint)):
        Matcher(predicate).accepts(result_of("x"))
