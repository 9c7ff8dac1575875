"""The Hub's answer over the catalogue: fresher facts win, what it does not tell is kept, other sizes are not mixed."""

from __future__ import annotations

from tui.hub.listing import Listing
from tui.hub.merging import merged

B = 1_000_000_000
KNOWN = Listing(
    repo="org/m-GGUF",
    model="acme/m",
    elsewhere=("two/m-GGUF",),
    architecture="llama",
    parameters=8 * B,
    layers=32,
    heads=32,
    use_cases=("chat", "reasoning"),
    licence="mit",
    downloads=1,
    updated="2025-01-01",
)


def test_of_the_same_repository_the_hub_wins_and_the_catalogue_completes() -> None:
    fresh = Listing(repo="Org/m-GGUF", parameters=8_030_000_000, use_cases=("chat", "writing"), downloads=9, gated=True)
    (found,) = merged([KNOWN], [fresh])
    assert (found.repo, found.parameters, found.downloads, found.gated) == ("Org/m-GGUF", 8_030_000_000, 9, True)
    assert (found.model, found.layers, found.licence, found.updated) == ("acme/m", 32, "mit", "2025-01-01")
    assert found.use_cases == ("chat", "writing", "reasoning")


def test_of_the_same_model_elsewhere_only_the_models_facts_are_taken() -> None:
    by_name = Listing(repo="three/m-GGUF", model="Acme/M")
    by_place = Listing(repo="two/m-GGUF")
    found = merged([KNOWN], [by_name, by_place])
    assert [listing.repo for listing in found] == ["three/m-GGUF", "two/m-GGUF", "org/m-GGUF"]
    assert all((one.layers, one.parameters, one.licence) == (32, 8 * B, "mit") for one in found[:2])
    assert all((one.downloads, one.updated, one.elsewhere) == (None, None, ()) for one in found[:2])
    assert found[2] is KNOWN


def test_facts_of_another_size_are_not_taken() -> None:
    lying = Listing(repo="four/m-1B-GGUF", model="acme/m", parameters=B)
    assert merged([KNOWN], [lying]) == (lying, KNOWN)


def test_nothing_on_one_side() -> None:
    other = Listing(repo="a/b")
    assert merged([], [other]) == (other,)
    assert merged([KNOWN], []) == (KNOWN,)
    assert merged([KNOWN], [other]) == (other, KNOWN)
    assert merged([], [other, other]) == (other,)
