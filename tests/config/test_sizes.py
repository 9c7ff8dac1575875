"""One way to write bytes for people."""

from __future__ import annotations

import pytest

from tui.config.sizes import GIB, MIB, doubt, gib, parameters, parse_size, parse_tokens, size, thousands


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1_000_000, "977 KiB"),
        (MIB - 1, "1 MiB"),
        (98_362_432, "94 MiB"),
        (999 * MIB, "999 MiB"),
        (GIB - 1, "1.0 GiB"),
        (4_920_000_000, "4.6 GiB"),
        (141_000_000_000, "131 GiB"),
        (None, "?"),
    ],
)
def test_sizes(count: int | None, text: str) -> None:
    assert size(count) == text


def test_gib_without_the_unit() -> None:
    assert [gib(count) for count in (GIB // 2, 31 * GIB + GIB // 5, 251 * GIB)] == ["0.5", "31.2", "251"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("24GiB", 24 * GIB),
        (" 1.5 gib ", 3 * GIB // 2),
        ("512MiB", 512 * MIB),
        ("24GB", 24_000_000_000),
        ("0.1GB", 100_000_000),
        ("800mb", 800_000_000),
        ("2TiB", 2048 * GIB),
        ("0.5tb", 500_000_000_000),
        ("25757220864", 25_757_220_864),
        ("7 B", 7),
        ("0", 0),
    ],
)
def test_sizes_as_people_write_them(text: str, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize(
    "text", ["", "GiB", "-1GiB", "1e9", "1,5GiB", "24G", "24 GiB free", "nan", "1.5", "1.5B", "٣GiB", "9" * 5000]
)
def test_what_is_no_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="24GiB"):
        parse_size(text)


def test_more_than_any_machine_has_is_refused() -> None:
    with pytest.raises(ValueError, match="more memory than any machine has"):
        parse_size("99999999GiB")


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (134_515_008, "135 M"),
        (1_700_000, "1.7 M"),
        (999_600_000, "1.0 B"),
        (7_248_023_552, "7.2 B"),
        (671_000_000_000, "671 B"),
    ],
)
def test_a_models_size_is_written_as_its_makers_do(count: int, text: str) -> None:
    assert parameters(count) == text


def test_a_size_without_its_unit_is_doubted() -> None:
    assert doubt("4090", 24) == "4090 has 24 B of memory, which holds no model; did you mean 24GiB?"
    assert doubt("the host", 64_000_000) == "the host has 61 MiB of memory, which holds no model"
    assert doubt("x", 100 * MIB) == ""


def test_thousands() -> None:
    assert thousands(1_591_552) == "1 591 552"


@pytest.mark.parametrize(
    ("text", "count"), [("8192", 8192), ("8k", 8192), ("128K", 131_072), ("1m", 1 << 20), ("1.5k", 1536), ("-1", -1)]
)
def test_tokens_as_people_write_them(text: str, count: int) -> None:
    assert parse_tokens(text) == count


@pytest.mark.parametrize("text", ["", "k", "1e3", "8.5", "8kb", "abc", "8b", "9" * 30])
def test_what_is_no_number_of_tokens_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="32k"):
        parse_tokens(text)
