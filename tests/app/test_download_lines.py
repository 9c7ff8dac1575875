"""How a download is told: its line at any width, what all of them come to, and what becomes of what was told."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.app.downloads import ALL, GATED, GIB, MIB, RESET, a_row, an_item
from tui.app.glyphs import AsciiGlyphs, Glyphs
from tui.app.panels.downloads.details import facts
from tui.app.panels.downloads.limit import limit_text, parse_limit
from tui.app.panels.downloads.lines import POINTER, columns, line, longest_name
from tui.app.panels.downloads.values import Live, Phase, Row, Sum, row_of, summed
from tui.app.panels.downloads.words import all_together, amount, clock, for_title, in_short, state
from tui.hub.downloads.values import Entry, Event


def text(row: Row, width: int, rows: tuple[Row, ...] = ALL, glyphs: Glyphs | None = None) -> str:
    return "".join(piece for piece, _ in line(row, columns(width, longest_name(rows)), glyphs or Glyphs()))


def told(event: str, done: int, **more: object) -> Event:
    return Event(item="a", event=event, file="a.gguf", done_bytes=done, total_bytes=100, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [38, 47, 62, 70, 78, 100, 118, 158])
@pytest.mark.parametrize("glyphs", [Glyphs(), AsciiGlyphs()], ids=["unicode", "ascii"])
def test_every_line_has_the_room_to_its_last_cell_and_no_more(width: int, glyphs: Glyphs) -> None:
    for row in ALL:
        shown = text(row, width, glyphs=glyphs)
        assert cell_len(shown) == width - POINTER - 1, shown
        assert not glyphs.ascii or shown.isascii()


@given(
    st.integers(24, 220),
    st.sampled_from(get_args(Phase)),
    st.text(max_size=40),
    st.integers(0, 1 << 42),
    st.floats(0, 1),
    st.none() | st.integers(0, 1 << 34),
    st.none() | st.floats(0, 1e7),
)
def test_no_line_is_longer_or_shorter_than_its_room(
    width: int, phase: Phase, words: str, total: int, share: float, rate: int | None, left_s: float | None
) -> None:
    item = an_item(f"org/{words.replace('/', '')}m", words.upper() or "Q4_K_M", file=f"{words}-Q4_K_M.gguf")
    item = msgspec.structs.replace(item, files=(msgspec.structs.replace(item.files[0], size_bytes=total),))
    row = Row(item, phase, int(total * share), rate, left_s, words, 1, words)
    assert cell_len(text(row, width, (row,))) == max(0, width - POINTER - 1)
    summed((row,)), facts(row)


def test_a_line_of_eighty_columns_has_everything() -> None:
    shown = text(ALL[0], 78)
    assert "Q4_K_M" in shown
    assert "━━━━━───" in shown
    assert shown.endswith(" 11.7/18.6 GiB  42 MiB/s    2:45")


def test_bars_go_before_amounts_and_names_stay_readable() -> None:
    assert "━" not in text(ALL[0], 60)
    assert "11.7/18.6 GiB" in text(ALL[0], 60)
    assert text(ALL[0], 38).startswith("Qwen3-Coder-30B")
    assert text(ALL[0], 38).endswith("62 %")


def test_states_stand_where_the_speed_would() -> None:
    shown = {row.phase: text(row, 100) for row in ALL}
    assert shown["again"].count("again in 8 s: 127.0.0.1 closed") == 1
    assert "checking 73 %" in shown["checks"]
    assert "═" in shown["checks"], "what is checked looks other than what is fetched"
    assert shown["waits"].endswith("waits           ")
    assert "! org/private-GGUF is gated" in shown["failed"]
    assert "600" not in shown["done"]
    assert "614 MiB  done" in shown["done"]


def test_bytes_that_do_not_come_are_said_in_words() -> None:
    assert "nothing comes" in text(ALL[5], 100)


def test_names_from_strangers_reach_no_terminal() -> None:
    bad = a_row("failed", an_item("org/\x1b[31mred"), reason="\x1b]2;title\x07 [b]bold[/b]")
    assert "\x1b" not in text(bad, 78) + repr([value for _, value in facts(bad)]).replace("\\x1b", "")
    assert all("\x1b" not in value and "\x07" not in value for _, value in facts(bad))


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, ""), (0, "0:00"), (42.4, "0:42"), (725, "12:05"), (11220, "3:07 h"), (200_000, "2 d")],
)
def test_time_left_is_short(seconds: float | None, shown: str) -> None:
    assert clock(seconds) == shown


def test_amounts_have_their_unit_once() -> None:
    assert amount(round(11.7 * GIB), round(18.6 * GIB)) == "11.7/18.6 GiB"
    assert amount(40 * MIB, 138 * MIB) == "40/138 MiB"
    assert amount(512 << 10, 138 * MIB) == "512 KiB/138 MiB"
    assert amount(0, 2 * GIB) == amount(2 * GIB, 2 * GIB) == "2.0 GiB"


def test_details_have_the_whole_reason_the_sums_and_where_it_goes() -> None:
    failed = dict(facts(ALL[6]))
    assert failed["state"] == GATED
    assert failed["sha256"] == "ab12" * 16
    assert "Hugging Face cache" in failed["to"]
    several = facts(ALL[1])
    assert [name for name, _ in several].count("sha256") == 2
    assert dict(several)["file"].endswith("and 1 more")
    assert dict(facts(ALL[7]))["at"] == "/models/Qwen3-0.6B-Q8_0.gguf"
    assert "process 4121" in dict(facts(ALL[5]))["by"]
    tried = dict(facts(a_row(tries=2, last_reason=RESET)))["tries"]
    assert tried == "again 2 times; the last time because 127.0.0.1 closed the connection in the middle"
    assert dict(facts(a_row(item=an_item(folder="/big/models"))))["to"] == "/big/models"


def test_all_together_counts_what_is_fetched_or_waits() -> None:
    what = summed(ALL)
    assert what.active == 4
    assert what.total_bytes == sum(ALL[at].item.total_bytes for at in (0, 1, 2, 3, 5))
    assert what.done_bytes == sum(ALL[at].done_bytes for at in (0, 1, 5)) + ALL[2].item.total_bytes
    assert what.rate == 42 * MIB, "what is checked comes from the disk"
    assert all_together(what, "·").startswith("47.1 GiB to come · 42 MiB/s · ")
    assert all_together(Sum(), "·") == ""


def test_the_corner_and_the_title_say_how_far_it_is_and_nothing_when_it_is_over() -> None:
    what = Sum(1, 63, 100, 42 * MIB)
    assert in_short(what, Glyphs(), 80) == "⇣ 1  42 MiB/s  63 %"
    assert in_short(what, AsciiGlyphs(), 40) == "v 63 %"
    assert for_title(what, "⇣") == "63 % ⇣ 1 - puna"
    assert in_short(summed(ALL[6:]), Glyphs(), 80) == for_title(summed(ALL[6:]), "⇣") == ""


def test_a_reason_stays_until_bytes_come_and_is_remembered() -> None:
    live = Live().after(told("progress", 10, bytes_s=5, eta_s=18.0), 0.0)
    live = live.after(told("retry", 10, message=RESET, again_s=8.0, tries=1), 100.0)
    assert (live.reason, live.rate, live.tries, live.again_at) == (RESET, None, 1, 108.0)
    assert live.after(told("progress", 10, bytes_s=0), 0.0).reason == RESET
    better = live.after(told("progress", 11, bytes_s=1), 0.0)
    assert (better.reason, better.last_reason, better.tries, better.again_at) == ("", RESET, 1, None)
    assert live.after(told("verify", 5, bytes_s=1), 0.0).reason == ""


def test_the_time_before_the_next_try_is_counted_down() -> None:
    entry, live = Entry(an_item(), "running", 10, 7), Live(10, reason=RESET, again_at=160.0)
    said = [state(row_of(entry, live, 7, now)) for now in (100.0, 100.5, 159.5, 160.0, 170.0)]
    times = ["again in 60 s", "again in 60 s", "again in 1 s", "trying again", "trying again"]
    assert said == [f"{time}: {RESET}" for time in times]


@pytest.mark.parametrize(
    ("written", "mib_s"),
    [
        ("", 0),
        (" 0 ", 0),
        ("5", 5),
        ("2.5 MiB/s", 2.5),
        ("512KiB/s", 0.5),
        ("20 Mbit/s", 2.5e6 / MIB),
        ("1,5gib", 1536),
    ],
)
def test_a_limit_is_written_as_lines_are_sold(written: str, mib_s: float) -> None:
    assert parse_limit(written) == pytest.approx(mib_s)
    assert parse_limit(limit_text(mib_s)) == pytest.approx(mib_s, rel=1e-4)


@pytest.mark.parametrize("written", ["fast", "-1", "5 apples", "1e3", "10 KB/h", "1 KB/s", "٣"])
def test_what_is_no_limit_is_said(written: str) -> None:
    with pytest.raises(ValueError, match=r"is no speed|too slow"):
        parse_limit(written)


def test_a_row_is_what_the_list_says_and_what_was_told_since() -> None:
    item = an_item(gib=100 / GIB)
    running = Entry(item, "running", 10, 7)
    assert row_of(running, None, 7, 0.0).phase == "connects"
    assert row_of(running, Live(20, 5, 2.0), 7, 0.0) == Row(item, "fetches", 20, 5, 2.0)
    assert row_of(running, Live(20, reason=RESET), 7, 0.0).phase == "again"
    assert row_of(running, Live(20, checking=True), 7, 0.0).phase == "checks"
    assert row_of(Entry(item, "paused", 10), Live(20, 5, 2.0), 7, 0.0) == Row(item, "paused", 10)
    assert row_of(Entry(item, "running", 10, 8), Live(20, 5, 2.0), 7, 0.0).elsewhere == 8


def test_while_one_shard_is_checked_the_others_are_still_to_come() -> None:
    item = an_item("org/m-GGUF", gib=4.0, shards=2)
    live = Live()
    for event, done in (("progress", 2 * GIB), ("verify", GIB)):
        live = live.after(told(event, done, bytes_s=900 * MIB), 0.0)
    row = row_of(Entry(item, "running", 2 * GIB, 7), live, 7, 0.0)
    assert (row.phase, row.share) == ("checks", 0.25)
    assert summed([row]) == Sum(1, 2 * GIB, 4 * GIB, 0)
    assert "2.0/4.0 GiB" in text(row, 100, (row,))
