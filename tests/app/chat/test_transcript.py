"""The transcript as a person sees it: messages, a streaming answer, thinking, notes, cards, the empty state, themes."""

from __future__ import annotations

import subprocess
import sys

import pytest
from textual.color import Color
from textual.theme import Theme

from tests.app.chat.host import answer, painted, screen, showing, stream, user
from tests.app.chat.texts import EVERYTHING
from tui.app.panels.chat.transcript import Transcript, TranscriptMessage


def finish(transcript: Transcript) -> None:
    """Flush until nothing is left to do."""
    while transcript.needs_flush:
        transcript.flush()


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_messages_one_below_the_other() -> None:
    transcript = Transcript()
    async with showing(transcript):
        transcript.set_messages(
            [user("1", "Write a *queue*.\n  Indented."), answer("2", "Here it **is**.", label="Qwen3")]
        )
        assert screen(transcript)[:7] == [
            " you", " Write a *queue*.", "   Indented.", "", " Qwen3", " Here it is.", "",
        ]  # fmt: skip


async def test_messages_given_before_there_is_a_screen() -> None:
    transcript = Transcript()
    transcript.set_messages([user("1", "early")])
    transcript.begin_answer("2")
    transcript.append("answer")
    transcript.end_answer("stopped")
    async with showing(transcript):
        assert screen(transcript)[:6] == [" you", " early", "", " answer", "", " · stopped"]


async def test_what_streams_while_it_is_hidden_is_there_when_it_is_shown() -> None:
    transcript = Transcript()
    async with showing(transcript) as pilot:
        transcript.begin_answer("1")
        stream(transcript, ["one "])
        transcript.display = False
        await pilot.pause()
        stream(transcript, ["two ", "three"])
        assert not transcript.needs_flush
        transcript.display = True
        await pilot.pause()
        assert screen(transcript)[0] == " one two three"


async def test_an_answer_streams_and_ends_with_a_note() -> None:
    transcript = Transcript()
    async with showing(transcript) as pilot:
        transcript.add_message(user("1", "Hi"))
        transcript.begin_answer("2", "model")
        assert transcript.answering
        transcript.append("Hello **wor")
        assert transcript.needs_flush
        assert transcript.flush()
        assert screen(transcript)[3:5] == [" model", " Hello **wor"]
        transcript.append("ld**")
        transcript.flush()
        finish(transcript)
        assert not transcript.flush()
        assert screen(transcript)[4] == " Hello world"
        transcript.end_answer("cut off: the context is full")
        assert screen(transcript)[4:7] == [" Hello world", "", " · cut off: the context is full"]
        ended: bool = transcript.answering
        assert not ended
        transcript.append("late text is dropped")
        transcript.flush()
        await pilot.pause()
        assert painted(pilot)[4:8] == [" Hello world", "", " · cut off: the context is full", ""]


async def test_an_error_is_told_by_more_than_its_colour() -> None:
    transcript = Transcript()
    async with showing(transcript):
        transcript.begin_answer("1")
        transcript.append("Half of it")
        transcript.end_answer("the engine stopped", failed=True)
        assert screen(transcript)[:3] == [" Half of it", "", " ✗ the engine stopped"]


async def test_thinking_is_shown_while_it_lasts_and_folded_afterwards() -> None:
    clock = Clock()
    transcript = Transcript(clock=clock)
    async with showing(transcript):
        transcript.begin_answer("1", "model")
        transcript.append("First I\nthink.", "thinking")
        transcript.flush()
        assert screen(transcript)[:4] == [" model", " ▾ thinking…", "   First I", "   think."]
        clock.now += 3.14
        transcript.append("The answer")
        transcript.flush()
        assert screen(transcript)[:4] == [" model", " ▸ thought for 3.1 s", " The answer", ""]
        assert transcript.toggle_thinking()
        assert screen(transcript)[:6] == [
            " model", " ▾ thought for 3.1 s", "   First I", "   think.", "", " The answer",
        ]  # fmt: skip
        stream(transcript, [" goes", " on"])
        assert screen(transcript)[5] == " The answer goes on"
        transcript.end_answer()
        assert transcript.toggle_thinking("1")
        assert screen(transcript)[1:3] == [" ▸ thought for 3.1 s", " The answer goes on"]


async def test_thinking_folded_while_it_lasts_stays_folded() -> None:
    transcript = Transcript()
    async with showing(transcript):
        transcript.begin_answer("1")
        stream(transcript, [])
        transcript.append("one\n", "thinking")
        transcript.flush()
        assert transcript.toggle_thinking()
        assert screen(transcript)[:2] == [" ▸ thinking…", ""]
        transcript.append("two\n", "thinking")
        transcript.flush()
        assert screen(transcript)[:2] == [" ▸ thinking…", ""]
        assert transcript.toggle_thinking()
        assert screen(transcript)[:4] == [" ▾ thinking…", "   one", "   two", ""]
        stream(transcript, ["answer"])
        assert screen(transcript)[1:5] == ["   one", "   two", "", " answer"]


async def test_thinking_that_leads_to_no_answer() -> None:
    clock = Clock()
    transcript = Transcript(clock=clock)
    async with showing(transcript):
        transcript.begin_answer("1")
        transcript.append("hm", "thinking")
        transcript.flush()
        clock.now += 65
        transcript.end_answer("stopped")
        assert screen(transcript)[:2] == [" ▸ thought for 1 min 5 s", " · stopped"]


async def test_stored_thinking() -> None:
    transcript = Transcript()
    async with showing(transcript):
        transcript.set_messages(
            [answer("1", "a", thinking="secret"), TranscriptMessage("2", "assistant", "b", "why", thinking_s=2.0)]
        )
        assert screen(transcript)[:5] == [" ▸ thought", " a", "", " ▸ thought for 2.0 s", " b"]
        assert transcript.toggle_thinking("1")
        assert screen(transcript)[:4] == [" ▾ thought", "   secret", "", " a"]
        assert not transcript.toggle_thinking("unknown")


async def test_a_click_on_the_thinking_unfolds_it() -> None:
    transcript = Transcript()
    async with showing(transcript) as pilot:
        transcript.set_messages([answer("1", "a", thinking="secret")])
        await pilot.pause()
        await pilot.click(Transcript, offset=(4, 0))
        assert screen(transcript)[1] == "   secret"
        await pilot.click(Transcript, offset=(4, 1))
        assert screen(transcript)[1] == "   secret"
        await pilot.click(Transcript, offset=(4, 0))
        assert screen(transcript)[1] == " a"


async def test_progress_is_shown_until_the_first_text() -> None:
    transcript = Transcript()
    async with showing(transcript):
        transcript.begin_answer("1", "model")
        transcript.set_progress("reading 100 of 3 000 tokens")
        transcript.flush()
        assert screen(transcript)[:2] == [" model", " reading 100 of 3 000 tokens"]
        transcript.set_progress("reading 200 of 3 000 tokens")
        transcript.flush()
        assert screen(transcript)[1] == " reading 200 of 3 000 tokens"
        stream(transcript, ["Here"])
        assert screen(transcript)[:3] == [" model", " Here", ""]


async def test_a_card() -> None:
    transcript = Transcript()
    async with showing(transcript, (44, 12)):
        transcript.add_message(user("1", "Hi"))
        key = transcript.add_card(
            "the engine stopped",
            ["It ran out of GPU memory while reading your prompt (SIGABRT).", "  **r** reload   **l** the log"],
        )
        assert screen(transcript)[3:8] == [
            " ╭─ the engine stopped ──────────────────╮",
            " │ It ran out of GPU memory while        │",
            " │ reading your prompt (SIGABRT).        │",
            " │   r reload   l the log                │",
            " ╰───────────────────────────────────────╯",
        ]
        assert transcript.remove_message(key)
        assert not transcript.remove_message(key)
        assert screen(transcript)[:4] == [" you", " Hi", "", ""]
        assert "engine" not in transcript.plain_text()


async def test_the_empty_state_is_in_the_middle() -> None:
    transcript = Transcript()
    async with showing(transcript, (40, 9)):
        transcript.set_empty(["No conversation yet.", "", "Press **o** to load a model."])
        assert screen(transcript)[3:6] == [
            "          No conversation yet.", "", "        Press o to load a model.",
        ]  # fmt: skip
        transcript.add_message(user("1", "Hi"))
        assert screen(transcript)[:3] == [" you", " Hi", ""]
        transcript.set_messages([])
        assert screen(transcript)[3].strip() == "No conversation yet."


async def test_text_and_code_for_the_clipboard() -> None:
    transcript = Transcript()
    async with showing(transcript):
        assert (transcript.plain_text(), transcript.code_count, transcript.code_block(1)) == ("", 0, None)
        transcript.set_messages([user("1", "q"), answer("2", "a\n```sh\nls\t-l\n```", label="model")])
        transcript.begin_answer("3")
        stream(transcript, ["b\n```\n", "x\n", "y"])
        assert transcript.code_count == 2
        assert transcript.code_block(1) == "ls\t-l"
        transcript.end_answer()
        assert transcript.code_block(2) == "x\ny"
        assert transcript.code_block(3) is None
        assert transcript.plain_text("2") == "a\n```sh\nls\t-l\n```"
        assert transcript.plain_text("nothing") == ""
        assert transcript.plain_text() == "you:\nq\n\nmodel:\na\n```sh\nls\t-l\n```\n\nassistant:\nb\n```\nx\ny"


async def test_messages_that_stay_are_not_drawn_again() -> None:
    transcript = Transcript()
    async with showing(transcript):
        messages = [user("1", "q"), answer("2", EVERYTHING)]
        transcript.set_messages(messages)
        document = transcript.conversation.document
        entry, drawn = document.entries[1], document.units_drawn
        transcript.set_messages([*messages, user("3", "again")])
        assert document.entries[1] is entry
        assert document.units_drawn <= drawn + 2
        transcript.set_messages([user("1", "another"), messages[1]])
        assert document.entries[1] is entry
        assert "another" in transcript.plain_text()


async def test_a_finished_answer_is_the_same_as_its_stored_message() -> None:
    transcript = Transcript()
    async with showing(transcript):
        transcript.begin_answer("1", "model")
        transcript.append("hm", "thinking")
        stream(transcript, ["one ", "two"])
        transcript.end_answer("stopped")
        entry = transcript.conversation.document.entries[0]
        transcript.set_messages([answer("1", "one two", thinking="hm", note="stopped", label="model")])
        assert transcript.conversation.document.entries[0] is entry


async def test_a_flush_paints_only_the_lines_that_changed() -> None:
    transcript = Transcript()
    async with showing(transcript, (40, 20)) as pilot:
        transcript.set_messages([answer("1", "\n\n".join(f"paragraph {number}" for number in range(5)))])
        transcript.begin_answer("2")
        stream(transcript, ["first\n\nsecond"])
        await pilot.pause()
        made = transcript.strips.made
        transcript.append(" more")
        transcript.flush()
        assert {region.y for region in transcript._repaint_regions} == {12}
        assert {region.height for region in transcript._repaint_regions} == {1}
        await pilot.pause()
        assert transcript.strips.made == made + 1


async def test_a_view_that_scrolls_as_it_grows_makes_strips_of_new_lines_only() -> None:
    transcript = Transcript()
    async with showing(transcript, (40, 20)):
        transcript.begin_answer("1")
        for number in range(200):
            transcript.append(f"- item {number}\n")
            transcript.flush()
            screen(transcript)
        made = transcript.strips.made
        for number in range(100):
            transcript.append(f"- more {number}\n")
            transcript.flush()
            screen(transcript)
        assert transcript.strips.made <= made + 100


async def test_scrolling_makes_no_strip_twice() -> None:
    transcript = Transcript()
    async with showing(transcript, (60, 20)) as pilot:
        transcript.set_messages([answer(str(number), EVERYTHING) for number in range(3)])
        await pilot.pause()
        for _ in range(10):
            await pilot.press("up")
        made = transcript.strips.made
        for _ in range(10):
            await pilot.press("down")
        assert transcript.strips.made == made


async def test_a_change_of_width_wraps_again() -> None:
    transcript = Transcript()
    async with showing(transcript, (60, 12)) as pilot:
        transcript.set_messages([user("1", "one two three four five six seven")])
        await pilot.resize_terminal(20, 12)
        await pilot.pause()
        assert screen(transcript)[:4] == [" you", " one two three", " four five six", " seven"]
        await pilot.resize_terminal(60, 12)
        await pilot.pause()
        assert screen(transcript)[1] == " one two three four five six seven"


async def test_the_measure_limits_the_width_of_text() -> None:
    transcript = Transcript(measure=30)
    async with showing(transcript, (100, 12)):
        transcript.set_messages([answer("1", "word " * 12 + "\n\n---")])
        assert max(map(len, screen(transcript))) == 31


async def test_a_theme_change_draws_new_strips_and_no_new_lines() -> None:
    transcript = Transcript()
    async with showing(transcript) as pilot:
        transcript.set_messages([user("1", "x"), answer("2", EVERYTHING)])
        finish(transcript)
        await pilot.pause()
        drawn = transcript.conversation.document.units_drawn
        before = transcript.render_lines(transcript.size.region)[0]
        pilot.app.theme = "textual-light"
        await pilot.pause()
        after = transcript.render_lines(transcript.size.region)[0]
        assert after.text == before.text
        assert [segment.style for segment in after] != [segment.style for segment in before]
        assert transcript.conversation.document.units_drawn == drawn
        background = after._segments[0].style
        assert background is not None
        assert background.bgcolor is not None
        assert Color.from_rich_color(background.bgcolor).brightness > 0.5


async def test_every_style_has_a_look_in_every_kind_of_theme() -> None:
    transcript = Transcript()
    async with showing(transcript) as pilot:
        for theme in ("textual-dark", "textual-light", "ansi-dark"):
            pilot.app.theme = theme
            await pilot.pause()
            palette = transcript._palette
            for name in ("you", "h1", "quote strong", "link", "source keyword", "frame", "error", "unknown name"):
                assert palette[name].color is not None
        assert palette["strong"].bold
        assert palette["note"].dim


async def test_a_theme_of_puna_colours_code_by_its_own_table() -> None:
    transcript = Transcript()
    async with showing(transcript) as pilot:
        theme = Theme("own", primary="#0000ff", variables={"code-keyword": "#123456", "code-comment": "#654321"})
        pilot.app.register_theme(theme)
        pilot.app.theme = "own"
        await pilot.pause()
        keyword, comment = transcript._palette["source keyword"], transcript._palette["source comment"]
        assert keyword.color is not None
        assert comment.color is not None
        assert (keyword.color.name, comment.color.name) == ("#123456", "#654321")
        assert comment.italic


async def test_borders_and_paddings_of_a_theme_are_drawn() -> None:
    transcript = Transcript()
    async with showing(transcript, (20, 6)) as pilot:
        transcript.styles.padding = (1, 2)
        transcript.styles.border = ("round", "red")
        transcript.set_messages([user("1", "x")])
        await pilot.pause()
        assert painted(pilot)[:4] == [
            "╭──────────────────╮",
            "│                  │",
            "│   you            │",
            "│   x              │",
        ]


async def test_ascii() -> None:
    transcript = Transcript(ascii_only=True)
    async with showing(transcript, (30, 20)):
        transcript.set_messages([answer("1", "- a\n\n```py\nb\n```", thinking="c"), user("2", "d")])
        transcript.add_card("t", ["x"])
        assert all(line.isascii() for line in screen(transcript))
        assert screen(transcript)[0] == " > thought"


async def test_ascii_follows_the_app() -> None:
    transcript = Transcript()
    async with showing(transcript) as pilot:
        pilot.app.add_class("-ascii")
        transcript.set_messages([answer("1", "- a")])
        assert screen(transcript)[0] == " * a"


async def test_long_code_is_coloured_a_little_at_each_flush() -> None:
    transcript = Transcript()
    async with showing(transcript, (40, 10)):
        transcript.begin_answer("1")
        stream(transcript, ["```python\n", "x = 1\n" * 450, "```\n"])
        transcript.end_answer()
        fence = transcript.on_screen()[0][0]
        flushes = 0
        while transcript.needs_flush:
            transcript.flush()
            flushes += fence.colouring
        assert flushes >= 3
        assert [style for _, style in transcript.on_screen()[3][0].lines[5].runs if "number" in style]  # type: ignore[index]


async def test_it_draws_ahead_and_colours_by_itself_when_nobody_flushes() -> None:
    transcript = Transcript()
    async with showing(transcript, (40, 10)) as pilot:
        transcript.set_messages([answer("1", "```python\n" + "x = 1\n" * 450 + "```\n")])
        for _ in range(100):
            await pilot.pause(0.05)
            if not transcript.needs_flush:
                break
        assert not transcript.needs_flush


@pytest.mark.parametrize("size", [(20, 5), (8, 2), (1, 1), (300, 80)])
async def test_every_size_of_screen(size: tuple[int, int]) -> None:
    transcript = Transcript()
    async with showing(transcript, size) as pilot:
        transcript.set_messages([user("1", EVERYTHING), answer("2", EVERYTHING, thinking="x", note="y", label="z")])
        transcript.begin_answer("3")
        stream(transcript, [EVERYTHING[at : at + 50] for at in range(0, len(EVERYTHING), 50)])
        transcript.end_answer()
        for key in ("home", "pagedown", "down", "end", "up"):
            await pilot.press(key)
        assert len(painted(pilot)) == size[1]


def test_warming_up_imports_what_messages_need() -> None:
    script = (
        "import sys\n"
        "from tui.app.panels.chat.transcript import warm_up\n"
        "needed = {'markdown_it', 'pygments.lexers.python', 'tui.app.panels.chat.document'}\n"
        "assert not needed & set(sys.modules), 'the first frame does without them'\n"
        "warm_up()\n"
        "assert needed <= set(sys.modules), needed - set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
