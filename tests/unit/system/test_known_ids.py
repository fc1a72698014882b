import pytest

from event_harness.system.known_ids import KnownIds

FRESH = "s/01ARZ3NDEKTSV4RRFFQ69G5FAV"
SENT = ("s/order.txt", "s/order.txt.copy.txt", "s/order", FRESH, f"{FRESH}/input.txt")


@pytest.fixture
def ids():
    known = KnownIds(["in/*.csv", "out/*/data.json", "no asterisk", None])
    for one in SENT:
        known.note(one)
    return known


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ("s/order.txt", "s/order.txt"),
        ("in/s/order.txt", "s/order.txt"),
        ("s/order.txt.copy.txt", "s/order.txt.copy.txt"),
        ("in/s/order.txt.copy.txt.csv", "s/order.txt.copy.txt"),
        ("s/order.txt.bak", None),
        ("s/order.txt.bak.txt", None),
        ("s/order.json", None),
        ("s/order.csv", "s/order"),
        ("in/s/order.txt.csv", "s/order.txt"),
        ("out/s/order/data.json", "s/order"),
        ("out/s/order/other.json", None),
        (f"in/order-{FRESH}.tar.gz", FRESH),
        (f"{FRESH}/input.txt", f"{FRESH}/input.txt"),
        (f"{FRESH}/input.txt.copy.txt", None),
        (f"{FRESH}.d/other.csv", None),
        (f"{FRESH}D", None),
        ("s/order.txt/part", None),
        ("other", None),
    ],
)
def test_a_text_carries_one_whole_id_and_only_what_a_pattern_allows_may_follow(ids, text, owner):
    assert [sent for sent in SENT if ids.carries(text, sent)] == [owner][: owner is not None]
    assert ids.owner(text, "s") == owner


def test_an_id_that_was_not_sent_is_still_another_id():
    ids = KnownIds()
    ids.note("s/order.txt")
    assert not ids.carries("s/order.txt.copy.txt", "s/order.txt")
    assert not ids.carries("s/order.txt", "s/order.txt.copy.txt")
    assert not ids.mentions("copied s/order.txt.copy.txt", "s/order.txt")
    assert not ids.mentions("copied s/order.txt", "s/order.txt.copy.txt")


def test_an_empty_id_is_carried_by_nothing():
    assert not KnownIds().carries("text", "")


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("handled s/order.txt", True),
        ("handled s/order.txt.", True),
        ("handled in/s/order.txt, 3 bytes", True),
        ('{"key": "s/order.txt"}', True),
        ("KeyError: 's/order.txt'", True),
        ("s3://bucket/in/s/order.txt.csv?versionId=1", True),
        ("s/order.txt: amount is missing", True),
        ("handled s/order.txt.copy.txt", False),
        ("handled s/order.txt/part-1", False),
        ("handled s/order.txt-2", False),
        ("handled xs/order.txt", False),
        ("order.txt is the name of many files", False),
        ("handled s2/order.txt", False),
    ],
)
def test_a_log_line_names_a_whole_id_of_the_users_own(ids, line, named):
    assert ids.mentions(line, "s/order.txt") == named


@pytest.mark.parametrize("line", ["handled 01ARZ3NDEKTSV4RRFFQ69G5FAV", f"wrote {FRESH}.json.", f"{FRESH}/x"])
def test_a_log_line_names_a_fresh_id_by_its_ulid(ids, line):
    assert ids.mentions(line, FRESH)


def test_a_log_line_with_a_longer_id_that_was_sent_is_of_that(ids):
    assert not ids.mentions(f"wrote {FRESH}/input.txt", FRESH)
    assert ids.mentions(f"wrote {FRESH}/input.txt", f"{FRESH}/input.txt")


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("out/s/order.txt", True),
        ("order.txt", True),
        ("s/order.txt.csv", True),
        ("s/order.txt.copy.txt", False),
        ("s/disorder.txt", False),
        ("s/order", False),
    ],
)
def test_a_changed_id_is_told_from_another_one(ids, other, same):
    assert ids.resembles(other, "s/order.txt") == same


def test_the_id_that_the_service_gave_is_kept():
    ids = KnownIds()
    ids.note("s/a", "message-1")
    ids.note("s/a")
    assert ids.given == {"s/a": "message-1"}
