"""What a person types becomes one model of a repository."""

from __future__ import annotations

import pytest

from tests.hub.conftest import Serve
from tests.rigs.hub import Repo, of_bytes, with_hole
from tui.hub.address import Address, repo_address, web_address
from tui.hub.choice import bits_of, choose, locate, recommended
from tui.hub.errors import NoModel, NotFound
from tui.hub.files import ModelRow, RemoteFile, RepoFiles, rows_of

A = of_bytes(b"GGUF")
ENDPOINT = "http://127.0.0.1:8080/hub"


def there(*names: str) -> RepoFiles:
    return RepoFiles("org/m", "0" * 40, rows_of(RemoteFile(name, 100, None) for name in names))


def names(*quants: str) -> RepoFiles:
    return there(*(f"m-{quant}.gguf" for quant in quants))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("org/m", Address("org/m")),
        ("org/m:Q4_K_M", Address("org/m", "Q4_K_M")),
        ("org/m:", None),
        ("m", None),
        ("a/b/c", None),
        ("org/m m", None),
    ],
)
def test_short_names(text: str, meant: Address | None) -> None:
    assert repo_address(text) == meant


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("org/m", Address("org/m")),
        ("org/m/", Address("org/m")),
        ("org/m:Q8_0", Address("org/m", "Q8_0")),
        ("org/m/tree/main", Address("org/m", None, "main")),
        ("org/m/tree/refs%2Fpr%2F1/Q4_K_M", Address("org/m", None, "refs/pr/1", "Q4_K_M")),
        ("org/m/blob/main/a/m%20x.gguf", Address("org/m", None, "main", "a/m x.gguf")),
        ("org/m/resolve/main/m.gguf?download=true", Address("org/m", None, "main", "m.gguf")),
        ("org", None),
        ("org/m/discussions/1", None),
    ],
)
def test_addresses_of_the_hub_in_use(path: str, meant: Address | None) -> None:
    assert web_address(f"{ENDPOINT}/{path}", ENDPOINT) == meant
    assert web_address(f"{ENDPOINT}/{path}".removeprefix("http://"), ENDPOINT) == meant
    assert web_address(f"http://elsewhere.example/{path}", ENDPOINT) is None


@pytest.mark.parametrize(
    ("quants", "proposed", "reason"),
    [
        (("Q2_K", "Q4_K_M", "Q8_0"), "Q4_K_M", "balance"),
        (("UD-Q4_K_XL", "Q4_K_M"), "Q4_K_M", "balance"),
        (("UD-Q4_K_XL", "Q8_0"), "UD-Q4_K_XL", "nearest to Q4_K_M"),
        (("Q3_K_M", "Q5_K_M", "Q4_K_S"), "Q4_K_S", "nearest to Q4_K_M"),
        (("Q2_K", "Q5_0", "F16"), "Q5_0", "nearest to Q4_K_M"),
        (("BF16", "Q8_0"), "Q8_0", "nearest to Q4_K_M"),
        (("MXFP4_MOE", "F16"), "MXFP4_MOE", "nearest to Q4_K_M"),
        (("F16",), "F16", "the only one"),
    ],
)
def test_the_recommended_quantization_and_why(quants: tuple[str, ...], proposed: str, reason: str) -> None:
    row, said = recommended(names(*quants).rows)
    assert row is not None
    assert row.quant == proposed
    assert reason in said
    assert choose(names(*quants), Address("org/m")).row == row


def test_what_is_of_no_use_is_not_recommended() -> None:
    files = there("m-Q4_K_M-00001-of-00002.gguf", "m-Q6_K.gguf")
    assert choose(files, Address("org/m")).row.quant == "Q6_K"
    with pytest.raises(NoModel, match=r"org/m:Q4_K_M: shard 2 of 2 is missing there.*; there is Q6_K"):
        choose(files, Address("org/m", "Q4_K_M"))
    with pytest.raises(NoModel, match="shard 2 of 2 is missing"):
        choose(there("m-Q4_K_M-00001-of-00002.gguf"), Address("org/m"))


@pytest.mark.parametrize(
    ("address", "path"),
    [
        (Address("org/m", "q8_0"), "m-Q8_0.gguf"),
        (Address("org/m", "Q4_K_XL"), "deep/m-UD-Q4_K_XL.gguf"),
        (Address("org/m", None, "main", "M-q8_0.gguf"), "m-Q8_0.gguf"),
        (Address("org/m", None, "main", "deep"), "deep/m-UD-Q4_K_XL.gguf"),
        (Address("org/m", None, "main", "m-F16-00002-of-00002.gguf"), "m-F16-00001-of-00002.gguf"),
    ],
)
def test_by_quantization_file_folder_or_any_shard(address: Address, path: str) -> None:
    files = there("m-Q8_0.gguf", "deep/m-UD-Q4_K_XL.gguf", "m-F16-00001-of-00002.gguf", "m-F16-00002-of-00002.gguf")
    chosen = choose(files, address)
    assert (chosen.row.path, chosen.reason) == (path, "")


@pytest.mark.parametrize(
    ("files", "address", "words"),
    [
        (
            names("Q4_K_M", "Q8_0"),
            Address("org/m", "Q4_K_L"),
            "has no Q4_K_L; did you mean Q4_K_M. there is Q4_K_M, Q8_0",
        ),
        (names("Q4_K_M"), Address("org/m", None, None, "x.gguf"), "has no x.gguf"),
        (there("a.gguf", "b.gguf"), Address("org/m"), "none says how it is quantized.*a.gguf, b.gguf"),
        (
            there("a-Q4_0.gguf", "b-Q4_0.gguf"),
            Address("org/m", "Q4_0"),
            "several models of Q4_0.*a-Q4_0.gguf, b-Q4_0.gguf",
        ),
        (names(*(f"Q{n}_K" for n in range(1, 9))), Address("org/m", "F99"), "and 2 more"),
        (there(), Address("org/m"), "has no GGUF file.*'m GGUF'"),
        (
            RepoFiles("org/m", "0" * 40, (), (RemoteFile("mmproj.gguf", 1, None),)),
            Address("org/m"),
            "only what belongs",
        ),
    ],
)
def test_what_is_not_there_or_not_clear_names_what_is(files: RepoFiles, address: Address, words: str) -> None:
    with pytest.raises(NoModel, match=words):
        choose(files, address)


def test_bits_of_labels() -> None:
    assert bits_of("Q4_K_M") == bits_of("UD-Q4_K_XL") == bits_of("Q4_K_L") == 4.89
    assert bits_of("Q6_K_L") == bits_of("Q6_K") == 6.56
    assert bits_of("Q4_0_4_4") == bits_of("Q4_0")
    assert bits_of(None) is None
    assert bits_of("Q99") is None


def test_located_at_a_hub(serve: Serve) -> None:
    repo = Repo(
        "Org/M-GGUF",
        {"m-Q4_K_M.gguf": with_hole(b"4", 5 << 30), "m-Q8_0.gguf": with_hole(b"8", 9 << 30)},
        revisions={"v1": {"m-Q2_K.gguf": A}},
    )
    loopback, hub = serve(repo)
    chosen = locate(hub, " Org/M-GGUF ")
    assert (chosen.name, chosen.row.file_bytes, chosen.reason) == (
        "Org/M-GGUF:Q4_K_M",
        5 << 30,
        "a good balance of size and quality",
    )
    assert locate(hub, "Org/M-GGUF:q8_0").row.quant == "Q8_0"
    assert locate(hub, f"{loopback.endpoint}/Org/M-GGUF/blob/v1/m-Q2_K.gguf").row.quant == "Q2_K"
    assert loopback.count("model") == len(loopback.requests) == 3


@pytest.mark.parametrize("text", ["", "just-a-name", "a/b/c", "http://elsewhere.example/a/b", "a\x1b[31m/b c"])
def test_what_names_no_repository(serve: Serve, text: str) -> None:
    loopback, hub = serve()
    with pytest.raises(NotFound, match="write org/repo or org/repo:Q4_K_M") as caught:
        locate(hub, text)
    assert str(caught.value).isprintable()
    assert loopback.requests == []


def test_a_row_is_named_by_its_file_without_a_quantization() -> None:
    row = ModelRow(None, (RemoteFile("m.gguf", 1, None),), 1)
    assert choose(RepoFiles("org/m", "0" * 40, (row,)), Address("org/m")).name == "org/m:m.gguf"
