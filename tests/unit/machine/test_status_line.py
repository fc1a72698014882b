"""The line below the cursor: a small terminal shows what it does to the screen."""

import re

from event_harness.machine.status_line import StatusLine


class Screen:
    """Understands what the line writes: text, line feed, carriage return, up, down, column, erase."""

    def __init__(self, height=4, width=20):
        self.rows, self.row, self.column = [""] * height, 0, 0
        self.height, self.width = height, width

    def write(self, text):
        for code, kind, char in re.findall(r"\x1b\[(\d*)([A-Z])|([^\x1b])", text):
            if kind == "A":
                self.row = max(0, self.row - 1)
            elif kind == "B":
                self.row = min(self.height - 1, self.row + 1)
            elif kind == "G":
                self.column = int(code) - 1
            elif kind == "K":
                self.rows[self.row] = ""
            elif char == "\r":
                self.column = 0
            elif char == "\n":
                self.column = 0
                self.row += 1
                if self.row == self.height:
                    self.rows, self.row = [*self.rows[1:], ""], self.height - 1
            elif char:
                line = self.rows[self.row].ljust(self.column)
                self.rows[self.row] = line[: self.column] + char + line[self.column + 1 :]
                self.column += 1


def test_the_line_stands_below_and_the_cursor_stays_where_it_was():
    screen = Screen()
    line = StatusLine(screen.write, lambda: screen.column, lambda: screen.width)
    screen.write("test_a.py::test_b ")
    line.show("waiting 2 s")
    line.show("waiting 3 s")
    assert screen.rows[:2] == ["test_a.py::test_b ", "waiting 3 s"]
    line.clear()
    screen.write("OK\n")
    assert screen.rows == ["test_a.py::test_b OK", "", "", ""]


def test_at_the_bottom_the_screen_scrolls_once():
    screen = Screen(height=2)
    line = StatusLine(screen.write, lambda: screen.column, lambda: screen.width)
    screen.write("first\nsecond ")
    for seconds in range(2, 5):
        line.show(f"waiting {seconds} s")
    assert screen.rows == ["second ", "waiting 4 s"]
    line.clear()
    screen.write("OK")
    assert screen.rows == ["second OK", ""]


def test_a_long_line_is_cut_and_control_characters_are_no_commands():
    screen = Screen(width=10)
    line = StatusLine(screen.write, lambda: screen.column, lambda: screen.width)
    line.show("\x1b[2Jabc\ndefghijklm")
    assert screen.rows[1] == " [2Jabc …"
    assert len(screen.rows) == 4


def test_nothing_is_written_before_the_first_line():
    written = []
    StatusLine(written.append).clear()
    assert written == []
