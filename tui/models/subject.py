"""A model that the fit can be asked about: its header and what it is called. Reads files; meant for a thread."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tui.fit.shape import ModelShape
from tui.gguf.errors import GgufError
from tui.gguf.stripped import StrippedHeader
from tui.library import Model
from tui.models.headers import header_of_file
from tui.models.projectors import projector_beside


@dataclass(frozen=True, slots=True)
class Subject:
    """One model."""

    name: str
    identity: str
    """As in models.toml."""
    quant: str | None
    parameters: int | None
    shape: ModelShape
    header: StrippedHeader
    siblings: tuple[tuple[str, int], ...] = ()
    """Other quantizations that are published beside it: label and bytes of the file."""
    fetched_bytes: int | None = None
    """Bytes of its header that travelled for this; None for a model on this disk."""
    projector: Path | None = None
    """The one that lies beside it on this disk, which "auto" means."""


def subject_of(model: Model, headers: Path) -> Subject:
    """The subject that a model on this disk is; `headers` is the folder that keeps headers. Raises GgufError."""
    known = header_of_file(model.path, headers)
    return Subject(
        name=model.name,
        identity=model.identity,
        quant=model.quant,
        parameters=known.shape.parameters or model.parameters,
        shape=known.shape,
        header=known.stripped,
        projector=projector_beside(model.path),
    )


def subject_or_none(model: Model, headers: Path) -> Subject | None:
    """The same; None where the header cannot be read: llama.cpp says why when the model is loaded."""
    try:
        return subject_of(model, headers)
    except GgufError:
        return None
