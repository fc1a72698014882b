"""The field of an event that a filter doesn't match."""

import pytest

from event_harness.system.event_patterns import unmatched_field, unmatched_key


@pytest.mark.parametrize(
    ("pattern", "event", "told"),
    [
        ({"kind": ["order"]}, {}, 'kind must be "order", the event has no such field'),
        (
            {"kind": ["order"]},
            {"kind": "test"},
            'kind must be "order", the event has another text, of 4 characters',
        ),
        ({"detail": {"total": [{"numeric": [">", 10]}]}}, {"detail": {"total": 9}}, "detail.total must be"),
        ({"a": [{"numeric": [">", 10]}]}, {"a": "11"}, "a must be"),
        ({"a": [{"numeric": [">", 0]}]}, {"a": True}, "a must be"),
        ({"a": [{"numeric": [">", 1]}]}, {"a": 1}, "a must be"),
        ({"a": [{"prefix": "x"}]}, {"a": "y"}, 'a must be {"prefix": "x"}'),
        ({"a": [{"anything-but": ["x"]}]}, {"a": "x"}, "a must be"),
        ({"a": [{"exists": False}]}, {"a": "x"}, "a must be"),
        ({"a": [{"exists": True}]}, {}, "a must be"),
        ({"a": [None]}, {"a": "x"}, "a must be null"),
        ({"a": [1]}, {"a": True}, "a must be 1"),
        ({"$or": [{"a": [1]}, {"b": [1]}]}, {"a": 2}, "none of the alternatives matches"),
        ({"detail": {"id": ["x"]}}, {"detail": "text"}, "detail.id must be"),
    ],
)
def test_the_field_that_does_not_match_is_named_without_the_value_of_the_input(pattern, event, told):
    assert unmatched_field(pattern, event).startswith(told)


@pytest.mark.parametrize(
    ("pattern", "event"),
    [
        ({}, {}),
        ({"kind": ["order", "test"]}, {"kind": "test"}),
        ({"kind": ["order"]}, {"kind": ["test", "order"]}),
        ({"a": [{"numeric": [">", 1, "<=", 5]}]}, {"a": 5}),
        ({"a": [{"numeric": ["<", 5.5]}]}, {"a": 5}),
        ({"a": [{"suffix": ".txt"}]}, {"a": "x.txt"}),
        ({"a": [{"wildcard": "in/*.csv"}]}, {"a": "in/b.csv"}),
        ({"a": [{"equals-ignore-case": "X"}]}, {"a": "x"}),
        ({"a": [{"prefix": {"equals-ignore-case": "X"}}]}, {"a": "xy"}),
        ({"a": [{"anything-but": {"prefix": "x"}}]}, {"a": "y"}),
        ({"a": [{"exists": False}]}, {}),
        ({"a": [{"cidr": "10.0.0.0/8"}]}, {"a": "192.168.0.1"}),  # unknown here: never blamed
        ({"$or": [{"a": [1]}, {"b": [1]}]}, {"b": 1}),
    ],
)
def test_a_filter_that_matches_or_is_not_understood_is_not_blamed(pattern, event):
    assert unmatched_field(pattern, event) is None


def test_the_filter_of_a_notification_names_the_key():
    assert unmatched_key("in/", ".txt", "in/a.txt") is None
    assert unmatched_key(None, None, "a") is None
    assert (
        unmatched_key("in/", None, "a.txt")
        == "takes only keys that begin with 'in/', this one begins with 'a.t'"
    )
    assert (
        unmatched_key("", ".txt", "run/a.md") == "takes only keys that end in '.txt', this one ends in 'a.md'"
    )
