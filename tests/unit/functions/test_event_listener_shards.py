"""The listener spreads a session over shards, and the harness finds each result again."""

import threading

import pytest
from aws_fakes import FakeTable
from correlation import Correlation
from hypothesis import given
from hypothesis import strategies as st
from records import Record
from settings import Settings, Source
from store import Store, partition_key

from event_harness.results import shards
from event_harness.results.body_store import BodyStore
from event_harness.results.results_table import ResultsTable
from event_harness.system.resources import Results

SOURCE = Source("orders", "sqs", "arn", "attribute")


class Queried(FakeTable):
    """The table that the listener writes, with the Query and GetItem of the harness."""

    def __init__(self):
        super().__init__()
        self.asked = []
        self.lock = threading.Lock()

    def query(self, **arguments):
        with self.lock:
            key = arguments["ExpressionAttributeValues"][":session"]["S"]
            self.asked.append(key)
            if key.endswith("#broken"):
                raise RuntimeError("no answer")
            return {"Items": [item for (session, _), item in self.items.items() if session == key]}

    def get_item(self, **arguments):
        key = arguments["Key"]
        item = self.items.get((key["session_id"]["S"], key["event_id"]["S"]))
        return {} if item is None else {"Item": item}


def saved(table, amount, number_of_shards):
    store = Store(table, "results", 3600, lambda: 1_700_000_000.0, shards=number_of_shards)
    for number in range(amount):
        record = Record("sqs", "arn", str(number), b"", {})
        correlation = Correlation("s1", f"orders:{number}", f"s1/{number}")
        store.save(store.write(SOURCE, record, correlation, b"body %d" % number, "request"))


@given(st.text(), st.text(min_size=1), st.integers(1, 100))
def test_listener_and_harness_compute_the_same_key(session_id, event_id, number_of_shards):
    event_id = event_id.encode("utf-8", "backslashreplace").decode()
    written = partition_key(Correlation(session_id, event_id), number_of_shards)
    assert shards.partition_key(session_id, event_id, number_of_shards) == written
    assert written in shards.partition_keys(session_id, number_of_shards)
    assert shards.session_id_of(written, number_of_shards) == session_id


def test_one_query_of_each_shard_finds_all_results_under_their_session_id():
    table = Queried()
    saved(table, 300, 4)
    results = ResultsTable(Results("results", "by_arrival", "overflow", shards=4), table, None)
    items = results.query("s1")
    assert {item["session_id"]["S"] for item in items} == {"s1"}
    assert len({item["event_id"]["S"] for item in items}) == 300
    assert sorted(table.asked) == ["s1#0", "s1#1", "s1#2", "s1#3"]
    assert results.queries == 4


def test_shards_share_the_writes_evenly():
    table = Queried()
    saved(table, 1000, 4)
    counts = [sum(session == f"s1#{shard}" for session, _ in table.items) for shard in range(4)]
    assert sum(counts) == 1000
    assert min(counts) > 150


def test_with_one_shard_the_key_is_the_session_id_alone():
    table = Queried()
    saved(table, 3, 1)
    assert {session for session, _ in table.items} == {"s1"}


def test_body_of_a_result_is_read_from_its_shard():
    table = Queried()
    saved(table, 20, 4)
    where = Results("results", "by_arrival", "overflow", shards=4)
    bodies = BodyStore(where, table, None)
    results = ResultsTable(where, table, bodies)
    texts = {results.result(item).text for item in results.query("s1")}
    assert texts == {f"body {number}" for number in range(20)}


def test_error_of_one_shard_is_the_error_of_the_read():
    with pytest.raises(RuntimeError, match="no answer"):
        shards.read_each(
            ["s#0", "s#broken"],
            lambda key: Queried().query(ExpressionAttributeValues={":session": {"S": key}})["Items"],
        )


def test_listener_takes_the_number_of_shards_from_its_environment():
    environ = {"RESULTS_TABLE": "t", "OVERFLOW_BUCKET": "b", "RESULT_TTL_SECONDS": "60", "SOURCES": "{}"}
    assert Settings.from_environ(environ).shards == 1
    assert Settings.from_environ(environ | {"RESULT_SHARDS": "8"}).shards == 8
