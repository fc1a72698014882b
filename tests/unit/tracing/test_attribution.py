"""Which inputs a text names."""

import pytest

from event_harness.tracing.attribution import Attribution

ULID_1, ULID_2 = "01M8AYZGF6WJ7MGXCTF86MPQ7N", "01M8AYZA7EATGQ4E64ETJ4PVS3"
SESSION = "s1m8ayz87jefz8"
ONE, TWO = f"{SESSION}/{ULID_1}/input.txt", f"{SESSION}/{ULID_2}"
MESSAGE = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def inputs():
    known = Attribution(["in/*.csv"])
    known.add(ONE)
    known.add(TWO, MESSAGE)
    known.add(f"{SESSION}/order-17")
    known.add(f"{SESSION}/order-17.txt.copy.txt")
    return known


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f"processing {ONE}", {ONE}),
        (f"processing {ULID_1}", {ONE}),
        (f'{{"id": "{TWO}", "other": "{ULID_1}"}}', {ONE, TWO}),
        (f"s3://bucket/in/{TWO}.csv: done.", {TWO}),
        (f"key={SESSION}%2F{ULID_2}", {TWO}),
        (f"message {MESSAGE} is bad", {TWO}),
        (f"{SESSION}/order-17, later", {f"{SESSION}/order-17"}),
        (f"{SESSION}/order-17.txt.copy.txt", {f"{SESSION}/order-17.txt.copy.txt"}),
        (f"{SESSION}/order-170", set()),
        ("order-17", set()),  # somebody else may have such an order
        ("nothing of interest", set()),
        (f"x{ULID_1}", set()),
    ],
)
def test_a_text_names_inputs_by_whole_ids_by_the_fresh_part_and_by_their_messages(inputs, text, named):
    assert inputs.named_in(text) == named


def test_a_text_may_name_an_input_that_is_not_known_yet():
    known = Attribution()
    assert known.may_name(f"processing {ULID_1}")
    assert known.may_name(MESSAGE)
    assert not known.may_name("processing")
    assert known.named_in(f"processing {ONE}") == set()
    known.add(ONE)
    assert known.named_in(f"processing {ONE}") == {ONE}
