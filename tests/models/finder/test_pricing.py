"""What models that can be fetched would take: verdicts, needs and speeds out of what a card says."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.finder.examples import ALL, GEMMA3_4B, GIB, QWEN3_8B, QWEN3_30B_A3B, machine
from tui.fit.measured import MeasuredPart, Measurement
from tui.fit.values import Machine
from tui.hub.catalogue import starter
from tui.hub.files import ModelRow, RemoteFile
from tui.hub.listing import Listing
from tui.llama.settings import LoadSettings
from tui.models.finder.exact import rows_of_files
from tui.models.finder.outline import context_for
from tui.models.finder.pricing import Pricer, priced
from tui.models.finder.values import FinderRow
from tui.models.quants import COMMON


def by_quant(rows: tuple[FinderRow, ...]) -> dict[str, FinderRow]:
    return {row.quant: row for row in rows}


@pytest.mark.parametrize(
    ("here", "verdicts"),
    [
        (machine(24), "gpu gpu gpu gpu gpu gpu gpu"),
        (machine(9), "partial gpu gpu gpu gpu gpu gpu"),
        (machine(4, 4), "partial partial partial partial partial gpu gpu"),
        (machine(9, ram_gib=3), "no gpu gpu gpu gpu gpu gpu"),
        (machine(), "ram ram ram ram ram ram ram"),
        (machine(ram_gib=8), "no no no ram ram ram ram"),
        (machine(ram_gib=1), "no no no no no no no"),
        (machine(0.5), "ram ram ram ram ram ram ram"),
    ],
)
def test_each_quantization_has_the_verdict_of_what_is_free(here: Machine, verdicts: str) -> None:
    rows = Pricer(here).rows(QWEN3_8B)
    assert tuple(row.quant for row in rows) == COMMON
    assert " ".join(str(row.verdict) for row in rows) == verdicts


def test_a_row_says_what_the_model_takes() -> None:
    row = by_quant(Pricer(machine(24)).rows(QWEN3_8B))["Q4_K_M"]
    assert row.file_bytes is not None
    assert 5_027_783_488 <= row.file_bytes <= 5_027_783_488 * 1.12  # the upper end of an estimate
    context = 36 * 2 * 8 * 128 * 2 * 8192
    assert row.need_bytes is not None
    assert row.file_bytes + context < row.need_bytes < row.file_bytes + context + GIB
    assert row.decode_tok_s is not None
    assert 40 < row.decode_tok_s[0] < row.decode_tok_s[1] < 1e12 / 4.5e9
    assert (row.file, row.exact, row.installed) == (None, False, "")


def test_a_longer_context_and_another_cache_count() -> None:
    def need(n_ctx: int, **changed: str) -> int:
        pricer = Pricer(machine(80), n_ctx=n_ctx, settings=msgspec.structs.replace(LoadSettings(), **changed))
        return by_quant(pricer.rows(QWEN3_8B))["Q6_K"].need_bytes or 0

    token = 36 * 2 * 8 * 128 * 2
    assert need(32_768) - need(8192) == pytest.approx(token * (32_768 - 8192), rel=0.05)
    assert need(1_000_000) == need(40_960)  # no more than it was trained on
    assert need(32_768) - need(32_768, type_k="q8_0", type_v="q8_0") > token * 32_768 * 0.4
    assert context_for(QWEN3_8B.context_length, 10_000) == 10_240


def test_what_is_not_known_has_no_price() -> None:
    rows = Pricer(machine(24)).rows(Listing(repo="acme/mystery-GGUF"))
    assert {(row.need_bytes, row.verdict, row.decode_tok_s, row.best) for row in rows} == {(None, None, None, False)}


def test_a_known_file_counts_as_it_is() -> None:
    pricer = Pricer(machine(24))
    row = pricer.row(QWEN3_8B, "Q4_K_M", file="Qwen3-8B-Q4_K_M.gguf", file_bytes=5_027_783_488)
    guessed = by_quant(pricer.rows(QWEN3_8B))["Q4_K_M"]
    assert row.file_bytes == 5_027_783_488
    assert row.need_bytes is not None
    assert guessed.need_bytes is not None
    assert row.need_bytes < guessed.need_bytes
    assert pricer.row(Listing(repo="a/b"), "Q8_0", file="f.gguf", file_bytes=5).file_bytes == 5


def test_files_become_rows_and_one_is_recommended() -> None:
    def model(quant: str | None, size: int, problem: str | None = None) -> ModelRow:
        return ModelRow(quant, (RemoteFile(f"{quant}.gguf", size, None),), 1, problem)

    files = [
        model("Q2_K", 3_280_000_000),
        model("Q4_K_M", 5_027_783_488),
        model("BF16", 16_388_044_032),
        model("Q8_0", 8_709_518_112),
        model(None, 9),
        model("Q5_0", 9, "is empty there; choose another quantization"),
    ]
    rows = rows_of_files(Pricer(machine(24)), QWEN3_8B, files)
    assert [row.file for row in rows] == ["BF16.gguf", "Q8_0.gguf", "Q4_K_M.gguf", "Q2_K.gguf"]
    assert [row.best for row in rows] == [False, True, False, False]


def test_what_was_measured_here_counts() -> None:
    here = machine()
    one = Measurement(
        model="org/other/file.gguf",
        settings="",
        architecture="llama",
        parameters=8_000_000_000,
        active_parameters=8_000_000_000,
        parts=(MeasuredPart("host", 5e9, 33),),
        kind="answer",
        time=0.0,
        decode_tok_s=3.0,
    )
    plain = by_quant(Pricer(here).rows(QWEN3_8B))["Q4_K_M"].decode_tok_s
    row = by_quant(Pricer(here, measured=[one]).rows(QWEN3_8B))["Q4_K_M"]
    told = row.decode_tok_s
    assert row.speed_source == "calibrated"
    assert plain is not None
    assert told is not None
    assert told[0] < 3.0 < told[1]
    assert told[1] / told[0] < plain[1] / plain[0]


def test_a_row_says_where_its_speed_is_from() -> None:
    assert by_quant(Pricer(machine()).rows(QWEN3_8B))["Q4_K_M"].speed_source == "roofline"


def test_of_a_mixture_only_the_active_part_is_read() -> None:
    rows = Pricer(machine(80)).rows(QWEN3_30B_A3B)
    dense = Pricer(machine(80)).rows(replace(QWEN3_30B_A3B, experts=None, experts_used=None, active_parameters=None))
    fast, slow = by_quant(rows)["Q4_K_M"].decode_tok_s, by_quant(dense)["Q4_K_M"].decode_tok_s
    assert fast is not None
    assert slow is not None
    assert fast[0] > 2 * slow[0]


def test_a_mixture_that_tells_no_experts_is_as_fast_as_its_active_parameters() -> None:
    told = by_quant(Pricer(machine(80)).rows(QWEN3_30B_A3B))["Q4_K_M"]
    bare = by_quant(Pricer(machine(80)).rows(replace(QWEN3_30B_A3B, experts=None, experts_used=None)))["Q4_K_M"]
    assert bare.decode_tok_s == pytest.approx(told.decode_tok_s, rel=0.05)


def test_models_that_were_trained_in_a_quantization_have_that_alone() -> None:
    listing = next(one for one in starter().listings if one.model == "openai/gpt-oss-20b")
    (row,) = Pricer(machine(24)).rows(listing)
    assert row.quant == "MXFP4"
    assert row.best
    assert row.file_bytes == pytest.approx(12.1e9, rel=0.2)


def test_the_whole_catalogue_has_a_price() -> None:
    for here in (machine(), machine(24), machine(8, 6)):
        for rows in priced(Pricer(here), starter().listings[::9]):
            assert sum(row.best for row in rows) == 1
            assert all(row.verdict is not None and row.need_bytes for row in rows)
            sizes = [row.file_bytes or 0 for row in rows]
            assert sizes == sorted(sizes, reverse=True)


@given(
    st.sampled_from(ALL),
    st.lists(st.floats(0.1, 100), max_size=3),
    st.floats(0.5, 200),
    st.floats(0.5, 200),
)
@settings(max_examples=60, deadline=None)
def test_more_memory_is_never_a_worse_verdict(
    listing: Listing, gpus: list[float], ram_gib: float, more_gib: float
) -> None:
    order = ["gpu", "partial", "ram", "no"]
    less = Pricer(machine(*gpus, ram_gib=ram_gib)).rows(listing)
    more = Pricer(machine(*gpus, ram_gib=ram_gib + more_gib)).rows(listing)
    for one, other in zip(less, more, strict=True):
        assert order.index(str(other.verdict)) <= order.index(str(one.verdict))
        assert (one.decode_tok_s is None) == (one.verdict == "no")


def test_a_gemma_s_window_is_reckoned_with() -> None:
    need = [
        by_quant(Pricer(machine(80), n_ctx=n_ctx).rows(GEMMA3_4B))["Q4_K_M"].need_bytes or 0 for n_ctx in (8192, 65_536)
    ]
    whole = 34 * 2 * 4 * 256 * 2 * (65_536 - 8192)
    assert need[1] - need[0] < whole / 2
