"""The monitor's words, figures and graphs: whole or not at all."""

from __future__ import annotations

import pytest

from tests.hardware.meter.machines import GIB, machine
from tui.hardware.history import History
from tui.hardware.meter.graph import graph
from tui.hardware.meter.marks import ASCII, UNICODE
from tui.hardware.meter.words import clip, packed, rate, share, short_name, tokens, wrapped


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("NVIDIA A100-SXM4-40GB", "A100"),
        ("NVIDIA GeForce RTX 4090", "4090"),
        ("NVIDIA GeForce GTX 1080 Ti", "1080 Ti"),
        ("Tesla T4", "T4"),
        ("AMD Radeon RX 7900 XTX", "RX 7900 XTX"),
        ("NVIDIA GH200 480GB", "GH200"),
        ("NVIDIA", "GPU"),
        ("", "GPU"),
        (None, "GPU"),
    ],
)
def test_cards_have_short_names(name: str | None, short: str) -> None:
    assert short_name(name, "…") == short


def test_words_are_cut_between_numbers_only() -> None:
    assert clip("Qwen3-30B", 8, "…") == "Qwen3-…"
    assert clip("Qwen3-30B", 9, "…") == "Qwen3-30B"
    assert clip("error 999999", 9, "…") == "error…"
    assert clip("漢字漢字", 5, "…") == "漢字…"
    assert clip("1234", 3, "…") == "…"
    assert clip("abc", 0, "…") == ""
    assert packed(["q quit", "p pause", "help"], 16, "…") == ["q quit   p pause", "help"]
    assert packed(["q quit"], 3, "…") == ["q…"]
    assert packed([], 3, "…") == [""]
    assert wrapped("one two three four", 9, "…", 2) == ["one two", "three…"]


def test_figures_are_written_as_people_say_them() -> None:
    assert share(49 * GIB, 80 * GIB, "–", fine=False) == "49/80"
    assert share(int(3.1 * GIB), 8 * GIB, "–", fine=False) == "3.1/8.0"
    assert share(None, 24 * GIB, "–", fine=True) == "–/24.0"
    assert share(0, 0, "–", fine=False) == "0.0/0.0"
    assert [tokens(count) for count in (0, 812, 3174, 16384, 131072, 200000)] == [
        "0",
        "812",
        "3.1k",
        "16k",
        "128k",
        "195k",
    ]
    assert [rate(speed, "–") for speed in (None, 4.25, 61.4, float("nan"))] == ["–", "4.2", "61", "–"]


def test_a_graph_is_as_wide_and_high_as_asked() -> None:
    assert graph(bytes([0, 50, 100]), 5, UNICODE.levels) == ["  ▁▄█"]
    assert graph(bytes([0, 50, 100]), 3, UNICODE.levels, 2) == ["  █", "▁██"]
    assert graph(bytes([255, 100]), 2, ASCII.levels) == [" #"]
    history = History()
    for count in (2, 2, 1):
        history.note(machine(count))
    assert graph(history.busy("GPU-0"), 4, UNICODE.levels) == [" ███"]
    assert history.busy("GPU-1") == b""
