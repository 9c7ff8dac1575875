"""Which models are listed, in which order, and what of a row stays where there is little room."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.app.rig import BROKEN, LLAMA, QWEN, a_model
from tui.app.panels.library.listing import ORDERS, advice, ago, arranged, matches
from tui.app.panels.library.row import about, columns, from_where, homely, in_short
from tui.library import Model
from tui.library.model import Place

MODELS = (LLAMA, QWEN, BROKEN, a_model("Alpha", "Q8_0", 3))
HOUR = 3600.0


def names(models: tuple[Model, ...]) -> list[str]:
    return [model.name for model in models]


def test_orders() -> None:
    used = {QWEN.identity: 20.0, LLAMA.identity: 10.0}
    assert names(arranged(MODELS)) == ["Alpha", "half-a-file", "qwen-coder", "tiny-llama"]
    assert names(arranged(MODELS, order="size")) == ["qwen-coder", "Alpha", "tiny-llama", "half-a-file"]
    assert names(arranged(MODELS, order="source"))[0] == "qwen-coder"
    assert names(arranged(MODELS, order="last use", last_used=used))[:3] == ["qwen-coder", "tiny-llama", "Alpha"]
    assert len(ORDERS) == 4


def test_every_word_has_to_occur_somewhere() -> None:
    assert names(arranged(MODELS, "q8")) == ["Alpha", "qwen-coder"]
    assert names(arranged(MODELS, "Q8 ORG/")) == ["qwen-coder"]
    assert names(arranged(MODELS, "hub cache")) == ["qwen-coder"]
    assert arranged(MODELS, "q8 nothing") == ()
    twice = replace(LLAMA, also=(Place(Path("/x"), "ollama", "small:1b"),))
    assert matches(twice, ["ollama", "small:1b"])


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (None, "-"),
        (3.0, "now"),
        (65.0, "1 min ago"),
        (HOUR, "1 h ago"),
        (50 * HOUR, "2 d ago"),
        (99_999 * HOUR, "999 d ago"),
    ],
)
def test_how_long_ago(seconds: float | None, told: str) -> None:
    assert ago(seconds) == told
    assert len(told) <= 9


def test_what_is_wrong_always_says_what_to_do() -> None:
    assert advice(LLAMA) == ""
    assert advice(BROKEN) == "ends too early; get it again"
    assert advice(replace(BROKEN, problem="is empty")) == "is empty; get it again, or delete it"


@given(name=st.text(st.characters(codec="ascii", categories=("L", "N", "Pd")), min_size=1, max_size=60),
       width=st.integers(40, 120))  # fmt: skip
def test_a_name_is_never_cut_for_a_column(name: str, width: int) -> None:
    model, room = a_model(name), width - 6 - len(name)
    taken = sum(cell_len(text) for text, _ in columns(model, from_where(model), width, room, "…"))
    assert taken <= max(0, room)
    if room >= 9:
        assert taken >= 9, "the size is the last to go"


def test_columns_go_from_the_name_on() -> None:
    def told(room: int) -> str:
        return "".join(text for text, _ in columns(QWEN, "hub cache", 72, room, "…"))

    assert told(40).split() == ["Q8_0", "hub", "cache", "7.0", "GiB"]
    assert told(30).split() == ["hub", "cache", "7.0", "GiB"]
    assert told(20).split() == ["7.0", "GiB"]
    assert told(8) == ""


def test_what_is_wrong_is_told_where_there_is_room_for_more_than_a_word() -> None:
    assert columns(BROKEN, "", 72, 11, "…") == []
    ((words, color),) = columns(BROKEN, "", 72, 20, "…")
    assert (words, color, len(words)) == ("  ends too early; g…", "warning", 20)
    ((words, _),) = columns(replace(BROKEN, problem="is empty"), "", 72, 40, "…")
    assert words == "  is empty" + " " * 30


def test_the_frame_tells_what_the_row_could_not() -> None:
    assert about(LLAMA, 30, "·") == "llama · /models/tiny-llama.gguf"
    assert about(LLAMA, 12, "·") == "2.0 GiB · llama · /models/tiny-llama.gguf"
    twice = replace(QWEN, also=(Place(Path("/x"), "ollama", "a"), Place(Path("/y"), "ollama", "b")))
    assert about(twice, 30, "·") == "llama · 2 files · also Ollama · /models/qwen-coder.gguf"
    assert from_where(twice) == "hub cache +2"


def test_places_in_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ana")
    cache = Path("/home/ana/.cache/huggingface/hub/models--org--a--b/snapshots/0123/sub/m.gguf")
    assert in_short(cache) == "org/a--b/sub/m.gguf"
    assert in_short(Path("/home/ana/models/m.gguf")) == "~/models/m.gguf"
    assert in_short(Path("/snapshots/m.gguf")) == "/snapshots/m.gguf"
    assert homely("/home/ana/m.gguf (folder) stays") == "~/m.gguf (folder) stays"
