"""`puna ls MODEL`: everything that is known of one model, for `--long` and `--json`."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from tui.config.paths import Paths
from tui.config.plain import one_line
from tui.config.sizes import parameters, size
from tui.gguf.errors import GgufError
from tui.library import Model
from tui.library.details import Details, details_of
from tui.library.model import path_text, to_json
from tui.models.lessons import learnt
from tui.models.usage import Usage, usage_of


def document(model: Model, here: Paths) -> dict[str, Any]:
    """The model's entry of `ls --json`, and what its header and this machine know besides."""
    details, usage = _known(model, here)
    return {
        **to_json(model),
        "also": [{"path": path_text(place.path), "source": place.source, "name": place.name} for place in model.also],
        "parameters": model.parameters,
        "n_layer": model.n_layer,
        "n_ctx_train": model.n_ctx_train,
        "n_vocab": details.n_vocab if details else None,
        "title": details.title if details else None,
        "licence": details.licence if details else None,
        "chat_template": details.template is not None if details else None,
        "tensors": [
            {"type": each.type, "count": each.count, "bytes": each.n_bytes}
            for each in (details.tensors if details else ())
        ],
        **asdict(usage),
    }


def lines(model: Model, here: Paths) -> list[str]:
    """The same for a person: a line for each thing that is known."""
    details, usage = _known(model, here)
    told = [("layers", model.n_layer), ("context", f"{model.n_ctx_train} tokens" if model.n_ctx_train else None)]
    told += [("parameters", parameters(model.parameters) if model.parameters else None)]
    if details is not None:
        told += [("title", details.title), ("licence", details.licence or "not said")]
        told += [("template", "yes" if details.template is not None else "none: it is completed plainly")]
        told += [("tensors", f"{each.count} × {each.type}, {size(each.n_bytes)}") for each in details.tensors]
    told += [("last used", _when(usage.last_used)), ("loads", usage.loads or None), ("speed", _speed(usage))]
    return [f"  {name:<10}  {one_line(str(value))}" for name, value in told if value is not None]


def _known(model: Model, here: Paths) -> tuple[Details | None, Usage]:
    try:
        details = details_of(model) if model.problem is None else None
    except GgufError:
        details = None  # it went, or was damaged, since the scan
    return details, usage_of(model, learnt(here))


def _when(moment: float | None) -> str | None:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment)) if moment is not None else None


def _speed(usage: Usage) -> str | None:
    if usage.decode_tok_s is None:
        return None
    read = f", reading {usage.prefill_tok_s:.0f}" if usage.prefill_tok_s is not None else ""
    return f"{usage.decode_tok_s:.1f} tok/s{read} (measured last)"
