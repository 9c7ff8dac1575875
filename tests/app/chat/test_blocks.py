"""What each kind of Markdown looks like, as text on the screen."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.app.chat.rendered import answer_lines, shown
from tests.app.chat.texts import MARKDOWN, patient
from tui.app.panels.chat.fences import count_fences
from tui.app.panels.chat.glyphs import ASCII, UNICODE_NO_COLOUR
from tui.app.panels.chat.lines import copied
from tui.app.panels.chat.plain import PlainSegmenter
from tui.app.panels.chat.segment import Segmenter


def look(text: str, width: int = 40) -> str:
    return "\n".join(shown(text, width))


def styles(text: str) -> dict[str, str]:
    """Which style each piece of text got."""
    return {run_text: style for line in answer_lines(text, 80) for run_text, style in line.runs}


def test_inline_styles() -> None:
    found = styles("a **b** *c* `d` ~~e~~ ***f*** **`g`**")
    assert found["b"] == "strong"
    assert found["c"] == "em"
    assert found["d"] == "code"
    assert found["e"] == "strike"
    assert found["f"].split() == ["em", "strong"]
    assert found["g"] == "strong code"


def test_inline_code_keeps_its_marks_where_there_is_no_colour() -> None:
    assert answer_lines("run `ls`", 40, UNICODE_NO_COLOUR)[0].text == "run `ls`"


def test_a_link_says_where_it_leads() -> None:
    assert look("see [the docs](https://a.b/c?d=é)", 80) == "see the docs (https://a.b/c?d=é)"
    assert look("<https://a.b/c>") == "https://a.b/c"
    assert look("[https://a.b/](https://a.b)") == "https://a.b/"
    assert look("![a cat](cat.png)") == "a cat (cat.png)"


def test_a_dangerous_link_stays_text() -> None:
    assert look("[x](javascript:alert)") == "[x](javascript:alert)"


def test_reference_definitions_stay_visible() -> None:
    assert look("[a][1]\n\n[1]: http://b.c") == "[a][1]\n\n[1]: http://b.c"


@pytest.mark.parametrize("text", ["<b>x</b> <br/>", "[bold]x[/bold]", "\\(a_1 * b_2\\)", "$x_1 * y_2$", "$$ a*b*c $$"])
def test_html_markup_and_mathematics_stay_as_they_are(text: str) -> None:
    assert look(text) == text


def test_prices_are_not_mathematics() -> None:
    assert look("costs $5 *or* $6") == "costs $5 or $6"


def test_displayed_mathematics_is_left_alone() -> None:
    assert look("$$\na_1 * b_2 * c\n- d\n$$\nafter") == "$$\na_1 * b_2 * c\n- d\n$$\nafter"
    assert look("\\[\nx = y\n= z\n\\]") == "\\[\nx = y\n= z\n\\]"


def test_line_breaks_of_the_source_stay() -> None:
    assert look("roses\nviolets  \nsugar\\\nyou") == "roses\nviolets\nsugar\nyou"


def test_headings_stand_close_to_what_they_head() -> None:
    assert look("a\n# One\n\ntext\n## Two ##\nmore\n\nSetext\n---\nx") == ("a\n\nOne\ntext\n\nTwo\nmore\n\nSetext\nx")
    assert styles("# One\n### Two") == {"One": "h1", "Two": "h3"}
    assert look("#hashtag is text") == "#hashtag is text"


def test_lists_hang_and_nest() -> None:
    text = "- one two three four five six\n- two\n  - deep one two three four\n    1. deeper\n- three"
    assert look(text, 24) == (
        "• one two three four\n  five six\n• two\n  ◦ deep one two three\n    four\n    1. deeper\n• three"
    )


def test_blank_lines_between_items_are_kept_as_written() -> None:
    assert look("- a\n- b\n\n- c") == "• a\n• b\n\n• c"


def test_numbers_are_those_written_unless_they_repeat() -> None:
    assert look("1. a\n1. b\n1. c") == "1. a\n2. b\n3. c"
    assert look("3. a\n5. b\n\n9. c") == "3. a\n5. b\n\n9. c"
    assert look("1. a\n\n   para\n\n```\nx\n```\n\n2. b", 20).endswith("2. b")
    assert look("9. a\n10. b") == "9. a\n10. b"


def test_paragraphs_inside_items_keep_their_margin() -> None:
    assert look("1. a\n\n   second *paragraph*\n2. b") == "1. a\n\n   second paragraph\n2. b"


def test_bullets_two_columns_in_below_a_number_are_inside_it() -> None:
    assert look("1. a\n  - b\n  - c\n2. d") == "1. a\n   • b\n   • c\n2. d"


def test_lazy_lines_belong_to_the_item() -> None:
    assert look("- a\nlazy\n- b") == "• a\n  lazy\n• b"


def test_a_number_in_running_text_is_no_list() -> None:
    assert look("It was\n1984. A year.") == "It was\n1984. A year."
    assert look("so\n- item") == "so\n• item"


def test_task_lists() -> None:
    assert look("- [ ] open\n- [x] done\n* [X] **too**") == "☐ open\n☑ done\n☑ too"
    assert look("1. [ ] not one") == "1. [ ] not one"


def test_an_empty_item_is_shown() -> None:
    assert look("- a\n-\n- c") == "• a\n•\n• c"


def test_thirty_nested_lists_leave_room_for_text() -> None:
    lines = shown("\n".join("  " * depth + f"- level {depth}" for depth in range(30)), 40)
    assert "level 29" in "".join(lines).replace("▪", "").replace("•", "").replace("◦", "")
    assert max(map(len, lines)) <= 40


def test_a_fence_in_an_item_has_its_margin_and_number() -> None:
    assert look("1. do\n   ```sh\n   ls -l\n     pwd\n   ```\n2. done", 20) == (
        "1. do\n   ┌ sh ──────── 1 ┐\n   │ ls -l         │\n   │   pwd         │\n   └───────────────┘\n2. done"
    )


def test_fences_are_numbered_and_framed() -> None:
    assert look("```python\nx = 1\n\n  y\n```\n\n~~~\nz\n~~~", 24) == (
        "┌ python ─────────── 1 ┐\n"
        "│ x = 1                │\n"
        "│                      │\n"
        "│   y                  │\n"
        "└──────────────────────┘\n"
        "\n"
        "┌─────────────────── 2 ┐\n"
        "│ z                    │\n"
        "└──────────────────────┘"
    )


def test_long_code_is_cut_at_the_frame_and_copied_whole() -> None:
    text = "```\n" + "abcdefghij" * 3 + "\n```"
    assert look(text, 20).split("\n")[1:3] == ["│ abcdefghijabcdef │", "│ ghijabcdefghij   │"]
    assert copied(answer_lines(text, 20)[1:-1]) == "abcdefghij" * 3


def test_code_is_coloured_once_the_fence_is_closed() -> None:
    assert styles("```python\ndef f(): pass\n```")["def"] == "source keyword"
    assert styles("```python\ndef f(): pass")["def"] == "source keyword"  # the end of the answer closes it
    assert styles("```nolanguage\ndef\n```")["def"] == "source"


def test_backticks_of_a_line_open_no_fence() -> None:
    assert look("```code``` in a line") == "code in a line"


def test_a_longer_fence_holds_a_shorter_one() -> None:
    lines = shown("````md\n```py\nx\n```\n````\nend", 30)
    assert [line.strip("│ ") for line in lines[1:4]] == ["```py", "x", "```"]
    assert lines[-1] == "end"


def test_quotes_hold_other_blocks() -> None:
    assert look("> one **two**\nlazy\n>\n> - a\n>   b\n>\n> ```\n> code\n> ```", 24) == (
        "▎ one two\n▎ lazy\n▎\n▎ • a\n▎   b\n▎\n"
        "▎ ┌────────────────────┐\n▎ │ code               │\n▎ └────────────────────┘"
    )
    assert look("> a\n> > b") == "▎ a\n▎\n▎ ▎ b"


def test_rules_and_indented_code() -> None:
    assert look("a\n\n***\n\nb", 10) == "a\n\n──────────\n\nb"
    assert look("a\n\n    x = 1\n      y\n\nb") == "a\n\nx = 1\n  y\n\nb"


def test_tabs_stand_for_four_columns() -> None:
    assert look("```\n\tx\ty\n```", 20).split("\n")[1] == "│     x   y        │"
    assert look("-\ta\n\t- b") == "• a\n  ◦ b"


def test_closing_marks_stay_on_the_line_before() -> None:
    assert look("一二三四五六七八九、十。", 18) == "一二三四五六七八\n九、十。"
    assert look("一二三四五六七（八）", 16) == "一二三四五六七\n（八）"


def test_emoji_sequences_are_drawn_as_parts_of_known_width() -> None:
    assert look("👩‍💻 👍🏽 ☀️ 🇩🇪") == "👩💻 👍 ☀ 🇩🇪"


def test_ascii() -> None:
    lines = [line.text.rstrip() for line in answer_lines("- a\n- [x] b\n\n> c\n\n```\nd\n```", 12, ASCII)]
    assert lines == ["* a", "x b", "", "| c", "", "+------- 1 +", "| d        |", "+----------+"]


@patient
@given(MARKDOWN)
def test_fences_are_counted_as_they_are_cut(text: str) -> None:
    pieces = Segmenter()
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        pieces.feed(line)
    pieces.end()
    assert count_fences(text) in (None, sum(chunk.kind == "fence" for chunk in pieces.closed))


def test_plain_text_is_cut_without_losing_a_line() -> None:
    lines = [f"line {number}" if number % 7 else "" for number in range(1, 300)]
    pieces = PlainSegmenter()
    for line in lines:
        pieces.feed(line)
    pieces.end()
    assert [line for chunk in pieces.closed for line in chunk.lines] == lines
    assert len(pieces.closed) > 5
