"""The catalogue that comes with puna, and the one that is kept after a refresh."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tui.config.paths import Paths
from tui.hub import catalogue as package
from tui.hub.catalogue import Catalogue, catalogue, catalogue_file, keep_catalogue, starter
from tui.hub.listing import Listing
from tui.hub.use_cases import use_cases

LATER = "2999-01-01"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(*(tmp_path / name for name in ("config", "data", "cache", "state")))


def test_the_starter_is_there_with_its_provenance(paths: Paths) -> None:
    found = catalogue(paths)
    assert found is starter()
    assert len(found.listings) == 704
    assert found.gathered == "2026-11-22"
    assert "MIT-licensed" in found.source
    assert "model cards" in found.source
    assert "Permission is hereby granted" in Path(str(package.__file__)).with_name("NOTICE").read_text()


def test_every_model_of_the_starter_can_be_named_and_fetched() -> None:
    repos = [listing.repo for listing in starter().listings]
    assert len(set(repos)) == len(repos)
    for listing in starter().listings:
        assert listing.repo.count("/") == listing.model.count("/") == 1
        assert listing.parameters is not None
        assert listing.parameters > 10_000_000
        assert (listing.experts or 2) > 1
        assert (listing.active_parameters or 0) <= listing.parameters


def test_what_models_are_for_follows_the_rules_that_search_has() -> None:
    lines = Path(str(package.__file__)).with_name("starter.jsonl").read_text().splitlines()[1:]
    for told in map(json.loads, lines):
        found = use_cases(
            name=told["model"],
            context_length=told["context_length"],
            tags=(told.get("architecture", ""),),
            said=told["said"],
            capabilities=told.get("capabilities", ()),
        )
        assert told["use_cases"] == list(found), told["model"]


def test_what_the_hub_told_is_kept_and_counts_from_then_on(paths: Paths) -> None:
    told = replace(starter().listings[0], downloads=7, likes=3, updated="2027-01-02T03:04:05Z", licence="mit\n\u2028x")
    new = Listing(repo="acme/New-GGUF", parameters=1_000_000_000, gated=True, use_cases=("chat",))

    kept = keep_catalogue(paths, [told, new], LATER)

    found = catalogue(paths)
    assert found == kept
    assert found.listings == (told, new)
    assert found.gathered == LATER
    assert found.problem is None
    assert "Hub" in found.source


def test_an_older_one_gives_way_to_what_comes_with_puna(paths: Paths) -> None:
    keep_catalogue(paths, [Listing(repo="acme/Old-GGUF")], "2020-01-01")
    assert catalogue(paths) is starter()


@pytest.mark.parametrize(
    "text", ["{", "null\n", '{"version":1,"gathered":"2999-01-01","source":""}\n{"repo":5}\n', "\xff"]
)
def test_a_broken_one_is_told_of_and_passed_over(paths: Paths, text: str) -> None:
    file = catalogue_file(paths)
    file.parent.mkdir(parents=True)
    file.write_bytes(text.encode("latin-1"))
    found = catalogue(paths)
    assert found.listings == starter().listings
    assert str(file) in (found.problem or "")
    assert "--refresh" in (found.problem or "")
    assert keep_catalogue(paths, [], LATER).problem is None
    assert catalogue(paths).gathered == LATER


def test_one_of_a_later_version_is_left_to_that_version(paths: Paths) -> None:
    file = catalogue_file(paths)
    file.parent.mkdir(parents=True)
    file.write_text('{"version":99,"gathered":"2999-01-01","source":""}\n')
    assert catalogue(paths) == Catalogue(starter().gathered, starter().source, starter().listings)
