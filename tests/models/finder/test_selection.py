"""Rows by wish and in order: what is asked for, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models.finder.examples import ALL, GEMMA3_4B, GIB, QWEN3_8B, QWEN3_30B_A3B, machine, row
from tui.fit.verdict import Verdict
from tui.hub.catalogue import starter
from tui.hub.listing import USE_CASES, Listing
from tui.models.finder.families import FAMILIES, family_of
from tui.models.finder.pricing import Pricer, priced
from tui.models.finder.selection import Table, searched, wished_models
from tui.models.finder.values import SORTS, WAITED_TOKENS, Wishes


def listing(name: str, **said: Any) -> Listing:
    return Listing(repo=f"acme/{name}-GGUF", **{"parameters": 8_000_000_000, "use_cases": ("chat",), **said})


def names(table: Table, **wishes: Any) -> list[str]:
    return [found.listing.name for found in table.select(Wishes(**wishes))]


MODELS = Table(found for rows in priced(Pricer(machine(24)), ALL) for found in rows)


def test_a_model_is_one_row_and_its_recommended_one() -> None:
    found = MODELS.select(Wishes())
    assert sorted(one.listing.name for one in found) == ["Qwen3-30B-A3B", "Qwen3-8B", "gemma-3-4b-it"]
    assert all(one.best for one in found)
    assert len(MODELS.select(Wishes(), every_quant=True)) == 21


def test_a_quantization_that_has_what_is_wished_stands_for_its_model() -> None:
    def table(*rows: tuple[str, Verdict, float, int]) -> Table:
        return Table(
            row(quant=quant, verdict=verdict, decode_tok_s=(low, low), file_bytes=size * GIB, best=quant == "Q8_0")
            for quant, verdict, low, size in rows
        )

    found = table(("F16", "gpu", 30, 16), ("Q8_0", "gpu", 40, 9), ("Q6_K", "gpu", 55, 7), ("Q4_K_M", "gpu", 70, 5))
    assert [one.quant for one in found.select(Wishes())] == ["Q8_0"]
    assert [one.quant for one in found.select(Wishes(min_speed=50))] == ["Q6_K"]
    assert [one.quant for one in found.select(Wishes(min_speed=60))] == ["Q4_K_M"]
    assert found.select(Wishes(min_speed=80)) == ()


@pytest.mark.parametrize(
    ("fits", "expected"),
    [("gpu", "g"), ("partial", "gp"), ("ram", "gpr"), ("any", "gprn?")],
)
def test_fits_means_that_or_better(fits: str, expected: str) -> None:
    verdicts: dict[str, Verdict | None] = {"g": "gpu", "p": "partial", "r": "ram", "n": "no", "?": None}
    table = Table(row(listing(name), verdict=verdict) for name, verdict in verdicts.items())
    assert names(table, fits=fits) == list(expected)


def test_words_are_all_looked_for_in_name_owner_architecture_and_family() -> None:
    assert names(MODELS, query="QWEN3 8b") == ["Qwen3-8B"]
    assert names(MODELS, query="bartowski") == ["Qwen3-8B"]
    assert names(MODELS, query="qwen3_moe") == ["Qwen3-30B-A3B"]
    assert names(MODELS, query="google") == ["gemma-3-4b-it"]
    assert names(MODELS, query="qwen gemma") == []
    assert names(MODELS, query="  ") == names(MODELS)
    assert all(family_of(one) in searched(one) for one in ALL)


def test_wishes_of_the_model() -> None:
    assert names(MODELS, use_case="vision") == ["gemma-3-4b-it"]
    assert names(MODELS, licence="APACHE") == ["Qwen3-30B-A3B", "Qwen3-8B"]
    assert names(MODELS, family="Gemma") == ["gemma-3-4b-it"]
    assert names(MODELS, context_length=100_000) == ["gemma-3-4b-it"]
    assert names(MODELS, parameters=(5e9, 10e9)) == ["Qwen3-8B"]
    assert names(MODELS, parameters=(None, 5e9)) == ["gemma-3-4b-it"]
    assert names(MODELS, parameters=(8.1e9, None)) == ["Qwen3-30B-A3B", "Qwen3-8B"]


def test_what_is_not_known_is_not_enough() -> None:
    table = Table([row(Listing(repo="a/b"), verdict=None)])
    assert names(table) == ["b"]
    unmet: list[dict[str, Any]] = [
        {"parameters": (1.0, None)},
        {"parameters": (None, 1e12)},
        {"context_length": 1},
        {"licence": "mit"},
        {"min_speed": 0.1},
        {"max_wait_s": 1e9},
        {"fits": "ram"},
        {"use_case": "chat"},
    ]
    for wishes in unmet:
        assert names(table, **wishes) == []


def test_patience_is_for_an_answer_of_so_many_tokens_at_the_low_end() -> None:
    table = Table([row(decode_tok_s=(10.0, 90.0))])
    assert names(table, max_wait_s=WAITED_TOKENS / 10) == ["Qwen3-8B"]
    assert names(table, max_wait_s=WAITED_TOKENS / 10 - 0.1) == []
    assert names(table, min_speed=10.0) == ["Qwen3-8B"]
    assert names(table, min_speed=10.1) == []


def test_fit_is_verdict_then_parameters_at_four_bits_then_how_new_then_downloads() -> None:
    def one(name: str, verdict: Verdict, quant: str = "Q4_K_M", **said: Any) -> Any:
        return row(listing(name, **said), quant=quant, verdict=verdict)

    rows = [
        one("best", "gpu", parameters=9_000_000_000),
        one("newer", "gpu", updated="2026-05-01T00:00:00Z"),
        one("liked", "gpu", updated="2026-04-01", downloads=9),
        one("older", "gpu", updated="2026-04-01", downloads=2),
        one("undated", "gpu"),
        one("coarse", "gpu", quant="Q2_K", parameters=70_000_000_000),
        one("partly", "partial", parameters=99_000_000_000),
        one("ram", "ram"),
        one("no", "no", parameters=999_000_000_000),
    ]
    assert names(Table(reversed(rows))) == [found.listing.name for found in rows]


def test_with_a_patience_what_is_slow_comes_after_what_is_not_and_stays_in_its_order() -> None:
    def one(name: str, verdict: Verdict, low: float, billions: int) -> Any:
        said = listing(name, parameters=billions * 10**9)
        return row(said, verdict=verdict, decode_tok_s=(low, 2 * low) if low else None)

    rows = [
        one("large", "ram", 0.5, 34),
        one("usual", "ram", 9.0, 8),
        one("small", "ram", 40.0, 1),
        one("unknown", "ram", 0.0, 13),
        one("split", "partial", 5.0, 70),
        one("none", "no", 0.0, 400),
    ]
    assert names(Table(rows)) == ["split", "large", "unknown", "usual", "small", "none"]
    quick_first = ["split", "usual", "small", "large", "unknown", "none"]
    assert names(Table(rows), patience_s=120.0) == quick_first
    assert names(Table(rows), patience_s=120.0, sort="name") == sorted(quick_first)


def test_each_order() -> None:
    rows = [
        row(listing("a", downloads=5, likes=1, updated="2026-01-01"), decode_tok_s=(9.0, 9.0), file_bytes=3),
        row(listing("b", downloads=7, likes=3, updated="2025-01-01"), decode_tok_s=None, file_bytes=None),
        row(listing("c", downloads=None, likes=None, updated=None), decode_tok_s=(20.0, 20.0), file_bytes=1),
    ]
    expected = {"speed": "cab", "size": "cab", "downloads": "bac", "updated": "abc", "likes": "bac", "name": "abc"}
    for sort in SORTS:
        assert "".join(names(Table(rows), sort=sort)) == expected.get(sort, "abc")


def test_more_rows_of_a_repository_take_the_place_of_all_of_its_rows() -> None:
    exact = row(QWEN3_8B, quant="Q5_0", file="f.gguf", best=True)
    new = row(listing("new"))
    table = MODELS.more([exact, new])
    found = table.select(Wishes(), every_quant=True)
    assert [one.quant for one in found if one.listing == QWEN3_8B] == ["Q5_0"]
    assert new in found
    assert len(found) == 16
    assert len(MODELS.select(Wishes(), every_quant=True)) == 21
    assert set(Table(table.rows).select(Wishes())) == set(table.select(Wishes()))


def test_of_several_repositories_of_a_model_the_most_downloaded_open_one_is_shown() -> None:
    def at(owner: str, **said: Any) -> Any:
        return row(replace(QWEN3_8B, repo=f"{owner}/Qwen3-8B-GGUF", **said))

    rows = [at("few", downloads=1), at("many", downloads=9), at("locked", downloads=99, gated=True), at("untold")]
    other = at("other", parameters=600_000_000, downloads=999)
    assert [one.listing.owner for one in Table(rows).select(Wishes())] == ["many"]
    assert {one.listing.owner for one in Table([*rows, other]).select(Wishes())} == {"many", "other"}
    assert [one.listing.owner for one in Table(rows).select(Wishes(query="few"))] == ["few"]
    assert len(Table(rows).select(Wishes(), every_quant=True)) == 4


def test_models_are_chosen_before_they_are_priced() -> None:
    wishes = Wishes(query="qwen", parameters=(None, 9e9), fits="gpu", min_speed=1e9)
    assert wished_models(ALL, wishes) == (QWEN3_8B,)
    assert wished_models(ALL, Wishes()) == (QWEN3_8B, QWEN3_30B_A3B, GEMMA3_4B)


@given(
    st.sampled_from(["", "q", "it", "3b a3b", "zz"]),
    st.none() | st.sampled_from(USE_CASES),
    st.sampled_from(["gpu", "partial", "ram", "any"]),
    st.none() | st.floats(1, 200),
    st.sampled_from(SORTS),
)
def test_a_selection_is_the_plain_definition(
    query: str, use_case: Any, fits: Any, min_speed: float | None, sort: Any
) -> None:
    wishes = Wishes(query=query, use_case=use_case, fits=fits, min_speed=min_speed, sort=sort)
    found = MODELS.select(wishes, every_quant=True)
    reach = {"gpu": ["gpu"], "partial": ["gpu", "partial"], "ram": ["gpu", "partial", "ram"]}.get(fits)
    expected = {
        one
        for one in MODELS.rows
        if all(word in searched(one.listing) for word in query.split())
        and (use_case is None or use_case in one.listing.use_cases)
        and (reach is None or one.verdict in reach)
        and (min_speed is None or (one.decode_tok_s or (0.0, 0.0))[0] >= min_speed)
    }
    assert set(found) == expected
    assert len(found) == len(expected)
    single = MODELS.select(wishes)
    assert {one.listing.repo for one in single} == {one.listing.repo for one in found}
    assert len({one.listing.repo for one in single}) == len(single)


@pytest.mark.parametrize(
    ("name", "architecture", "family"),
    [
        ("Qwen2.5-Coder-7B-Instruct", "qwen2", "qwen"),
        ("DeepSeek-R1-Distill-Qwen-7B", "qwen2", "deepseek"),
        ("Meta-Llama-3-8B", "llama", "llama"),
        ("Mixtral-8x7B-Instruct-v0.1", "mixtral", "mistral"),
        ("Nous-Hermes-2-Mixtral-8x7B-DPO", "mixtral", "hermes"),
        ("MediPhi", "phi3", "phi"),
        ("Yi-34B", "llama", "yi"),
        ("olmOCR-2-7B", "qwen2_5_vl", "qwen"),
        ("something", "newarch_2", "newarch"),
        ("something", "", ""),
    ],
)
def test_families(name: str, architecture: str, family: str) -> None:
    assert family_of(Listing(repo=f"x/{name}-GGUF", architecture=architecture)) == family


def test_nearly_every_model_of_the_catalogue_has_a_family_with_a_name() -> None:
    unnamed = [one.name for one in starter().listings if family_of(one) not in FAMILIES]
    assert len(unnamed) < 20
    assert family_of(replace(QWEN3_8B, repo="a/b", model="")) == "qwen"
