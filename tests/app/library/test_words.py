"""What is told of a model's use, and of how far long work is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.app.rig import QWEN
from tui.app.glyphs import AsciiGlyphs, Glyphs
from tui.app.panels.library.details import details_text
from tui.app.screens.work import told
from tui.library.details import Details, TensorSum
from tui.library.model import Place
from tui.models.usage import Usage

GIB = 1 << 30
NOW = 1_700_000_000.0


def test_use_places_tensors_and_template_are_told() -> None:
    model = replace(QWEN, parameters=30_500_000_000, also=(Place(Path("/blobs/x"), "ollama", "qwen:30b"),))
    tensors = (TensorSum("Q8_0", 300, 7 * GIB), TensorSum("F32", 1200, GIB >> 4))
    details = Details("Qwen3 Coder", "apache-2.0", 151_936, "{% if a %}\n\x1b[31m{{ a }}", tensors)
    usage = Usage(12, NOW - 7200, 61.4, 820.0)
    text = details_text(model, details, usage, NOW, Glyphs()).plain
    for line in (
        "called         Qwen3 Coder",
        "architecture   llama · 48 layers · 30.5 B parameters",
        "context        32 768 tokens at most",
        "vocabulary     151 936 tokens",
        "size           7.0 GiB in 2 files",
        "licence        apache-2.0",
        "repository     org/qwen",
        "last used      2 h ago, 2023-11-1",
        "loads          12",
        "measured       writing 61 tok/s, reading 820 tok/s, when it was last used",
        "in hub cache   /models/qwen-coder.gguf",
        "in Ollama      /blobs/x",
        "tensors          300 Q8_0   7.0 GiB  ▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓\n",
        "               1 200 F32     64 MiB  ▓\n",
        "chat template\n\n{% if a %}\n{{ a }}",
    ):
        assert line in text


def test_what_is_not_known_has_no_line() -> None:
    text = details_text(
        replace(QWEN, n_ctx_train=None, quant=None), None, Usage(0, None, None, None), NOW, AsciiGlyphs()
    )
    assert "context" not in text.plain
    assert "quantization" not in text.plain
    assert "loads" not in text.plain
    assert "never, as far as is remembered" in text.plain
    assert text.plain.isascii()


@pytest.mark.parametrize(
    ("done", "total", "line"),
    [
        (0, 4 * GIB, "........................  0 %  0 B of 4.0 GiB"),
        (GIB, 4 * GIB, "======..................  25 %  1.0 GiB of 4.0 GiB"),
        (5 * GIB, 4 * GIB, "========================  100 %  5.0 GiB of 4.0 GiB"),
        (0, 0, "========================  100 %  0 B of 0 B"),
    ],
)
def test_how_far_it_is(done: int, total: int, line: str) -> None:
    assert told(done, total, 0.0, AsciiGlyphs()) == line
    assert told(done, total, 820 * 2**20, AsciiGlyphs()) == f"{line}  820 MiB/s"
