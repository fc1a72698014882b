import json
from typing import Any

import pytest
from aws_fakes import FakeTable, client_error
from bodies import MAX_INLINE, Overflow
from botocore.exceptions import ClientError
from correlation import MAX_CORRELATION_ID, MAX_EVENT_ID, MAX_SESSION_ID, Correlation
from hypothesis import given
from hypothesis import strategies as st
from records import Gone, Record
from settings import Source
from store import MAX_METADATA, MOST_BYTES, MOST_TOGETHER, Store, Together, Write, bounded_json

SOURCE = Source("orders", "sqs", "arn", "attribute")
RECORD = Record("sqs", "arn", "id", b"", {"message_id": "id", "group": None}, event_time=1_000)
CORRELATION = Correlation("run", "orders:id", "run/case")
OVERFLOW = Overflow("overflow", "session-run/name", 500_000, "abc")


class Clock:
    now = 1_700_000_000.5

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def table() -> FakeTable:
    return FakeTable()


@pytest.fixture
def store(table: FakeTable, clock: Clock) -> Store:
    return Store(table, "results", 3600, clock)


def save(store: Store, body: bytes | Overflow | Gone = b"body", **changes: Any) -> None:
    arguments = {"source": SOURCE, "record": RECORD, "correlation": CORRELATION, "request_id": "request"}
    store.save(store.write(body=body, **(arguments | changes)))


def test_a_result_is_stored_with_all_that_is_known_of_it(store: Store, table: FakeTable) -> None:
    save(store, "text ü".encode())
    assert table.only() == {
        "session_id": "run",
        "event_id": "orders:id",
        "received_at": 1_700_000_000_500,
        "first_received_at": 1_700_000_000_500,
        "deliveries": 1,
        "correlation_id": "run/case",
        "source": "orders",
        "source_type": "sqs",
        "event_time": 1_000,
        "size": 7,
        "body_kind": "text",
        "body": "text ü",
        "metadata": '{"message_id": "id"}',
        "request_id": "request",
        "expires_at": 1_700_003_600,
    }


def test_a_body_that_isnt_utf8_is_kept_as_bytes(store: Store, table: FakeTable) -> None:
    save(store, b"\xff")
    item = table.only()
    assert (item["body_kind"], item["body"], item["size"]) == ("bytes", b"\xff", 1)


def test_an_empty_body_is_an_empty_text(store: Store, table: FakeTable) -> None:
    save(store, b"")
    item = table.only()
    assert (item["body_kind"], item["body"], item["size"]) == ("text", "", 0)


def test_a_claim_check_says_where_the_body_is(store: Store, table: FakeTable) -> None:
    save(store, OVERFLOW)
    item = table.only()
    assert (item["body_kind"], item["size"]) == ("overflow", 500_000)
    assert item["overflow"] == {
        "bucket": "overflow",
        "key": "session-run/name",
        "size": 500_000,
        "sha256": "abc",
    }
    assert "body" not in item


def test_a_copy_made_by_s3_has_no_checksum_of_ours(store: Store, table: FakeTable) -> None:
    save(store, Overflow("overflow", "key", 7))
    assert "sha256" not in table.only()["overflow"]


def test_a_body_that_is_gone_says_why(store: Store, table: FakeTable) -> None:
    save(store, Gone("deleted", 7))
    item = table.only()
    assert (item["body_kind"], item["gone_reason"], item["size"]) == ("gone", "deleted", 7)
    assert "body" not in item


def test_what_isnt_known_is_absent(store: Store, table: FakeTable) -> None:
    record = Record("sqs", "arn", "id", b"", {})
    save(store, record=record, correlation=Correlation("uncorrelated", "orders:id", error="no id"))
    item = table.only()
    assert not {"correlation_id", "event_time"} & set(item)
    assert item["session_id"] == "uncorrelated"
    assert json.loads(item["metadata"]) == {"correlation_error": "no id"}


def test_a_redelivery_renews_the_item_and_is_counted(store: Store, table: FakeTable, clock: Clock) -> None:
    save(store)
    clock.now += 2
    save(store, request_id="second request")
    item = table.only()
    assert item["deliveries"] == 2
    assert item["received_at"] - item["first_received_at"] == 2_000
    assert item["request_id"] == "second request"


def test_another_event_is_another_item(store: Store, table: FakeTable) -> None:
    save(store)
    save(store, correlation=Correlation("run", "orders:other id", "run/case"))
    assert [item["deliveries"] for item in table.all()] == [1, 1]


@pytest.mark.parametrize("first", [b"body", OVERFLOW])
def test_a_redelivery_after_the_object_is_gone_keeps_what_was_stored(
    store: Store, table: FakeTable, first: bytes | Overflow
) -> None:
    save(store, first)
    before = table.only()
    save(store, Gone("deleted", 0))
    after = table.only()
    unchanged = ("body_kind", "body", "overflow", "size")
    assert [after.get(name) for name in unchanged] == [before.get(name) for name in unchanged]
    assert after["deliveries"] == 2


@pytest.mark.parametrize("first", [b"body", OVERFLOW, Gone("deleted")])
@pytest.mark.parametrize("second", [b"\xff", OVERFLOW])
def test_an_item_holds_one_kind_of_body_at_a_time(
    store: Store, table: FakeTable, first: bytes | Overflow | Gone, second: bytes | Overflow
) -> None:
    save(store, first)
    save(store, second)
    item = table.only()
    assert ("body" in item, "overflow" in item) == (second == b"\xff", second == OVERFLOW)
    assert "gone_reason" not in item


def test_the_largest_item_that_there_can_be_is_within_dynamodbs_limit(store: Store, table: FakeTable) -> None:
    record = Record("dynamodb", "", "id", b"", {"keys": {f"{number}": "x" * 500 for number in range(200)}})
    correlation = Correlation("r" * MAX_SESSION_ID, "e" * MAX_EVENT_ID, "c" * MAX_CORRELATION_ID)
    save(store, b"x" * MAX_INLINE, record=record, correlation=correlation, source=Source("n" * 255, "", ""))
    assert table.only()["size"] == MAX_INLINE


def test_metadata_that_fits_is_kept_as_it_is() -> None:
    metadata = {"a": "x" * 10_000, "b": [1, None, {"c": "ü"}]}
    assert json.loads(bounded_json(metadata)) == metadata


def test_of_metadata_too_large_the_long_texts_are_cut_and_say_so() -> None:
    kept = json.loads(bounded_json({"attributes": {"id": "run/case", "long": "ü" * 50_000}}))
    assert kept["attributes"]["id"] == "run/case"
    assert "cut: 100000 bytes, sha256 " in kept["attributes"]["long"]


def test_of_metadata_with_too_many_values_the_largest_are_cut_and_say_so() -> None:
    kept = json.loads(bounded_json({"id": "1", "attributes": {str(n): n for n in range(10_000)}}))
    assert kept["id"] == "1"
    assert "cut: " in kept["attributes"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()) | st.just("x" * 20_000),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(st.characters()), inner, max_size=5),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from("abcdef"), JSON))
def test_any_metadata_is_bounded_json_with_every_name_kept(metadata: dict[str, Any]) -> None:
    text = bounded_json(metadata)
    assert len(text) <= MAX_METADATA
    assert text.isascii()
    assert json.loads(text).keys() == metadata.keys()


def writes(store: Store, *bodies: bytes, same: bool = False) -> list[Write]:
    return [
        store.write(
            SOURCE, RECORD, Correlation("run", f"orders:{0 if same else n}", "run/case"), body, "request"
        )
        for n, body in enumerate(bodies)
    ]


def test_several_results_are_written_in_one_call(store: Store, table: FakeTable) -> None:
    assert store.save_together(writes(store, b"a", b"b", b"c"))
    assert [item["body"] for item in table.all()] == ["a", "b", "c"]
    assert [item["deliveries"] for item in table.all()] == [1, 1, 1]
    assert table.transactions == 1


def test_new_results_of_one_call_are_put_which_costs_dynamodb_less_than_updates(
    store: Store, table: FakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    transact = table.transact_write_items

    def remembered(**arguments: Any) -> Any:
        asked.append([kind for action in arguments["TransactItems"] for kind in action])
        return transact(**arguments)

    monkeypatch.setattr(table, "transact_write_items", remembered)
    assert store.save_together(writes(store, b"a", b"b"))
    assert store.save_together(writes(store, b"b", b"c", b"d"))
    assert asked == [["Put"] * 2, ["Put"] * 3, ["Update"] * 3]


def test_new_results_of_one_call_are_as_those_that_are_written_alone(store: Store, clock: Clock) -> None:
    """Each kind of body, put together and updated alone: the same items."""
    bodies: list[bytes | Overflow | Gone] = [b"text", b"\xff", b"", Gone("deleted", 7), Gone("deleted", None)]
    bodies.append(Overflow("overflow", "key", 300_000, "f" * 64))
    tables = [FakeTable(), FakeTable()]
    for table, together in zip(tables, (True, False), strict=True):
        one = Store(table, "results", 3600, clock)  # type: ignore[arg-type]  # a fake client
        found = [
            one.write(SOURCE, RECORD, Correlation("run", f"orders:{n}", "run/case"), body, "request")
            for n, body in enumerate(bodies)
        ]
        if together:
            assert one.save_together(found)
        else:
            for write in found:
                one.save(write)
    assert tables[0].items == tables[1].items
    assert len(tables[0].items) == len(bodies)
    assert tables[0].transactions == 1


def test_results_of_which_one_comes_again_are_counted_in_one_call(
    store: Store, table: FakeTable, clock: Clock
) -> None:
    assert store.save_together(writes(store, b"a", b"b"))
    clock.now += 7
    assert store.save_together(writes(store, b"a", b"b", b"c"))
    assert [item["deliveries"] for item in table.all()] == [2, 2, 1]
    assert [item["received_at"] - item["first_received_at"] for item in table.all()] == [7000, 7000, 0]


def test_of_several_results_none_is_written_if_one_is_refused(store: Store, table: FakeTable) -> None:
    assert not store.save_together(writes(store, b"a", b"x" * (MAX_INLINE + 200 * 1024)))
    assert table.items == {}


def test_a_result_alone_needs_no_transaction(store: Store, table: FakeTable) -> None:
    assert not store.save_together(writes(store, b"a"))
    assert not store.save_together([])
    assert table.transactions == 0


def test_a_write_that_is_tried_again_is_stamped_again(store: Store, table: FakeTable, clock: Clock) -> None:
    (write,) = writes(store, b"a")
    table.before = lambda _arguments: (_ for _ in ()).throw(client_error("UpdateItem", "Throttling", 400))
    with pytest.raises(ClientError):
        store.save(write)
    table.before, clock.now = (lambda _arguments: None), clock.now + 7
    store.save(write)
    assert table.only()["received_at"] == table.only()["first_received_at"] == 1_700_000_007_500


def taken(writes: list[Write]) -> int:
    """How many of them one call takes."""
    call = Together()
    return sum(call.takes(write) for write in writes)


def test_only_so_many_results_fit_into_one_call(store: Store) -> None:
    assert taken(writes(store, *[b"a"] * (MOST_TOGETHER + 1))) == MOST_TOGETHER
    assert taken(writes(store, *[b"x" * 300_000] * 14)) == MOST_BYTES // 602_000


def test_one_call_takes_an_item_once(store: Store) -> None:
    assert taken(writes(store, b"a", b"a", same=True)) == 1
