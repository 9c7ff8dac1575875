"""From files to models: shards become one, what is no model falls out, what is broken says so."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tui.config.plain import one_line
from tui.gguf.errors import GgufError
from tui.gguf.names import is_imatrix, is_projector, quant_of, shard_name, shard_of, stem_of
from tui.library.digests import DigestStore
from tui.library.facts import Facts, FactStore
from tui.library.model import Model, Place, shown
from tui.library.walking import Found

_OWN = ("demo", "hf-cache", "folder", "added")
"""Where a model counts before any other program's folder: the cache is everybody's."""

NO_MODEL_KINDS = {
    "mmproj": "an image or sound encoder that belongs to a model (mmproj)",
    "adapter": "an adapter (LoRA) that belongs to a model",
    "imatrix": "statistics for quantizing (imatrix)",
}


@dataclass(slots=True)
class Group:
    """The files of one model: a whole file, or those shards of it that are there, by number."""

    parts: dict[int, Found]
    count: int
    also: list[Found] = field(default_factory=list)
    """The same model in other places, and by other names."""

    @property
    def first(self) -> Found:
        """The file to load, or the lowest one that is there."""
        return self.parts[min(self.parts)]

    @property
    def missing(self) -> list[str]:
        """Names of the shards that are not there."""
        numbers = [n for n in range(1, self.count + 1) if n not in self.parts]
        return [shard_name(stem_of(self.first.path.name), n, self.count) for n in numbers]


def models_of(files: Sequence[Found], store: FactStore, digests: DigestStore | None = None) -> list[Model]:
    """One model for each group of files that is one, in the files' order; their names are not unique yet."""
    found = (model_of(group, store) for group in grouped(files, digests))
    return [model for model in found if model is not None]


def grouped(files: Iterable[Found], digests: DigestStore | None = None) -> list[Group]:
    """Files by model. A path that is found twice counts as whose it was found first; a file in two places, or copies
    whose sum is known to be the same, count where they are the person's own; and of a repository's revisions the first
    that has the model whole."""
    groups: dict[tuple[str, str, int], Group] = {}
    for found in files:
        if is_projector(found.path.name) or is_imatrix(found.path.name):
            continue
        shard = shard_of(found.path.name)
        stem, number, count = shard or (found.path.name, 1, 1)
        key = (str(found.path.parent), stem, count)
        group = groups.setdefault(key, Group({}, count))
        if group.parts.setdefault(number, found).title != found.title and found.title:
            group.also.append(found)
    own_first = sorted(_newest(groups.values()), key=lambda group: group.first.source not in _OWN)
    return _once(own_first, digests or DigestStore())


def model_of(group: Group, store: FactStore) -> Model | None:
    """The model that a group of files is; None when they are something else."""
    facts, problem = Facts(), None
    try:
        facts = store.facts(group.first.path)
    except GgufError as error:
        problem = _reason(group.first, error)
    if problem is None and no_model(facts) is not None:
        return None
    problem = problem or _parts_problem(group, store, facts)
    file = group.first
    return Model(
        name=_title(file),
        path=file.path,
        repo=file.repo,
        file=shown(file.file),
        quant=quant_of(file.path.name) or facts.file_type,
        architecture=one_line(facts.architecture) if facts.architecture else None,
        file_bytes=sum(_size(part) for part in group.parts.values()),
        shards=group.count,
        source=file.source,
        problem=problem,
        n_layer=facts.n_layer,
        n_ctx_train=facts.n_ctx_train,
        parameters=_parameters(group, store) if problem is None else None,
        also=tuple(Place(other.path, other.source, _title(other)) for other in group.also),
    )


def no_model(facts: Facts) -> str | None:
    """What a sound file is that is no model, in words; None for a model."""
    if facts.architecture == "clip":
        return NO_MODEL_KINDS["mmproj"]
    if facts.kind in NO_MODEL_KINDS:
        return NO_MODEL_KINDS[facts.kind]
    if facts.n_tensors == 0 and facts.shards == 1:
        return "a vocabulary without weights"
    return None


def _parts_problem(group: Group, store: FactStore, facts: Facts) -> str | None:
    missing = group.missing
    if missing:
        parts = "part is" if group.count == 1 else "parts are"
        return f"{len(missing)} of {group.count} {parts} missing ({shown(missing[0])}); get it again"
    for number, part in sorted(group.parts.items()):
        try:
            found = store.facts(part.path)
        except GgufError as error:
            return f"part {number}: {_reason(part, error)}"
        if found.shards != group.count:
            return f"{shown(part.path.name)} says it is one of {found.shards} parts; it was renamed, or it is another's"
    if facts.architecture is None:
        return "its header names no architecture; get it again, or another file"
    return None


def _reason(part: Found, error: GgufError) -> str:
    if os.path.islink(part.path) and not os.path.exists(part.path):  # noqa: PTH110, PTH114 - these never raise
        return "the link leads to a file that is gone; get it again"
    if part.source == "ollama" and not os.path.exists(part.path):  # noqa: PTH110
        return f"Ollama's manifest names a file that is gone; ollama pull {shown(part.title)} gets it again"
    return error.reason


def _title(file: Found) -> str:
    return file.title or stem_of(file.path.name)


def _parameters(group: Group, store: FactStore) -> int | None:
    return sum(store.facts(part.path).parameters or 0 for part in group.parts.values()) or None


def _newest(groups: Iterable[Group]) -> list[Group]:
    """Of a repository's revisions one group for each file: the first whole one, else the first."""
    chosen: dict[tuple[str, str, int], Group] = {}
    for group in groups:
        file = group.first
        inside = file.file.removesuffix(file.path.name) + stem_of(file.path.name)
        in_cache = file.repo is not None and file.revision
        key = (file.repo or "", inside, group.count) if in_cache else ("", str(file.path), group.count)
        if key not in chosen or (chosen[key].missing and not group.missing):
            chosen[key] = group
    return list(chosen.values())


def _once(groups: Iterable[Group], digests: DigestStore) -> list[Group]:
    """Of groups that are the same model the first, which then knows the places of the others."""
    seen: dict[object, Group] = {}
    kept: list[Group] = []
    for group in groups:
        keys = [key for key in (_file_key(group.first.path), _content_key(group, digests)) if key is not None]
        first = next((seen[key] for key in keys if key in seen), group)
        if first is group:
            kept.append(group)
        else:
            first.also += [group.first, *group.also]
        seen |= dict.fromkeys(keys, first)
    return kept


def _file_key(path: Path) -> tuple[int, int] | None:
    """What two names of one file have in common; None for a file that cannot be looked at."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def _content_key(group: Group, digests: DigestStore) -> tuple[tuple[int, str | None], ...] | None:
    """What copies have in common: sizes and sums of all parts. None where a sum is not known, or a part is missing."""
    if len(group.parts) != group.count:
        return None
    sums = [digests.known(part.path) for _, part in sorted(group.parts.items())]
    if None in sums:
        return None
    return tuple((_size(part), known) for (_, part), known in zip(sorted(group.parts.items()), sums, strict=True))


def _size(part: Found) -> int:
    try:
        return part.path.stat().st_size
    except OSError:
        return 0
