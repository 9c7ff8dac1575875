"""The finder panel by itself: what is typed, seen and asked for, key by key."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from textual import events

from tests.app.finder.host import Host, asked, shown
from tests.app.finder.rows import CODER, LONG, QUANTS, ROWS, SMALL, a_listing, a_row, many_rows, other
from tui.app.panels.finder.about import About
from tui.app.panels.finder.filters import Choices
from tui.app.panels.finder.line import MOST_TYPED
from tui.app.panels.finder.panel import FinderPanel
from tui.app.panels.finder.shelf import Shelf
from tui.app.panels.finder.source import Source
from tui.app.panels.finder.wanted import PullWanted
from tui.models.finder.values import Wishes

PAGE = "https://hub.example/unsloth/Qwen3-Coder"
ABOUT = About(
    CODER, QUANTS, note="Exact: a dry run of the file's header.", page=PAGE, fixes=("n_ctx 4 096: −1.3 GiB",),
    card="\n".join(["# Qwen3 Coder", "", *(f"line {number}" for number in range(60))]),
)  # fmt: skip


def fill(app: Host) -> None:
    """Rows, and what is known of the first."""
    app.panel.show(Shelf(ROWS), len(ROWS), Choices(licences=("apache-2.0", "mit"), families=("qwen", "llama")))
    app.panel.show_about(ABOUT)


async def test_what_is_typed_narrows_the_list_at_once() -> None:
    async with shown((80, 24)) as (app, pilot):
        fill(app)
        await pilot.press(*"coder")
        assert [row.listing for row in app.panel.found.rows] == [CODER, SMALL]
        assert "Find · 2 of 7" in app.text()
        await pilot.press("space", *"QWEN2")
        assert [row.listing for row in app.panel.found.rows] == [SMALL]
        assert app.panel.wishes.query == "coder QWEN2"
        assert asked(app, FinderPanel.Asked)
        await pilot.press("ctrl+u")
        assert len(app.panel.found.rows) == len(ROWS)


async def test_letters_that_are_keys_elsewhere_are_typed_in_the_search_line() -> None:
    async with shown((80, 24)) as (app, pilot):
        fill(app)
        for sign in "pofuwbaexsF0+-yRjkgG/?":
            await pilot.press(sign)
        assert app.panel.wishes.query == "pofuwbaexsF0+-yRjkgG/?"
        assert app.panel.wishes == Wishes(query=app.panel.wishes.query)
        assert not asked(app, PullWanted)


async def test_the_arrows_move_in_the_list_while_one_types() -> None:
    async with shown((80, 24)) as (app, pilot):
        fill(app)
        await pilot.press("down", "down", "up", "m")
        assert app.panel.search.input.has_focus
        assert app.panel.found.index == 0, "another word begins at the top"
        await pilot.press("backspace", "down")
        assert app.panel.found.selected is ROWS[1]


async def test_escape_steps_out_from_line_to_list_to_where_one_was() -> None:
    async with shown((80, 24)) as (app, pilot):
        fill(app)
        await pilot.press("escape")
        assert app.panel.found.has_focus
        await pilot.press("space")
        assert app.panel.pane.has_focus
        assert app.panel.pane.region.height > 5
        await pilot.press("escape")
        assert app.panel.found.has_focus
        assert not app.panel.pane.region.height
        assert not asked(app, FinderPanel.Closed)
        await pilot.press("escape")
        assert len(asked(app, FinderPanel.Closed)) == 1


@pytest.mark.parametrize(
    ("key", "name", "first"),
    [
        ("f", "fits", "gpu"), ("u", "use_case", "chat"), ("w", "max_wait_s", 10.0), ("b", "parameters", (None, 4e9)),
        ("a", "family", "qwen"), ("e", "licence", "apache-2.0"), ("x", "context_length", 16384), ("s", "sort", "speed"),
    ],
)  # fmt: skip
async def test_each_filter_has_a_key_that_goes_through_its_values_and_back(key: str, name: str, first: object) -> None:
    async with shown((120, 24)) as (app, pilot):
        fill(app)
        await pilot.press("escape", key)
        assert getattr(app.panel.wishes, name) == first
        summary = app.panel.search.summary.text
        assert summary != "8 k"
        assert summary in app.text()
        for _ in range(20):
            if app.panel.wishes == Wishes():
                break
            await pilot.press(key)
        assert app.panel.wishes == Wishes()


async def test_one_key_takes_all_filters_away_and_the_words_too() -> None:
    async with shown((120, 24)) as (app, pilot):
        fill(app)
        await pilot.press(*"coder", "escape", "f", "w", "b", "0")
        assert app.panel.wishes == Wishes()
        assert app.panel.search.input.value == ""
        assert len(app.panel.found.rows) == len(ROWS)


async def test_the_context_that_is_reckoned_with_is_set_by_two_keys() -> None:
    async with shown((120, 24)) as (app, pilot):
        fill(app)
        await pilot.press("escape", "+", "+")
        assert app.panel.n_ctx == 32768
        assert "32 k" in app.text().splitlines()[1]
        for _ in range(9):
            await pilot.press("-")
        assert app.panel.n_ctx == 2048


async def test_a_model_in_detail_is_chosen_from_and_read() -> None:
    async with shown((80, 24)) as (app, pilot):
        fill(app)
        await pilot.press("escape", "space")
        assert app.panel.pane.selected is QUANTS[1], "the recommended one"
        await pilot.press("down")
        assert asked(app, FinderPanel.Focused)[-1].row is QUANTS[2]
        await pilot.press("p")
        assert asked(app, FinderPanel.PullAsked)[-1].row is QUANTS[2]
        await pilot.press(*["down"] * 30)
        assert "line 2" in app.text()
        assert app.panel.pane.selected is QUANTS[-1]
        await pilot.press(*["up"] * 30)
        assert app.panel.pane.scroll_offset.y == 0
        assert app.panel.pane.selected is QUANTS[0]
        await pilot.press("end")
        assert "line 59" in app.text()
        await pilot.press("y")
        assert asked(app, FinderPanel.CopyWanted)[-1].page == PAGE


async def test_a_file_that_is_known_is_fetched_by_its_name() -> None:
    rows = tuple(other(row, file=f"coder-{row.quant}.gguf") for row in QUANTS)
    async with shown((80, 24)) as (app, pilot):
        fill(app)
        app.panel.show_about(About(CODER, rows))
        await pilot.press("escape", "space", "enter")
        wanted = asked(app, PullWanted)[-1]
        assert (wanted.repo, wanted.quant, wanted.file) == (CODER.repo, "Q4_K_M", "coder-Q4_K_M.gguf")
        assert wanted.name == f"{CODER.repo}:Q4_K_M"


async def test_what_is_here_is_loaded_and_not_fetched() -> None:
    async with shown((80, 24)) as (app, pilot):
        fill(app)
        await pilot.press("escape")
        assert "options" not in app.text()
        await pilot.press("down")
        await pilot.pause()
        assert "o options" in app.text()
        await pilot.press("o")
        assert asked(app, FinderPanel.OptionsWanted)[-1].row is ROWS[1]


async def test_more_that_is_known_leaves_the_cursor_and_the_place_in_the_text() -> None:
    async with shown((80, 24)) as (app, pilot):
        fill(app)
        await pilot.press("escape", "space", "down", "down", "pagedown")
        scrolled = app.panel.pane.scroll_offset.y
        assert scrolled > 0
        exact = tuple(other(row, exact=True, need_bytes=5, file=f"{row.quant}.gguf") for row in reversed(QUANTS[1:]))
        app.panel.show_about(About(CODER, exact, card=ABOUT.card))
        await pilot.pause()
        assert app.panel.pane.selected is not None
        assert app.panel.pane.selected.quant == "Q8_0"
        assert app.panel.pane.scroll_offset.y == scrolled


async def test_other_rows_leave_the_cursor_on_its_model() -> None:
    async with shown((80, 24)) as (app, pilot):
        fill(app)
        await pilot.press("escape", "down", "down")
        app.panel.show(Shelf(tuple(reversed(ROWS))), len(ROWS), Choices())
        assert app.panel.found.selected is ROWS[2]


async def test_who_looks_at_a_model_keeps_it_whatever_the_list_comes_to_hold() -> None:
    async with shown((80, 24)) as (app, pilot):
        fill(app)
        await pilot.press("escape", "space")
        app.panel.show(Shelf(tuple(reversed(ROWS))), len(ROWS), Choices())
        assert app.panel.found.selected is ROWS[0], "the cursor is still on it, though it is the last one now"
        app.panel.show(Shelf(ROWS[1:]), len(ROWS), Choices())
        app.panel.show(Shelf(()), len(ROWS), Choices())
        await pilot.pause()
        assert app.panel.listing == CODER
        assert app.panel.target is QUANTS[1]
        await pilot.press("p")
        assert asked(app, FinderPanel.PullAsked)[-1].row is QUANTS[1]
        app.panel.show(Shelf(ROWS[1:]), len(ROWS), Choices())
        await pilot.press("escape")
        await pilot.pause()
        assert app.panel.listing == SMALL
        assert asked(app, FinderPanel.Selected)[-1].row is ROWS[1], "the pane follows the list again"


@pytest.mark.parametrize(
    "text", [f"https://huggingface.co/{CODER.repo}/tree/main", f"hf.co/{CODER.repo}", f"{CODER.repo}:Q4_K_M\nmore"]
)
async def test_an_address_that_is_pasted_finds_its_repository(text: str) -> None:
    async with shown((80, 24)) as (app, pilot):
        fill(app)
        app.panel.search.input.post_message(events.Paste(text))
        await pilot.pause()
        assert [row.listing for row in app.panel.found.rows] == [CODER]


async def test_what_is_pasted_is_short_and_cannot_speak_to_the_terminal() -> None:
    async with shown((80, 24)) as (app, pilot):
        fill(app)
        await pilot.press("a")
        app.panel.search.input.post_message(events.Paste("\x1b[31mred\x9b5m\u202e " + "x " * 5000))
        await pilot.pause()
        value = app.panel.search.input.value
        assert value.startswith("ared x x")
        assert len(value) == MOST_TYPED
        assert value.isascii()


async def test_without_rows_it_says_why() -> None:
    async with shown((80, 24)) as (app, pilot):
        fill(app)
        app.panel.say(("No model called 'xyz' has all of this.", "foreground"), ("0 takes them away.", "muted"))
        await pilot.press(*"xyz")
        assert "No model called 'xyz' has all of this." in app.text()
        assert "pull" not in app.text(), "there is nothing to fetch"
        await pilot.press("escape", "0")
        assert len(app.panel.found.rows) == len(ROWS), "plain keys work in an empty list"


@pytest.mark.parametrize("size", [(40, 10), (60, 16), (80, 24), (120, 40), (159, 50), (200, 60)])
async def test_nothing_is_wider_than_the_screen_and_verdicts_are_always_there(size: tuple[int, int]) -> None:
    rows = (*ROWS, a_row(a_listing("org/[/x] [bold]名前 \x1b[31mred"), "UD-Q4_K_XL", 7))
    async with shown(size) as (app, pilot):
        app.panel.show(Shelf(rows), len(rows), Choices())
        app.panel.tell_source(Source("catalogue of 2026-11-22", "the Hub cannot be reached: " + "x" * 200, "R"))
        app.panel.show_about(ABOUT)
        for keys in (["escape"], ["space"], ["down"], ["end"]):
            await pilot.press(*keys)
            for line in app.text().splitlines():
                assert cell_len(line) <= size[0]
                assert "\x1b" not in line
        await pilot.press("escape")
        for sign in ("● GPU", "○ RAM", "◐ part", "× no"):
            assert sign in app.text() or size[1] < 16, sign


async def test_a_long_name_takes_the_place_of_lesser_columns_in_its_row_alone() -> None:
    async with shown((80, 24)) as (app, _):
        fill(app)
        line = next(line for line in app.text().splitlines() if "somebody-thought" in line)
        assert LONG.name in line
        assert "● GPU" in line
        assert "Q4_K_M" not in line
        assert "Q4_K_M" in next(line for line in app.text().splitlines() if "Qwen3-Coder" in line)


async def test_in_ascii_all_of_it_is_ascii() -> None:
    async with shown((160, 45), ascii_only=True) as (app, pilot):
        fill(app)
        app.panel.show_about(other_about())
        app.panel.tell_source(Source("catalogue of 2026-11-22", "the Hub cannot be reached", "R tries again"))
        seen = [app.text()]
        await pilot.press("escape", "w", "b", "f", "x", "space")
        seen.append(app.text())
        for text in seen:
            assert text.isascii(), sorted({sign for sign in text if not sign.isascii()})


def other_about() -> About:
    """With nothing in it that is not ours."""
    return About(CODER, QUANTS, note="Exact.", page=PAGE)


async def test_ten_thousand_rows_are_as_good_as_ten() -> None:
    rows = many_rows(10_000)
    async with shown((80, 24)) as (app, pilot):
        app.panel.show(Shelf(rows), len(rows), Choices())
        await pilot.press("escape", "end")
        assert app.panel.found.selected is rows[-1]
        app.panel.go()
        await pilot.press(*"gemma")
        assert {row.listing.name.partition("-")[0] for row in app.panel.found.rows} == {"gemma"}
