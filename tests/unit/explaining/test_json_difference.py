"""The difference of two JSON values, by path."""

import pytest

from event_harness.explaining.json_difference import json_difference


@pytest.mark.parametrize(
    ("expected", "got", "lines"),
    [
        ({"total": 11, "id": "a"}, {"id": "a", "total": 10}, ["total: expected 11, got 10"]),
        ({"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"c": 3}]}}, ["a.b[1].c: expected 2, got 3"]),
        ({"a": 1}, {}, ["a: expected 1, got nothing"]),
        ({}, {"a": "x"}, ['a: expected nothing, got "x"']),
        ({"a b": 1}, {"a b": 2}, ['"a b": expected 1, got 2']),
        ([1, 2], [1], ["the list: expected 2 items, got 1 item"]),
        ({"a": [1, 2]}, {"a": [2]}, ["a[0]: expected 1, got 2", "a: expected 2 items, got 1 item"]),
        ({"paid": True}, {"paid": 1}, ["paid: expected true, got 1"]),
        ({"a": 1}, {"a": "1"}, ['a: expected 1, got "1"']),
        ({"a": None}, {}, ["a: expected null, got nothing"]),
        (1, [1], ["the value: expected 1, got [1]"]),
        (1, {"a": 1}, ['the value: expected 1, got {"a": 1}']),
        ({"a": 1}, 1, ['the value: expected {"a": 1}, got 1']),
        ([1], {"a": 1}, ['the value: expected [1], got {"a": 1}']),
        ({"a": 1}, [1], ['the value: expected {"a": 1}, got [1]']),
    ],
)
def test_a_difference_is_told_by_its_path(expected, got, lines):
    assert json_difference(expected, got) == lines


@pytest.mark.parametrize(("expected", "got"), [({"a": 1}, {"a": 1.0}), ([], []), ({"a": (1,)}, {"a": [1]})])
def test_equal_values_do_not_differ(expected, got):
    assert json_difference(expected, got) == []


def test_a_long_text_is_never_cut_before_the_difference():
    (line,) = json_difference({"note": "x" * 500 + "A" + "y" * 500}, {"note": "x" * 500 + "B" + "y" * 500})
    assert 'expected …"xxxxxxxxxxxxA' in line
    assert 'got …"xxxxxxxxxxxxB' in line
    assert "from character 501 on" in line
    assert len(line) < 200


def test_a_long_text_that_is_the_beginning_of_another_differs_where_it_ends():
    (line,) = json_difference({"note": "x" * 100}, {"note": "x" * 120})
    assert "(differs from character 101 on)" in line


def test_many_differences_are_counted():
    lines = json_difference(dict.fromkeys("abcdefghijkl", 1), dict.fromkeys("abcdefghijkl", 2))
    assert len(lines) == 9
    assert lines[-1] == "and 4 more differences"
