"""Tables: columns that fit are left alone, others wrap, and what cannot stand side by side becomes a list."""

from __future__ import annotations

from tests.app.chat.rendered import shown
from tests.app.chat.test_blocks import look

TABLE = """| model | size | notes |
|:------|-----:|:------|
| Qwen3-30B | 18.6 GB | a mixture of experts that needs little compute for its size |
| gemma | 9 GB | dense |
"""


def test_a_table_that_fits_is_as_narrow_as_its_text() -> None:
    assert look("| a | b |\n|---|--:|\n| **x** | 1 |\n| yy | 10 |") == "a    b\n──  ──\nx    1\nyy  10"


def test_a_long_column_wraps_and_the_others_stay() -> None:
    assert look(TABLE, 50) == (
        "model         size  notes\n"
        "─────────  ───────  ──────────────────────────────\n"
        "Qwen3-30B  18.6 GB  a mixture of experts that\n"
        "                    needs little compute for its\n"
        "                    size\n"
        "\n"
        "gemma         9 GB  dense"
    )


def test_what_cannot_stand_side_by_side_becomes_a_list() -> None:
    wide = "| a | b | c | d | e | f |\n|---|---|---|---|---|---|\n" + "| 1234567890 " * 6 + "|"
    assert shown(wide, 30)[:3] == ["a: 1234567890", "b: 1234567890", "c: 1234567890"]


def test_cells_may_be_missing_empty_or_broken() -> None:
    assert look("| a | b |\n|---|---|\n| 1 |\n|  | p \\| q |") == "a  b\n─  ─────\n1\n   p | q"
    assert look("| a | b |\n|---|---|\n| x<br>y | z |") == "a  b\n─  ─\nx  z\ny"
    assert look("| a | b |\n|---|---|") == "a  b\n─  ─"


def test_columns_are_aligned_as_they_ask() -> None:
    assert look("| l | r | c |\n|:--|--:|:-:|\n| 1 | 2 | 3 |\n| aaa | bbb | ccc |") == (
        "l      r   c\n───  ───  ───\n1      2   3\naaa  bbb  ccc"
    )


def test_pipes_alone_make_no_table() -> None:
    assert look("a | b\nc | d") == "a | b\nc | d"
    assert look("a | b\n---|---|---\nc") == "a | b\n---|---|---\nc"


def test_a_table_ends_at_other_blocks() -> None:
    assert look("text\n| a |\n|---|\n| 1 |\n- item") == "text\n\na\n─\n1\n\n• item"


def test_a_very_long_table_goes_on_below_without_a_second_header() -> None:
    rows = [f"| row {number} | {number * 7} |" for number in range(1000)]
    lines = shown("\n".join(["| name | value |", "|---|---|", *rows]), 40)
    assert sum(line.startswith("name") for line in lines) == 1
    assert [line.split()[1] for line in lines[2:] if line] == [str(number) for number in range(1000)]


def test_wide_characters_are_measured_in_cells() -> None:
    assert (
        look("| 名前 | n |\n|---|---|\n| 漢字かな | 1 |\n| ab | 22 |")
        == "名前      n\n────────  ──\n漢字かな  1\nab        22"
    )
