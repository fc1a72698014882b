"""The listener's code and the harness agree on shards, through the emulator's DynamoDB."""

from scale.emulated import store_and_read


def test_results_in_several_shards_are_all_read(tmp_path):
    stored = store_and_read(500, 4, tmp_path / "aws")
    assert (stored.written, stored.read) == (500, 500)
    assert len(stored.shards) == 4
    assert stored.queries >= 4
