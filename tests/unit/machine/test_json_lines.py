"""A file that several processes append to while others read it."""

import os

import pytest

from event_harness.machine.json_lines import JsonLines, Tail


def test_lines_come_back_once_each_in_order(tmp_path):
    path = tmp_path / "lines"
    one, two, tail = JsonLines(path), JsonLines(path), Tail(path)
    assert tail.objects() == []
    one.append({"n": 1})
    two.append({"n": 2})
    assert tail.objects() == [{"n": 1}, {"n": 2}]
    one.append({"n": "ü\n"})
    assert tail.objects() == [{"n": "ü\n"}]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_line_that_is_being_written_comes_when_it_is_whole(tmp_path):
    path = tmp_path / "lines"
    path.write_text('{"n": 1}\n{"n"')
    tail = Tail(path)
    assert tail.objects() == [{"n": 1}]
    with path.open("a") as file:
        file.write(": 2}\n")
    assert tail.objects() == [{"n": 2}]


def test_a_file_that_was_replaced_is_read_from_its_begin(tmp_path):
    path = tmp_path / "lines"
    JsonLines(path).append({"n": 1})
    tail = Tail(path)
    tail.objects()
    path.rename(tmp_path / "aside")
    JsonLines(path).append({"n": 2})
    assert tail.objects() == [{"n": 2}]


def test_a_closed_file_is_let_go_and_gets_no_more_lines(tmp_path):
    lines = JsonLines(tmp_path / "lines")
    lines.append({"n": 1})
    descriptor = lines._descriptor
    lines.close()
    lines.append({"n": 2})
    assert Tail(tmp_path / "lines").objects() == [{"n": 1}]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_a_full_file_and_a_directory_that_is_gone_stop_the_writing_without_an_error(tmp_path):
    path = tmp_path / "lines"
    full = JsonLines(path, most=20)
    for n in range(9):
        full.append({"n": n})
    assert Tail(path).objects() == [{"n": 0}, {"n": 1}]
    JsonLines(tmp_path / "gone" / "lines").append({"n": 1})
    assert not (tmp_path / "gone").exists()
