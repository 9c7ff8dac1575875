"""All that is known of a model as a text to be read: what its file says, where it lies, how it was used here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content

from tui.app.glyphs import Glyphs
from tui.app.panels.library.listing import advice, ago
from tui.app.panels.library.row import short_path
from tui.app.text import clean, clean_lines, fit, fit_right, plural, rate, size, thousands
from tui.config.sizes import parameters
from tui.library.model import SOURCES, Place

if TYPE_CHECKING:
    from tui.library import Model
    from tui.library.details import Details, TensorSum
    from tui.models.usage import Usage

LABEL = 15
"""Cells of what stands before each fact."""
_BAR = 24
"""Cells of the largest sum of tensors."""
_Words = list[tuple[str, str]]


def details_text(model: Model, details: Details | None, usage: Usage, now: float, glyphs: Glyphs) -> Content:
    """The text. `details` is None for a file whose header cannot be read; `now` in Unix seconds."""
    words: _Words = []
    if model.problem:
        words += [(f"{glyphs.problem} It cannot be loaded: {clean(advice(model))}.\n\n", "$warning")]
    for label, value in _facts(model, details, glyphs):
        words += _line(label, value)
    words += [("\n", ""), *_line("last used", _used(usage, now))]
    words += _line("loads", thousands(usage.loads) if usage.loads else "")
    words += [*_line("measured", _speed(usage)), ("\n", ""), *_places(model)]
    if details is not None:
        words += [("\n", ""), *_tensors(details.tensors, glyphs), ("\n", ""), *_template(details.template)]
    return Content.assemble(*words)


def _facts(model: Model, details: Details | None, glyphs: Glyphs) -> Iterator[tuple[str, str]]:
    layers = plural(model.n_layer, "layer") if model.n_layer else ""
    counted = f"{parameters(model.parameters)} parameters" if model.parameters else ""
    parts = [part for part in (model.architecture, layers, counted) if part]
    if details is not None and details.title:
        yield "called", details.title
    yield "architecture", f" {glyphs.dot} ".join(parts)
    yield "context", f"{thousands(model.n_ctx_train)} tokens at most" if model.n_ctx_train else ""
    yield "vocabulary", f"{thousands(details.n_vocab)} tokens" if details is not None and details.n_vocab else ""
    yield "quantization", model.quant or ""
    yield "size", size(model.file_bytes) + (f" in {model.shards} files" if model.shards > 1 else "")
    yield "licence", (details.licence or "the file does not say") if details is not None else ""
    yield "repository", model.repo or ""


def _line(label: str, value: str) -> _Words:
    return [(fit(label, LABEL), "$muted"), (f"{clean(value)}\n", "$foreground")] if value else []


def _used(usage: Usage, now: float) -> str:
    if usage.last_used is None:
        return "never, as far as is remembered"
    moment = time.strftime("%Y-%m-%d %H:%M", time.localtime(usage.last_used))
    return f"{ago(max(0.0, now - usage.last_used))}, {moment}"


def _speed(usage: Usage) -> str:
    if usage.decode_tok_s is None:
        return ""
    read = f", reading {rate(usage.prefill_tok_s)}" if usage.prefill_tok_s is not None else ""
    return f"writing {rate(usage.decode_tok_s)}{read}, when it was last used"


def _places(model: Model) -> _Words:
    """Every file that is the model, behind whose folder it is in."""
    places = (Place(model.path, model.source, model.name), *model.also)
    return [word for each in places for word in _line(f"in {SOURCES[each.source]}", short_path(each.path))]


def _tensors(sums: tuple[TensorSum, ...], glyphs: Glyphs) -> _Words:
    """A line for each type that tensors are stored in, the largest first."""
    if not sums:
        return []
    most = max(each.n_bytes for each in sums) or 1
    kinds = max(cell_len(each.type) for each in sums)
    counts = max(cell_len(thousands(each.count)) for each in sums)
    words: _Words = []
    for at, each in enumerate(sums):
        words += [
            (fit("" if at else "tensors", LABEL), "$muted"),
            (f"{fit_right(thousands(each.count), counts)} {fit(each.type, kinds)}", "$foreground"),
            (fit_right(size(each.n_bytes), 10), "$foreground"),
            (f"  {glyphs.ours * max(1, round(_BAR * each.n_bytes / most))}\n", "$accent"),
        ]
    return words


def _template(template: str | None) -> _Words:
    if template is None:
        return _line("chat template", "none: it continues text instead of answering it")
    return [("chat template\n\n", "$muted"), (clean_lines(template), "$faint")]
