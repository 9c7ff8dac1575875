"""Following the end: it lets go when one scrolls up and comes back at the end; keys and wheel scroll."""

from __future__ import annotations

import pytest
from textual.events import MouseScrollUp

from tests.app.chat.host import answer, follows, screen, showing, stream, user
from tui.app.panels.chat.transcript import Transcript

LONG = "\n\n".join(f"paragraph {number}" for number in range(40))


async def test_the_end_stays_in_view_as_it_grows() -> None:
    transcript = Transcript()
    async with showing(transcript, (40, 8)):
        transcript.begin_answer("1")
        for number in range(30):
            stream(transcript, [f"line {number}\n\n"])
            assert screen(transcript)[min(7, number * 2)].strip() == f"line {number}"
        assert follows(transcript)
        assert transcript.top == transcript.max_scroll_y > 0


async def test_scrolling_up_lets_go_and_the_end_takes_it_up_again() -> None:
    transcript = Transcript()
    async with showing(transcript, (40, 8)) as pilot:
        transcript.set_messages([answer("1", LONG)])
        transcript.begin_answer("2")
        await pilot.press("up")
        assert not follows(transcript)
        before = screen(transcript)
        stream(transcript, ["new text\n\n"] * 10)
        assert screen(transcript) == before
        for _ in range(60):
            await pilot.press("down")
        assert follows(transcript)
        stream(transcript, ["the last"])
        assert screen(transcript)[-1] == " the last"


@pytest.mark.parametrize("key", ["end", "G"])
async def test_the_end_key_follows(key: str) -> None:
    transcript = Transcript()
    async with showing(transcript, (40, 8)) as pilot:
        transcript.set_messages([answer("1", LONG)])
        await pilot.press("home")
        assert (transcript.top, transcript.follow) == (0, False)
        assert screen(transcript)[0] == " paragraph 0"
        await pilot.press(key)
        assert follows(transcript)
        assert screen(transcript)[-1] == " paragraph 39"


async def test_keys_scroll_by_lines_and_pages() -> None:
    transcript = Transcript()
    async with showing(transcript, (40, 8)) as pilot:
        transcript.set_messages([answer("1", LONG)])
        await pilot.press("g")
        for key, top in (("down", 1), ("j", 2), ("up", 1), ("pagedown", 7), ("pagedown", 13), ("pageup", 7), ("k", 6)):
            await pilot.press(key)
            assert transcript.top == top
        await pilot.press("home", "up")
        assert transcript.top == 0


async def test_the_wheel_lets_go_too() -> None:
    transcript = Transcript()
    async with showing(transcript, (40, 8)) as pilot:
        transcript.set_messages([answer("1", LONG)])
        await pilot.pause()
        await pilot._post_mouse_events([MouseScrollUp], Transcript, button=0)
        assert not follows(transcript)


async def test_ones_own_message_is_brought_into_view() -> None:
    transcript = Transcript()
    async with showing(transcript, (40, 8)) as pilot:
        transcript.set_messages([answer("1", LONG)])
        await pilot.press("home")
        transcript.add_message(user("2", "mine"))
        assert follows(transcript)
        assert screen(transcript)[-1] == " mine"
        await pilot.press("home")
        transcript.add_message(answer("3", "not mine"))
        assert not follows(transcript)
        assert screen(transcript)[0] == " paragraph 0"


async def test_reading_is_undisturbed_by_folding_thinking_below() -> None:
    transcript = Transcript()
    async with showing(transcript, (40, 8)) as pilot:
        transcript.set_messages([answer("1", LONG)])
        transcript.begin_answer("2")
        for number in range(20):
            transcript.append(f"thought {number}\n", "thinking")
            transcript.flush()
        await pilot.press("home")
        before = screen(transcript)
        stream(transcript, ["answer"])
        assert screen(transcript) == before


async def test_a_resize_keeps_what_is_read() -> None:
    transcript = Transcript()
    text = "\n\n".join(f"number{number} " + "word " * 30 for number in range(60))
    async with showing(transcript, (60, 10)) as pilot:
        transcript.set_messages([answer("1", text)])
        await pilot.press("home")
        for _ in range(12):
            await pilot.press("pagedown")
        await pilot.press("up")
        marker = next(line.split()[0] for line in screen(transcript) if "number" in line)
        for width in (30, 100, 45, 60):
            await pilot.resize_terminal(width, 10)
            await pilot.pause()
            numbers = [int(line.split()[0][6:]) for line in screen(transcript) if line.strip().startswith("number")]
            assert not follows(transcript)
            assert any(abs(number - int(marker[6:])) <= 2 for number in numbers)


async def test_following_survives_a_resize() -> None:
    transcript = Transcript()
    async with showing(transcript, (60, 10)) as pilot:
        transcript.set_messages([answer("1", LONG)])
        for width, height in ((30, 10), (80, 5), (60, 20)):
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            assert follows(transcript)
            assert screen(transcript)[-1] == " paragraph 39"


async def test_the_scrollbar_comes_with_the_first_line_too_many() -> None:
    transcript = Transcript()
    async with showing(transcript, (40, 8)) as pilot:
        transcript.begin_answer("1")
        stream(transcript, ["- a\n"] * 8)
        await pilot.pause()
        assert transcript.scrollbars_enabled == (False, False)
        stream(transcript, ["- a\n"])
        await pilot.pause()
        assert transcript.scrollbars_enabled == (True, False)
        assert transcript.vertical_scrollbar.window_virtual_size == 9
        assert screen(transcript)[-1] == " • a"


async def test_two_thousand_messages_open_at_their_end() -> None:
    transcript = Transcript()
    async with showing(transcript, (60, 20)) as pilot:
        transcript.set_messages(
            [
                answer(str(number), LONG) if number % 2 else user(str(number), f"question {number}")
                for number in range(2000)
            ]
        )
        document = transcript.conversation.document
        assert screen(transcript)[-1] == " paragraph 39"
        assert document.units_drawn < 30
        await pilot.pause()
        await pilot.press("pageup")
        assert document.units_drawn < 90
        await pilot.press("home")
        assert screen(transcript)[:2] == [" you", " question 0"]
        assert document.units_drawn < 150
