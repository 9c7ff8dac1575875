"""A catalogue made anew from the Hub."""

from __future__ import annotations

import threading

import pytest

from tests.hub.conftest import Serve
from tests.rigs.hub import Answer, Repo
from tui.hub import errors
from tui.hub.listing import Listing
from tui.hub.refresh import MOST_ELSEWHERE, refresh_catalogue

B = 1_000_000_000


def repo(name: str, downloads: int, *, model: str = "", total: int | None = 8 * B, **more: object) -> Repo:
    tags = ("gguf", f"base_model:quantized:{model}") if model else ("gguf",)
    gguf = {"total": total, "architecture": "llama"} if total else {}
    return Repo(name, {}, tags=tags, downloads=downloads, gguf=gguf, **more)  # type: ignore[arg-type]


def test_each_model_once_where_most_get_it_with_what_was_known(serve: Serve) -> None:
    _, hub = serve(
        repo("one/m-GGUF", 5, model="acme/m"),
        repo("two/m-GGUF", 9, model="acme/m", gated="auto"),
        repo("three/m-GGUF", 2, model="Acme/m"),
        repo("lying/tiny-GGUF", 8, model="acme/m", total=B),
        repo("one/alone-GGUF", 1),
        repo("one/projector-GGUF", 7, total=None),
        Repo("one/plain", {}, tags=("transformers",), downloads=99),
    )
    known = (
        Listing(repo="four/m-GGUF", model="acme/m", parameters=8 * B, layers=32, licence="mit"),
        Listing(repo="four/rare-GGUF", model="acme/rare", parameters=3 * B, layers=16),
    )
    told: list[tuple[int, int]] = []
    found = refresh_catalogue(hub, known, progress=lambda done, most: told.append((done, most)), most=100)
    by_repo = {listing.repo: listing for listing in found}
    assert sorted(by_repo) == ["four/rare-GGUF", "lying/tiny-GGUF", "one/alone-GGUF", "one/m-GGUF"]
    model = by_repo["one/m-GGUF"]
    assert (model.layers, model.licence, model.downloads, model.parameters) == (32, "mit", 5, 8 * B)
    assert model.elsewhere == ("two/m-GGUF", "three/m-GGUF", "four/m-GGUF")
    assert by_repo["four/rare-GGUF"] is not None
    assert told == [(6, 100)]


def test_what_is_remembered_of_other_places_is_bounded(serve: Serve) -> None:
    _, hub = serve(*(repo(f"o{number}/m-GGUF", number, model="acme/m") for number in range(20)))
    (found,) = refresh_catalogue(hub, ())
    assert (found.repo, len(found.elsewhere)) == ("o19/m-GGUF", MOST_ELSEWHERE)


def test_a_failure_or_a_cancel_is_told_and_nothing_half(serve: Serve) -> None:
    loopback, hub = serve(*(repo(f"o{number}/m", number) for number in range(120)))
    loopback.fail("models", Answer(403), skip=1)
    with pytest.raises(errors.NotAllowed):
        refresh_catalogue(hub, ())
    loopback.heal()
    cancel = threading.Event()
    with pytest.raises(errors.Cancelled):
        refresh_catalogue(hub, (), progress=lambda done, most: cancel.set(), cancel=cancel)
