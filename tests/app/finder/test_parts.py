"""What the finder is made of, without a screen: columns, filters, words, the stock of rows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.app.finder.rows import CODER, GIB, LLAMA, QUANTS, ROWS, TINY, a_listing, a_row
from tui.app.flows.finder.ghost import ghost_of
from tui.app.flows.finder.pulls import chosen
from tui.app.flows.finder.stock import Order, Stock, Stocked, installed_by
from tui.app.flows.finder.words import age_words, nothing_words, source_words
from tui.app.glyphs import AsciiGlyphs, Glyphs
from tui.app.panels.finder import columns, filters, words
from tui.app.panels.finder.about import About, lines, title
from tui.app.panels.finder.filters import BY_NAME, FILTERS, Choices
from tui.app.panels.finder.shelf import Shelf
from tui.app.panels.finder.source import Source
from tui.fit.values import DeviceSpec, Machine
from tui.hardware.history import RAM
from tui.hardware.snapshot import Gpu
from tui.hub.files import ModelRow, RemoteFile, RepoFiles
from tui.models.finder.pricing import Pricer
from tui.models.finder.selection import Table
from tui.models.finder.values import FinderRow, Wishes
from tui.models.machine import Seen

CARD = DeviceSpec(name="CUDA0", total_bytes=24 * GIB, free_bytes=20 * GIB, bandwidth_bytes_s=1e12)
MACHINE = Machine(devices=(CARD,), host_total_bytes=64 * GIB, host_available_bytes=48 * GIB, cores=8)
CHOICES = Choices(licences=("apache-2.0", "mit"), families=("qwen", "llama"))


@given(st.integers(20, 400), st.integers(5, 60))
def test_columns_fill_a_row_exactly_and_never_take_a_name_away(width: int, name_cells: int) -> None:
    chosen = columns.chosen(width, name_cells)
    taken = columns.GUTTER + 1 + sum(column.cells for column in chosen)
    assert width - taken >= min(name_cells, columns.LEAST_NAME) or not chosen
    if len(chosen) > 2:
        assert width - taken >= name_cells
    ranks = sorted(column.rank for column in columns.COLUMNS)[: len(chosen)]
    assert sorted(column.rank for column in chosen) == ranks, "no lesser column without a better one"
    assert cell_len(columns.heads(chosen, width, Glyphs())) <= max(width, taken)


def test_there_are_more_columns_the_more_room_there_is() -> None:
    titles = {width: [column.title for column in columns.chosen(width, 32)] for width in (38, 78, 88, 158, 220)}
    assert titles[38] == ["fits", "tok/s"]
    assert titles[78] == ["quant", "size", "fits", "tok/s"]
    assert titles[88] == ["quant", "size", "need", "fits", "tok/s"]
    assert {"params", "for", "downl.", "licence", "updated"} <= set(titles[158])
    assert len(titles[220]) == len(columns.COLUMNS)


@pytest.mark.parametrize(
    ("number", "told"),
    [(None, ""), (78, "78"), (999, "999"), (1000, "1.0 k"), (345_000, "345 k"), (1_234_567, "1.2 M")],
)
def test_counts_are_short(number: int | None, told: str) -> None:
    assert words.many(number) == told


@pytest.mark.parametrize(
    ("tok_s", "told"),
    [((58.2, 74.4), "58–74"), ((6.12, 9.4), "6.1–9.4"), ((8.8, 31.0), "9–31"), ((45.0, 45.2), "45"),
     ((310.0, 1551.0), "310–1.6k"), ((2460.0, 22377.0), "2.5k–22k"), ((8_900.0, 999_900.0), "8.9k–99k")],
)  # fmt: skip
def test_a_speed_is_told_whole_in_its_column(tok_s: tuple[float, float], told: str) -> None:
    row = a_row(CODER, decode_tok_s=tok_s)
    assert words.speed(row, Glyphs()) == told
    column = next(column for column in columns.COLUMNS if column.title == "tok/s")
    assert column.drawn(told, Glyphs()).strip() == told


def test_code_in_a_card_stays_indented() -> None:
    card = "Use it:\n\n```python\ndef go():\n    return 1\n```\n" + "word " * 30
    told = ["".join(word.text for word in line) for line in lines(About(CODER, card=card), 0, 40, Glyphs())]
    assert "    def go():" in told
    assert "        return 1" in told
    assert max(map(cell_len, told)) <= 40


def test_parameters_tell_those_that_a_token_uses() -> None:
    assert [words.parameters(listing) for listing in (CODER, LLAMA, TINY)] == ["30B-A3.3B", "71B", "134M"]
    assert words.parameters(replace(CODER, parameters=None)) == ""


@pytest.mark.parametrize("glyphs", [Glyphs(), AsciiGlyphs()])
def test_verdicts_differ_without_colour(glyphs: Glyphs) -> None:
    signs = {words.verdict_sign(verdict, glyphs) for verdict in ("gpu", "partial", "ram", "no", None)}
    assert len(signs) == 5
    assert all(cell_len(sign) == 1 for sign in signs)


@pytest.mark.parametrize("one", FILTERS, ids=lambda one: one.name)
def test_a_filter_goes_round_in_both_directions(one: filters.Filter) -> None:
    wishes, seen = Wishes(), []
    for _ in range(30):
        wishes = one.stepped(wishes, CHOICES, 1)
        if wishes == Wishes():
            break
        seen.append(getattr(wishes, one.name))
        assert one.shown(wishes, Glyphs())
        assert one.shown(wishes, AsciiGlyphs()).isascii()
    assert wishes == Wishes()
    assert len(seen) == len(set(map(str, seen))) > 1
    assert getattr(one.stepped(Wishes(), CHOICES, -1), one.name) == seen[-1]


def test_a_value_that_is_no_longer_offered_is_followed_by_none() -> None:
    assert BY_NAME["family"].stepped(Wishes(family="gone"), CHOICES, 1).family == "qwen"


def test_the_summary_is_one_line_in_which_the_context_comes_last() -> None:
    wishes = Wishes(query="coder", use_case="code", max_wait_s=20.0, fits="gpu", parameters=(4e9, 9e9), sort="speed")
    told = filters.summary(wishes, 8192, Glyphs())
    assert told == "for code · ≤ 20 s · fits GPU · 4–9B · by speed · 8 k"
    assert filters.cleared(wishes) == Wishes(query="coder"), "what was typed stays"
    assert [one.name for one in filters.narrowing(wishes)] == ["use_case", "max_wait_s", "fits", "parameters"]


def test_a_shelf_finds_what_holds_every_word() -> None:
    shelf = Shelf(ROWS)
    assert shelf.matching("") is shelf.rows
    assert [row.listing for row in shelf.matching("unsloth CODER")] == [CODER]
    assert shelf.matching("qwen llama") == ()
    assert set(shelf.matching("llama")) == set(Table(ROWS).select(Wishes(query="llama")))
    text = "coder qwen 3 llama"
    typed = [text[:end] for end in (*range(len(text)), *reversed(range(len(text))))] + ["llama qwen", "q", "ma a l"]
    for query in typed:
        assert shelf.matching(query) == Shelf(ROWS).matching(query), "what was typed before changes nothing"


@given(st.integers(20, 200), st.integers(0, 4))
def test_a_model_in_detail_is_never_wider_than_its_pane(width: int, at: int) -> None:
    about = About(
        CODER, QUANTS, note="n" * 90, problem="a b " * 60, fixes=("x" * 150, "y"),
        page="https://hub.example/" + "p" * 80, card="# Head\n\n" + "w" * 300 + "\n\x1b[31m名前 " * 9,
    )  # fmt: skip
    for line in lines(about, at, width, Glyphs()):
        assert cell_len("".join(word.text for word in line)) <= max(width, 34)
        assert "\x1b" not in "".join(word.text for word in line)
    assert cell_len(title(about, width, Glyphs())) <= width


def stocked(stock: Stock, order: Order) -> list[Stocked]:
    """Everything that is told of one order."""
    told: list[Stocked] = []
    stock.fill(order, told.append)
    return told


def test_a_stock_names_everything_at_once_and_prices_it_then() -> None:
    stock, listings = Stock(), (CODER, LLAMA, TINY)
    first, *_, last = stocked(stock, Order(listings, Wishes(), Pricer(MACHINE)))
    assert [row.verdict for row in first.shelf.rows] == [None, None, None]
    assert not first.whole
    assert last.whole
    assert last.shelf.rows[0].verdict == "gpu", "what fits best comes first"
    assert all(row.verdict for row in last.shelf.rows)
    sizes = [row.file_bytes or 0 for row in stock.rows_of(CODER)]
    assert sizes == sorted(sizes)
    assert len(sizes) > 4


def test_what_is_priced_is_not_priced_again_but_at_another_context() -> None:
    stock, pricer = Stock(), Pricer(MACHINE)
    stocked(stock, Order((CODER,), Wishes(), pricer))
    before = stock.rows_of(CODER)
    stocked(stock, Order((CODER, LLAMA), Wishes(fits="gpu"), pricer))
    assert all(now is then for now, then in zip(stock.rows_of(CODER), before, strict=True))
    stocked(stock, Order((CODER, LLAMA), Wishes(), Pricer(MACHINE, n_ctx=32768)))
    assert [row.need_bytes for row in stock.rows_of(CODER)] > [row.need_bytes for row in before]


def test_an_order_that_was_stopped_tells_nothing_more() -> None:
    stock, order = Stock(), Order((CODER, LLAMA), Wishes(), None)
    order.stop.set()
    assert stocked(stock, order) == []


def test_without_a_machine_rows_have_names_and_no_price() -> None:
    (told,) = stocked(Stock(), Order((CODER, LLAMA), Wishes(), None))
    assert {row.listing for row in told.shelf.rows} == {CODER, LLAMA}
    assert {row.verdict for row in told.shelf.rows} == {None}


def test_what_the_library_has_is_marked_and_marked_anew() -> None:
    stock, pricer = Stock(), Pricer(MACHINE)
    stocked(stock, Order((CODER,), Wishes(), pricer))
    here = installed_by([(CODER.repo, "Q4_K_M", "mine"), (None, "Q8_0", "other"), (CODER.repo, None, "third")])
    stocked(stock, Order((CODER,), Wishes(), pricer, here))
    assert {row.quant: row.installed for row in stock.rows_of(CODER) if row.installed} == {"Q4_K_M": "mine"}


def test_what_is_known_exactly_is_marked_too_when_it_comes_to_be_here() -> None:
    stock, pricer = Stock(), Pricer(MACHINE)
    exact = {CODER.repo: (a_row(CODER, exact=True, file="coder.gguf"),)}
    stocked(stock, Order((CODER,), Wishes(), pricer, exact=exact))
    assert [row.installed for row in stock.rows_of(CODER)] == [""]
    here = installed_by([(CODER.repo, "Q4_K_M", "mine")])
    stocked(stock, Order((CODER,), Wishes(), pricer, here, exact))
    assert [(row.exact, row.installed) for row in stock.rows_of(CODER)] == [(True, "mine")]


def test_what_searches_of_long_ago_found_is_forgotten() -> None:
    stock, pricer = Stock(), Pricer(MACHINE)
    many = tuple(a_listing(f"org/m-{number}-GGUF") for number in range(8))
    stocked(stock, Order((*many, CODER), Wishes(), pricer))
    stocked(stock, Order((CODER, LLAMA), Wishes(), pricer))
    assert not stock.rows_of(many[0])
    assert stock.rows_of(CODER)


def a_file(quant: str | None, gib: float, problem: str | None = None) -> ModelRow:
    """One model of a repository."""
    return ModelRow(quant, (RemoteFile(f"m-{quant}.gguf", round(gib * GIB), None),), 1, problem)


@pytest.mark.parametrize(
    ("files", "path"),
    [
        ((a_file("UD-Q4_K_M", 5), a_file("Q4_K_M", 5), a_file("Q8_0", 9)), "m-Q4_K_M.gguf"),
        ((a_file("Q2_K", 3), a_file("UD-Q4_K_M", 6)), "m-UD-Q4_K_M.gguf"),
        ((a_file("Q2_K", 3), a_file("Q3_K_M", 4), a_file("Q8_0", 9)), "m-Q3_K_M.gguf"),
        ((a_file("Q4_K_M", 5, "is empty there"), a_file("Q6_K", 7), a_file("Q8_0", 9)), "m-Q6_K.gguf"),
        ((a_file(None, 7),), "m-None.gguf"),
    ],
)
def test_the_file_that_is_fetched_takes_no_more_than_what_was_shown_where_there_is_one(
    files: tuple[ModelRow, ...], path: str
) -> None:
    found, _ = chosen(a_row(CODER, gib=5.2), RepoFiles(CODER.repo, "0" * 40, files))
    assert found is not None
    assert found.path == path


@pytest.mark.parametrize(
    ("files", "why"), [((), "has no GGUF file"), ((a_file("Q4_K_M", 5, "is empty there"),), "is empty there")]
)
def test_where_nothing_can_be_fetched_there_is_a_reason(files: tuple[ModelRow, ...], why: str) -> None:
    found, problem = chosen(a_row(CODER), RepoFiles(CODER.repo, "0" * 40, files))
    assert found is None
    assert why in problem


def test_the_filter_that_leaves_out_most_is_named() -> None:
    stock = Stock()
    stocked(stock, Order((CODER, LLAMA, TINY), Wishes(), Pricer(MACHINE)))
    wishes = Wishes(query="llama", fits="gpu", licence="mit")
    counts = {one.name: count for one, count in stock.counts_without(wishes)}
    assert counts == {"fits": 0, "licence": 1}
    counts = {one.name: count for one, count in stock.counts_without(Wishes(fits="gpu", use_case="code", licence="x"))}
    assert max(counts, key=lambda name: counts[name]) == "licence"
    assert stock.counts_without(Wishes(query="nobody", fits="gpu")) == ()


def test_why_there_is_nothing_is_said_with_the_key_that_helps() -> None:
    def said(wishes: Wishes, *without: tuple[filters.Filter, int], state: str = "done") -> str:
        sentences = nothing_words(wishes, without, state, {"clear": "0", "fits": "f"}.get, Glyphs())  # type: ignore[arg-type]
        return " ".join(text for text, _ in sentences)

    told = said(Wishes(query="x", fits="gpu"), (BY_NAME["fits"], 34))
    assert "Most are left out by 'fits GPU': without it there would be 34. f changes that one." in told
    assert "no filter alone" in said(Wishes(fits="gpu"), (BY_NAME["fits"], 0))
    assert "or on the Hub" in said(Wishes(query="x"))
    assert "is being asked" in said(Wishes(query="x"), state="asking")
    assert "cannot be reached" in said(Wishes(query="x"), state="failed")


def test_the_frame_says_where_rows_come_from() -> None:
    glyphs = Glyphs()
    assert source_words("2026-11-22", "", "", "", "R", glyphs) == Source("catalogue of 2026-11-22 · ~ estimated")
    assert source_words("2026-11-22", "asking", "", "", "R", glyphs).before.endswith("asking the Hub…")
    done = source_words("2026-11-22", "done", "", "", "R", glyphs)
    assert done == Source("catalogue of 2026-11-22 · the Hub · ~ estimated")
    failed = source_words("2026-11-22", "failed", "no network", "5 minutes", "R", glyphs)
    assert failed.fitted(200, glyphs).split(" · ") == [
        "catalogue of 2026-11-22",
        "the Hub's answer of 5 minutes ago",
        "the Hub cannot be reached: no network",
        "R tries again",
    ]
    assert failed.fitted(40, glyphs).endswith("R tries again")
    for width in range(5, 130):
        assert cell_len(failed.fitted(width, glyphs)) <= width
    assert [age_words(age) for age in (5, 300, 7300, 400_000)] == ["", "5 minutes", "2 hours", "4 days"]


@pytest.mark.parametrize(
    ("row", "ghost"),
    [
        (a_row(CODER, gib=10), {"GPU-0": round(11.2 * GIB)}),
        (
            a_row(LLAMA, gib=40, verdict="partial"),
            {"GPU-0": round(19.5 * GIB), RAM: round(41.2 * GIB) - round(19.5 * GIB)},
        ),
        (a_row(LLAMA, gib=40, verdict="ram"), {RAM: round(41.2 * GIB)}),
        (FinderRow(listing=a_listing("org/x"), quant="", best=True), {}),
    ],
)
def test_the_ghost_fills_the_card_and_then_ram(row: FinderRow, ghost: dict[str, int]) -> None:
    seen = Seen(MACHINE, (Gpu(0, "GPU-0", "card", "nvidia", 24 * GIB, 4 * GIB, 20 * GIB),))
    assert ghost_of(row, seen) == ghost
