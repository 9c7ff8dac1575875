"""One repository in detail: files, prices by formula, one header, exact numbers, the card, and every mishap told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.hub.conftest import TOKEN, impatient
from tests.hub.headers import header, in_a_hole
from tests.models.finder.conftest import Serve
from tests.rigs.gguf_maker import tiny_model
from tests.rigs.hub import (
    CAPTIVE_PORTAL,
    Answer,
    Content,
    Corrupt,
    Cut,
    IgnoreRange,
    Repo,
    Reset,
    Stall,
    of_bytes,
    of_file,
    rate_limited,
)
from tests.rigs.hub.faults import Fault
from tui.config.paths import Paths, paths
from tui.config.settings import Settings
from tui.fit.values import DeviceSpec, Machine
from tui.hub.client import Hub
from tui.hub.listing import Listing
from tui.library.single import entry_for
from tui.llama.settings import LoadSettings
from tui.models.finder.detail import Detail, Here
from tui.models.finder.details import Details
from tui.models.finder.sources import Sources
from tui.models.fitting import Fitting, margins_of
from tui.models.machine import Seen
from tui.models.prepare import may_move
from tui.models.subject import subject_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

MIB, GIB = 1 << 20, 1 << 30
SETTINGS = Settings()
CARD = DeviceSpec(name="x", total_bytes=24 * GIB, free_bytes=24 * GIB, bandwidth_bytes_s=1e12)
HERE = Here(
    settings=SETTINGS,
    seen=Seen(
        Machine(
            devices=(CARD,),
            host_total_bytes=64 * GIB,
            host_available_bytes=64 * GIB,
            margins=margins_of(SETTINGS),
            cores=4,
        ),
        (None,),
    ),
    n_ctx=2048,
)
LISTING = Listing(repo="org/m-GGUF", parameters=1_000_000)
Q8, Q4 = "m-Q8_0.gguf", "m-Q4_0.gguf"
MEDIUM = header(n_tokens=20_000, n_merges=30_000)
"""Longer than what is fetched first; llama.cpp refuses it."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another quantization of it lies beside it."""
    folder = tmp_path_factory.mktemp("model")
    tiny_model(folder / Q4, n_embd=256, quant="Q4_0")
    return tiny_model(folder / Q8, n_embd=256, quant="Q8_0")


@pytest.fixture
def cache(tmp_path: Path) -> Paths:
    """Nothing is kept here yet."""
    return paths({"PUNA_HOME": str(tmp_path / "home")})


def repo(model: Path, **more: object) -> Repo:
    files = {Q8: of_file(model), Q4: of_file(model.with_name(Q4)), "README.md": of_bytes(b"# Card\n")}
    return Repo("org/m-GGUF", files, **more)  # type: ignore[arg-type]


async def settled(details: Details, here: Here = HERE, *, focus: str = "") -> list[Detail]:
    """All that is told until nothing more comes."""
    found: list[Detail] = []
    async with aclosing(details.open(LISTING, here, focus=focus)) as told:
        async for detail in told:
            found.append(detail)
            if not detail.asking:
                return found
    raise AssertionError("it ends only when it is closed")


async def last(details: Details, here: Here = HERE, *, focus: str = "") -> Detail:
    return (await settled(details, here, focus=focus))[-1]


async def test_step_by_step_to_exact_numbers(serve: Serve, fitting: Fitting, cache: Paths, model: Path) -> None:
    loopback, connect = serve(repo(model))
    told = await settled(Details(Sources(connect), cache, fitting))
    assert not told[0].rows
    assert told[0].asking == {"files"}
    by_card = next(detail for detail in told if detail.rows)
    assert [(row.file, row.exact) for row in by_card.rows] == [(Q4, False), (Q8, False)]
    priced = next(detail for detail in told if detail.rows and detail.rows[0].verdict)
    assert all(row.need_bytes and row.verdict == "gpu" and not row.exact for row in priced.rows)
    assert any(detail.header is not None and detail.header[0] <= detail.header[1] for detail in told)
    final = told[-1]
    assert (final.focused, final.page) == (Q8, f"{loopback.endpoint}/org/m-GGUF")
    assert [(row.exact, row.best, bool(row.decode_tok_s)) for row in final.rows] == [
        (False, False, True),
        (True, True, True),
    ]
    assert final.rows[1].reason
    assert (final.header, final.problem, final.card_problem) == (None, "", "")
    assert final.card is not None
    assert final.card.text == "# Card"
    assert final.report is not None
    assert final.report.prediction.source == "dry-run"


async def test_what_is_exact_is_what_the_file_itself_would_take(
    serve: Serve, fitting: Fitting, cache: Paths, model: Path
) -> None:
    _, connect = serve(repo(model))
    found = await last(Details(Sources(connect), cache, fitting), focus=Q8)
    wished = LoadSettings(n_ctx=2048)
    assert HERE.seen is not None
    subject = await asyncio.to_thread(subject_of, entry_for(model), cache.cache)
    made = await fitting.plan(subject, wished, HERE.seen.machine, SETTINGS, may_move=may_move(wished))
    assert found.row is not None
    assert found.row.need_bytes == made.assessment.need_bytes
    assert found.report is not None
    assert found.report.prediction == made.prediction


async def test_another_row_in_focus_leaves_the_header_before(
    serve: Serve, fitting: Fitting, cache: Paths, model: Path
) -> None:
    loopback, connect = serve(repo(model))
    loopback.fail("resolve", Stall(), within=Q8)
    details = Details(Sources(connect), cache, fitting)
    async with aclosing(details.open(LISTING, HERE, focus=Q8)) as told:
        async for detail in told:
            if detail.focused == Q8 and detail.card is not None:
                details.focus(Q4)
            if detail.focused == Q4 and not detail.asking:
                assert [row.exact for row in detail.rows] == [True, False]
                assert (detail.problem, detail.report is not None) == ("", True)
                break
    details.focus(Q8)


async def test_going_back_to_a_row_asks_nothing_of_the_hub(
    serve: Serve, fitting: Fitting, cache: Paths, model: Path
) -> None:
    loopback, connect = serve(repo(model))
    details = Details(Sources(connect), cache, fitting)
    first = await last(details)
    asked = len(loopback.requests)
    again = await last(details)
    assert again.rows == first.rows
    assert len(loopback.requests) == asked
    fresh = await last(Details(Sources(connect), cache, fitting), focus=Q4)
    assert [seen.route for seen in loopback.requests[asked:] if seen.path.endswith(Q8)] == []
    assert [row.exact for row in fresh.rows] == [True, False]


async def test_opening_another_ends_the_one_before(serve: Serve, fitting: Fitting, cache: Paths, model: Path) -> None:
    loopback, connect = serve(repo(model))
    loopback.fail("model", Stall(), times=1)
    details = Details(Sources(connect), cache, fitting)

    async def all_of(listing: Listing) -> list[Detail]:
        return [detail async for detail in details.open(listing, HERE)]

    older = asyncio.create_task(all_of(LISTING))
    while not loopback.count("model"):  # noqa: ASYNC110 - nobody tells of what reaches the hub
        await asyncio.sleep(0.005)
    assert (await last(details)).report is not None
    assert [detail.asking for detail in await older] == [{"files"}]
    closing = asyncio.create_task(all_of(LISTING))
    await asyncio.sleep(0)
    details.close()
    await closing
    details.close()
    details.focus(Q4)


async def test_without_a_machine_nothing_has_a_price(serve: Serve, fitting: Fitting, cache: Paths, model: Path) -> None:
    _, connect = serve(repo(model))
    found = await last(Details(Sources(connect), cache, fitting), Here(settings=SETTINGS))
    assert [(row.need_bytes, row.best) for row in found.rows] == [(None, True), (None, False)]
    assert found.report is None


async def test_what_does_not_fit_says_what_is_missing(
    serve: Serve, fitting: Fitting, cache: Paths, model: Path
) -> None:
    _, connect = serve(repo(model))
    tight = Machine(host_total_bytes=GIB, host_available_bytes=GIB + 4 * MIB, margins=margins_of(SETTINGS), cores=2)
    found = await last(
        Details(Sources(connect), cache, fitting), Here(settings=SETTINGS, seen=Seen(tight), n_ctx=131_072)
    )
    assert [row.verdict for row in found.rows] == ["no", "no"]
    assert found.report is not None
    assert found.report.said[0].startswith("It does not fit")


# ---- bad input

NO_FILES: dict[str, tuple[Fault, str]] = {
    "401": (Answer(401, error_code="RepoNotFound"), "has no repository 'org/m-GGUF'"),
    "403": (Answer(403), "refuses to give org/m-GGUF"),
    "404": (Answer(404, error_code="RepoNotFound"), "check the name"),
    "429": (rate_limited(3000), "try again in 3000 s"),
    "500": (Answer(500), "trouble of its own"),
    "captive portal": (CAPTIVE_PORTAL, "login page"),
    "reset": (Reset(5), "broke"),
}


@pytest.mark.parametrize(("fault", "words"), NO_FILES.values(), ids=NO_FILES.keys())
async def test_no_files_to_be_had(
    serve: Serve, fitting: Fitting, cache: Paths, model: Path, fault: Fault, words: str
) -> None:
    loopback, connect = serve(repo(model))
    loopback.fail("model", fault)
    details = Details(Sources(connect), cache, fitting)
    found = await last(details)
    assert words in found.problem
    assert (found.files, found.rows, found.report) == (None, (), None)
    loopback.heal()
    assert (await last(details)).problem == ""


NO_HEADER: dict[str, tuple[str, Fault, str]] = {
    "403": ("resolve", Answer(403), "refuses"),
    "404": ("resolve", Answer(404, error_code="EntryNotFound"), "has no file"),
    "429": ("resolve", rate_limited(3000), "try again in 3000 s"),
    "500": ("resolve", Answer(503), "trouble of its own"),
    "captive portal": ("cdn", CAPTIVE_PORTAL, "login page"),
    "range ignored": ("cdn", IgnoreRange(), "whole files only"),
    "reset": ("cdn", Reset(5), "broke"),
    "cut": ("cdn", Cut(5), "broke"),
    "no model": ("cdn", Corrupt(0), "GGUF"),
}


@pytest.mark.parametrize(("route", "fault", "words"), NO_HEADER.values(), ids=NO_HEADER.keys())
async def test_without_the_header_the_rows_keep_their_estimates(
    serve: Serve, fitting: Fitting, cache: Paths, model: Path, route: str, fault: Fault, words: str
) -> None:
    loopback, connect = serve(repo(model))
    loopback.fail(route, fault, within="" if route == "cdn" else ".gguf")
    found = await last(Details(Sources(connect), cache, fitting))
    assert words in found.problem
    assert found.problem.isprintable()
    assert [(row.verdict, row.exact) for row in found.rows] == [("gpu", False), ("gpu", False)]
    assert (found.header, found.report) == (None, None)
    assert found.card is not None


async def test_a_header_that_stalls(serve: Serve, fitting: Fitting, cache: Paths, model: Path) -> None:
    loopback, connect = serve(repo(model))
    loopback.fail("cdn", Stall(5))
    found = await last(Details(Sources(lambda: impatient(connect(), tries=1)), cache, fitting))
    assert "did not answer" in found.problem


async def test_a_gated_repository_says_where_to_ask(serve: Serve, fitting: Fitting, cache: Paths, model: Path) -> None:
    loopback, connect = serve(repo(model, gated="manual"))
    found = await last(Details(Sources(connect), cache, fitting))
    assert found.page == f"{loopback.endpoint}/org/m-GGUF"
    assert found.page in found.problem
    assert "accept its terms" in found.problem
    assert "accept its terms" in found.card_problem
    assert found.files is not None
    assert found.files.gated == "manual"
    assert [row.verdict for row in found.rows] == ["gpu", "gpu"]
    _, welcome = serve(repo(model, gated="manual"), token=TOKEN, may=("org/m-GGUF",))
    assert (await last(Details(Sources(welcome), cache, fitting))).problem == ""


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "has no GGUF file"),
        ({"model.safetensors": of_bytes(b"x")}, "has no GGUF file"),
        ({"mmproj-F16.gguf": of_bytes(b"x")}, "holds only what belongs to models"),
        ({"../../m-Q4_0.gguf": of_bytes(b"x"), "a\x1b[2Jb.gguf": of_bytes(b"x")}, "has no GGUF file"),
    ],
)
async def test_nothing_to_choose_from(
    serve: Serve, fitting: Fitting, cache: Paths, files: dict[str, Content], words: str
) -> None:
    _, connect = serve(Repo("org/m-GGUF", files))
    found = await last(Details(Sources(connect), cache, fitting))
    assert words in found.problem
    assert (found.rows, found.focused) == ((), "")


async def test_a_shard_that_is_missing(serve: Serve, fitting: Fitting, cache: Paths, model: Path) -> None:
    content = of_file(model)
    torn = "m-F16-00001-of-00002.gguf"
    loopback, connect = serve(Repo("org/m-GGUF", {Q8: content, torn: content}))
    found = await last(Details(Sources(connect), cache, fitting), focus=torn)
    assert found.problem == "F16 shard 2 of 2 is missing there; choose another quantization"
    assert found.problems == {torn: "shard 2 of 2 is missing there; choose another quantization"}
    assert {row.file: row.verdict for row in found.rows} == {torn: None, Q8: "gpu"}
    assert loopback.count("cdn") == 0
    assert (await last(Details(Sources(connect), cache, fitting))).focused == Q8


async def test_what_llama_cpp_refuses_is_told_before_anything_is_fetched(
    serve: Serve, fitting: Fitting, cache: Paths
) -> None:
    _, connect = serve(Repo("org/m-GGUF", {Q4: in_a_hole(MEDIUM, GIB)}))
    found = await last(Details(Sources(connect), cache, fitting))
    assert "llama.cpp cannot load this model" in found.problem
    assert not found.rows[0].exact


async def test_a_card_that_cannot_be_had_keeps_nothing_else(
    serve: Serve, fitting: Fitting, cache: Paths, model: Path
) -> None:
    loopback, connect = serve(repo(model))
    loopback.fail("resolve", Answer(503), within="README.md")
    found = await last(Details(Sources(connect), cache, fitting))
    assert "trouble of its own" in found.card_problem
    assert (found.card, found.problem) == (None, "")
    assert found.report is not None


async def test_no_hub_at_all(serve: Serve, fitting: Fitting, cache: Paths) -> None:
    _, connect = serve()
    ways: dict[str, Callable[[], Hub]] = {
        "offline mode is on": lambda: Hub(connect().endpoint, offline=True),
        "no connection": lambda: Hub("http://127.0.0.1:9"),
    }
    for words, way in ways.items():
        assert words in (await last(Details(Sources(way), cache, fitting))).problem
