"""Which projector belongs to a model on this disk: the one that settings name, or the one that lies beside it.

Reads folders and headers; meant for a thread.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from tui.config.plain import clean
from tui.gguf.errors import GgufError
from tui.gguf.header import read_header
from tui.gguf.names import is_imatrix, is_projector, quant_of, stem_of
from tui.llama.settings import LoadSettings, SettingsError

_PLACED_BY_NUMBER = frozenset({"hunyuanvl", "deepseek4v"})
"""Kinds that make of an image something else by what stands before it (`mtmd_tokenizer::add_media`)."""
_MARKS = re.compile(r"mm[-_]?proj(?:ector)?(?:-model)?", re.IGNORECASE)
_BETWEEN = re.compile(r"[^a-z0-9]+")


NO_MTMD = "the installed llama-cpp-python was built without mtmd, by which models see images"


@cache
def has_mtmd() -> bool:
    """Whether the installed llama.cpp can look at images: by its files, as front ends do not load it."""
    spec = find_spec("llama_cpp")
    folders = (Path(folder) / "lib" for folder in (spec.submodule_search_locations or ())) if spec is not None else ()
    return any("mtmd" in file.name for folder in folders for file in _listed(folder))


def projector_beside(model: Path) -> Path | None:
    """The projector that lies beside a model's file and can be its: of a repository's files in the cache any, in a
    folder that holds several models the one that is called alike. Half precision comes first, then the smallest. None
    as well where llama.cpp could do nothing with it.
    """
    if not has_mtmd():
        return None
    fit = (file for folder in _folders(model) for file in _belonging(folder, model))
    return next((file for file in fit if why_not(file) is None), None)


def may_see(model: Path, wished: LoadSettings) -> bool:
    """Whether a load of the file with these settings has a projector, "auto" being the one beside it."""
    return wished.projector is not None or (wished.mmproj == "auto" and projector_beside(model) is not None)


def check_projector(settings: LoadSettings) -> None:
    """Raise SettingsError where settings name a projector that cannot be one."""
    if settings.projector is not None:
        file = Path(settings.projector).expanduser()
        reason = why_not(file)
        if reason is not None:
            raise SettingsError("mmproj", f"{clean(str(file))} {reason}")


def why_not(projector: Path) -> str | None:
    """Why a file cannot let a model see, for a sentence that names it; None where it may."""
    try:
        header = read_header(projector)
    except GgufError as error:
        return error.reason
    if not header.is_projector:
        return "is no projector"
    known = header.metadata
    if not known.get("clip.has_vision_encoder"):
        return "lets a model hear, not see"
    kind = known.get("clip.projector_type") or known.get("clip.vision.projector_type")
    if kind in _PLACED_BY_NUMBER:
        return f"is of the kind {clean(str(kind))}, which puna cannot use yet"
    return None


def preference(name: str, n_bytes: int) -> tuple[bool, int]:
    """Sorts projectors of one model: half precision, which they are published in for use, then the smallest."""
    quant = quant_of(name)
    return quant != "F16", n_bytes


def _folders(model: Path) -> Iterator[Path]:
    """Where a projector may lie: beside the file and, in the Hugging Face cache, in any revision of its repository."""
    yield model.parent
    snapshots = next((folder for folder in model.parents if folder.parent.name == "snapshots"), None)
    if snapshots is not None:
        yield snapshots
        yield from (other for other in _listed(snapshots.parent) if other != snapshots)


def _belonging(folder: Path, model: Path) -> list[Path]:
    files = [file for file in _listed(folder) if file.suffix.lower() == ".gguf"]
    projectors = [file for file in files if is_projector(file.name)]
    models = {_core(file.name) for file in files if not (is_projector(file.name) or is_imatrix(file.name))}
    mine, alone = _core(model.name), len(models) <= 1 or folder.parent.name == "snapshots"
    chosen = [file for file in projectors if alone or _is_of(_core(file.name), mine)]
    return sorted(chosen, key=lambda file: preference(file.name, _size(file)))


def _is_of(projector: str, model: str) -> bool:
    return bool(projector) and (model.startswith(projector) or projector.startswith(model))


def _core(name: str) -> str:
    """A file's name without what tells files of one model apart: `mmproj`, the quantization, signs between words."""
    stem = _MARKS.sub(" ", stem_of(name).lower())
    quant = quant_of(name)
    if quant is not None:
        label = re.escape(quant.lower().removeprefix("ud-"))
        stem = re.sub(rf"(?<![a-z0-9])(ud[-_])?{label.replace('f', 'f?p?', 1)}(?![a-z0-9])", " ", stem)
    return _BETWEEN.sub("", stem)


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
