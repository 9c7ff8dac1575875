"""The terminal's title: seldom changed, and given back."""

from __future__ import annotations

from tui.app.title import TerminalTitle


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_title_is_kept_changed_at_most_once_a_second_and_given_back() -> None:
    written: list[str] = []
    clock = Clock()
    title = TerminalTitle(written.append, clock)
    title.show("")
    title.restore()
    assert written == [], "what was never changed is left alone"
    title.show("1 %")
    clock.now = 0.9
    title.show("2 %")
    clock.now = 1.1
    title.show("3 %")
    title.show("3 %")
    assert written == ["\x1b[22;2t\x1b]2;1 %\x07", "\x1b]2;3 %\x07"]
    title.show("")
    title.restore()
    assert written[2:] == ["\x1b]2;\x07\x1b[23;2t"]
    title.show("0 %")
    assert written[3:] == ["\x1b[22;2t\x1b]2;0 %\x07"], "the next one begins at once"
