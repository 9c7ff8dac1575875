"""The window on a long transcript: only what is near the screen is drawn, and wrong guesses never move what is read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.app.chat.rendered import all_lines, document
from tests.app.chat.texts import EVERYTHING, patient
from tui.app.panels.chat.document import KEPT_UNITS, Document
from tui.app.panels.chat.entry import Entry
from tui.app.panels.chat.heights import Heights
from tui.app.panels.chat.message import TranscriptMessage


def history(count: int, text: str = EVERYTHING) -> list[TranscriptMessage]:
    return [
        TranscriptMessage(str(number), "user" if number % 2 == 0 else "assistant", f"number {number}\n\n{text}")
        for number in range(count)
    ]


def screen(made: Document, top: int, height: int) -> list[str]:
    return [(unit.lines or [])[index].text for unit, index in made.rows(top, height)]


def test_opening_a_long_history_draws_its_end_only() -> None:
    made = document(60, *history(2000))
    top = made.settle(0, 40, follow=True)
    assert top == made.total - 40
    assert screen(made, top, 40)[-1] == "and $y$."
    assert made.units_drawn < 60
    assert sum(entry.opened for entry in made.entries) <= 3


def test_scrolling_up_never_moves_what_is_read() -> None:
    made = document(60, *history(40))
    height = 20
    top = made.settle(0, height, follow=True, ahead=height)
    while top > 0:
        before = screen(made, top, height)
        drawn = made.units_drawn
        moved = max(0, top - 7)
        shift = top - moved
        top = made.settle(moved, height, follow=False)
        after = screen(made, top, height)
        assert after[shift:] == before[: height - shift]
        top = made.settle(top, height, follow=False, ahead=height)
        assert screen(made, top, height) == after
        assert made.units_drawn - drawn < 40
    assert screen(made, 0, 3) == ["you", "number 0", ""]


def test_what_is_far_from_the_screen_is_put_away_and_drawn_again_as_it_was() -> None:
    made = document(60, *history(400))
    whole = [line.text for line in all_lines(made)]
    total = made.total
    top = total - 30
    while top > 0:
        top = made.settle(max(0, top - 29), 30, follow=False, ahead=30)
        assert screen(made, top, 30) == whole[top : top + 30]
    assert made.total == total
    drawn = [unit for entry in made.entries for unit in entry.units if unit.lines is not None]
    assert len(drawn) <= 2 * KEPT_UNITS + 100


def test_jumping_to_the_beginning_and_the_middle() -> None:
    made = document(60, *history(500))
    made.settle(0, 20, follow=True)
    assert made.settle(0, 20, follow=False) == 0
    assert screen(made, 0, 2) == ["you", "number 0"]
    middle = made.total // 2
    top = made.settle(middle, 20, follow=False)
    assert len(screen(made, top, 20)) == 20
    assert abs(top - middle) < made.total // 10


def test_after_everything_is_drawn_the_guesses_are_exact() -> None:
    made = document(60, *history(30))
    count = len(all_lines(made))
    assert made.total == count


@patient
@given(st.integers(20, 120), st.integers(20, 120), st.integers(0, 100))
def test_a_change_of_width_keeps_the_place(before: int, after: int, percent: int) -> None:
    made = document(before, *history(6))
    all_lines(made)
    top = made.settle(made.total * percent // 100, 10, follow=False)
    place = made.locate(top)
    assert place is not None
    moved = made.settle(made.set_width(after, top), 10, follow=False)
    found = made.locate(moved)
    assert found is not None
    at_end = moved == max(0, made.total - 10)
    assert at_end or (found.entry, found.unit) == (place.entry, place.unit)


def test_a_new_first_message_has_no_blank_line_above() -> None:
    made = document(40, *[TranscriptMessage(str(number), "user", f"text {number}") for number in range(3)])
    all_lines(made)
    made.remove(0)
    assert [line.text for line in all_lines(made)] == ["you", "text 1", "", "you", "text 2"]


def numbers(made: Document) -> list[str]:
    """What stands at the end of each frame's upper border."""
    return [line.text[-3] for line in all_lines(made) if line.text.endswith("┐")]


def test_code_blocks_are_numbered_through() -> None:
    texts = [
        "no code",
        "```\na\n```",
        "1. x\n   ```py\n   b\n   ```",
        "> ```\n> quoted\n> ```",
        "```\nc\n```\n~~~\nd\n~~~",
    ]
    made = document(40, *[TranscriptMessage(str(index), "assistant", text) for index, text in enumerate(texts)])
    assert made.fence_count == 4
    assert [made.fence(number) for number in range(6)] == [None, "a", "b", "c", "d", None]
    assert numbers(made) == ["1", "2", "─", "3", "4"]
    made.remove(1)
    assert made.fence(1) == "b"
    assert numbers(made) == ["1", "─", "2", "3"]


def test_code_of_a_person_is_not_numbered() -> None:
    made = document(40, TranscriptMessage("1", "user", "```\na\n```"))
    assert made.fence_count == 0
    assert [line.text for line in all_lines(made)] == ["you", "```", "a", "```"]


def test_an_answer_goes_on_numbering_while_it_streams() -> None:
    made = document(40, TranscriptMessage("1", "assistant", "```\na\n```"))
    live = Entry(TranscriptMessage("2", "assistant", ""), live=True)
    made.add(live)
    live.append("```\nb\n```\n\n```\nc\nd", "answer")
    made.advance(1)
    assert made.fence_count == 3
    assert made.fence(3) == "c"


def test_drift_counts_what_guesses_above_were_short_of() -> None:
    made = document(60, *history(40))
    top = made.settle(0, 20, follow=True)
    line = screen(made, top, 1)[0]
    number = top - made.drift
    top = made.settle(top, 20, follow=True, ahead=60)
    assert screen(made, number + made.drift, 1) == [line]


def test_an_empty_document() -> None:
    made = document(40)
    assert made.settle(5, 10, follow=False) == 0
    assert made.total == 0
    assert made.locate(0) is None
    assert list(made.rows(0, 10)) == []
    assert made.fence_count == 0


@given(st.lists(st.integers(0, 9), min_size=1), st.data())
def test_heights_add_up(sizes: list[int], data: st.DataObject) -> None:
    heights = Heights(sizes)
    for _ in range(5):
        index = data.draw(st.integers(0, len(sizes) - 1))
        if data.draw(st.booleans()):
            sizes[index] = data.draw(st.integers(0, 9))
            heights.set(index, sizes[index])
        else:
            tail = data.draw(st.lists(st.integers(0, 9), min_size=1, max_size=3))
            sizes[index:] = tail
            heights.replace(index, tail)
        at = data.draw(st.integers(0, len(sizes)))
        assert heights.offset(at) == sum(sizes[:at])
        assert heights.total == sum(sizes)
        assert list(heights) == sizes
        for y in range(heights.total):
            found = heights.find(y)
            assert heights.offset(found) <= y < heights.offset(found) + heights[found]
