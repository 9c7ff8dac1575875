"""One way to write bytes for people."""

from __future__ import annotations

import pytest

from tui.config.sizes import GIB, MIB, gib, size


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
