"""Selecting text with the mouse: what is copied has no frames, and wrapped lines are whole again."""

from __future__ import annotations

from rich.style import Style
from textual.geometry import Offset
from textual.selection import SELECT_ALL, Selection

from tests.app.chat.host import answer, screen, showing, stream, user
from tui.app.panels.chat.transcript import Transcript


def chosen(transcript: Transcript, start: tuple[int, int], end: tuple[int, int]) -> str:
    found = transcript.get_selection(Selection(Offset(*start), Offset(*end)))
    assert found is not None
    return found[0]


async def test_selected_text_is_as_it_was_written() -> None:
    transcript = Transcript()
    async with showing(transcript, (24, 20)):
        transcript.set_messages(
            [user("1", "one two three four five six"), answer("2", "```sh\nls -l\n  pwd\n```\nend")]
        )
        assert screen(transcript)[1:3] == [" one two three four", " five six"]
        assert chosen(transcript, (4, 1), (4, 2)) == "two three four five"
        assert chosen(transcript, (0, 5), (99, 6)) == "ls -l\n  pwd"
        assert chosen(transcript, (0, 0), (3, 0)) == "you"
        assert transcript.get_selection(SELECT_ALL) == (
            "you\none two three four five six\n\n\nls -l\n  pwd\n\nend",
            "\n",
        )


async def test_dragging_selects_and_shows_it() -> None:
    transcript = Transcript()
    async with showing(transcript, (40, 10)) as pilot:
        transcript.set_messages([user("1", "one two three")])
        await pilot.pause()
        plain = transcript.render_lines(transcript.size.region)[1]
        await pilot.mouse_down(Transcript, offset=(5, 1))
        await pilot.hover(Transcript, offset=(8, 1))
        await pilot.mouse_up(Transcript, offset=(8, 1))
        assert pilot.app.screen.get_selected_text() == "two"
        marked = transcript.render_lines(transcript.size.region)[1]
        assert marked.text == plain.text
        styles = {segment.text: segment.style or Style() for segment in marked}
        assert styles["two "].color == styles["one "].color
        assert styles["two "].bgcolor != styles["one "].bgcolor


async def test_a_selection_stays_on_its_text_when_the_view_scrolls() -> None:
    transcript = Transcript()
    async with showing(transcript, (40, 6)) as pilot:
        transcript.set_messages([answer(str(number), f"answer {number}\n\n" * 3) for number in range(30)])
        await pilot.pause()
        await pilot.mouse_down(Transcript, offset=(1, 5))
        await pilot.hover(Transcript, offset=(10, 5))
        await pilot.mouse_up(Transcript, offset=(10, 5))
        text = pilot.app.screen.get_selected_text()
        assert text == "answer 29"
        transcript.begin_answer("x")
        stream(transcript, ["more\n\n"] * 5)
        for _ in range(12):
            await pilot.press("up")
        await pilot.pause()
        assert pilot.app.screen.get_selected_text() == text
