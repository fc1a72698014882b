"""The shape of an event, and what of it may be shown."""

import pytest

from event_harness.explaining.shapes import decoded, is_sns_envelope, shape, without_content


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (
            {"order": {"id": "12", "lines": [1, 2]}, "total": 11, "paid": True, "note": None},
            "{order: {id: text of 2, lines: list of 2, the first number}, total: number, paid: true or false,"
            " note: null}",
        ),
        ("secret", "text of 6"),
        (b"\xff\xfe", "2 bytes"),
        ([], "list of 0"),
        ({"a": {"b": {"c": {"d": 1}}}}, "{a: {b: {c: object of 1}}}"),
        ({str(n): n for n in range(14)}, "… 2 more}"),
        ({str(n): n for n in range(12)}, "11: number}"),
    ],
)
def test_a_shape_tells_keys_types_and_sizes_but_no_value(value, told):
    assert shape(value).endswith(told)
    assert "secret" not in shape(value)


def test_a_shape_tells_values_where_the_test_asks_for_contents():
    assert shape({"id": "a", "note": "x" * 100}, values=True) == '{id: "a", note: "' + "x" * 39 + "…}"


@pytest.mark.parametrize(("body", "value"), [(b'{"a": 1}', {"a": 1}), (b"text", "text"), (b"\xff", b"\xff")])
def test_a_body_is_decoded_as_far_as_it_can_be(body, value):
    assert decoded(body) == value


def test_the_envelope_of_sns_is_recognised():
    envelope = {"Type": "Notification", "TopicArn": "arn:aws:sns:r:1:t", "MessageId": "1", "Message": "{}"}
    assert is_sns_envelope(envelope)
    assert not any(map(is_sns_envelope, [{}, {**envelope, "Type": "order"}, "Notification", None]))


def test_events_are_shown_without_what_they_carry():
    event = {
        "Records": [{"body": "secret", "messageId": "1", "Sns": {"Message": "secret"}}],
        "detail": {"a": "secret"},
    }
    shown = without_content(event)
    assert "secret" not in str(shown)
    assert shown["Records"][0]["messageId"] == "1"
    assert shown["Records"][0]["body"] == "<6 characters>"
