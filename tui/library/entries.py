"""From files to models: shards become one, what is no model falls out, what is broken says so."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tui.config.plain import one_line
from tui.gguf.errors import GgufError
from tui.gguf.names import is_imatrix, is_projector, quant_of, shard_name, shard_of, stem_of
from tui.library.facts import Facts, FactStore
from tui.library.model import Model, shown
from tui.library.places import Found

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

    @property
    def first(self) -> Found:
        """The file to load, or the lowest one that is there."""
        return self.parts[min(self.parts)]

    @property
    def missing(self) -> list[str]:
        """Names of the shards that are not there."""
        numbers = [n for n in range(1, self.count + 1) if n not in self.parts]
        return [shard_name(stem_of(self.first.path.name), n, self.count) for n in numbers]


def models_of(files: Sequence[Found], store: FactStore) -> list[Model]:
    """One model for each group of files that is one, in the files' order; their names are not unique yet."""
    found = (model_of(group, store) for group in grouped(files))
    return [model for model in found if model is not None]


def grouped(files: Iterable[Found]) -> list[Group]:
    """Files by model. A file that is reached in two ways counts where it was found first, and of a repository's
    revisions the first that has the model whole."""
    groups: dict[tuple[str, str, int], Group] = {}
    for found in files:
        if is_projector(found.path.name) or is_imatrix(found.path.name):
            continue
        shard = shard_of(found.path.name)
        stem, number, count = shard or (found.path.name, 1, 1)
        key = (str(found.path.parent), stem, count)
        groups.setdefault(key, Group({}, count)).parts.setdefault(number, found)
    return _once(_newest(groups.values()))


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
        name=stem_of(file.path.name),
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
    return error.reason


def _parameters(group: Group, store: FactStore) -> int | None:
    return sum(store.facts(part.path).parameters or 0 for part in group.parts.values()) or None


def _newest(groups: Iterable[Group]) -> list[Group]:
    """Of a repository's revisions one group for each file: the first whole one, else the first."""
    chosen: dict[tuple[str, str, int], Group] = {}
    for group in groups:
        file = group.first
        inside = file.file.removesuffix(file.path.name) + stem_of(file.path.name)
        key = (file.repo, inside, group.count) if file.repo else ("", str(file.path), group.count)
        if key not in chosen or (chosen[key].missing and not group.missing):
            chosen[key] = group
    return list(chosen.values())


def _once(groups: Iterable[Group]) -> list[Group]:
    seen: set[str] = set()
    kept: list[Group] = []
    for group in groups:
        real = os.path.realpath(group.first.path)
        if real not in seen:
            seen.add(real)
            kept.append(group)
    return kept


def _size(part: Found) -> int:
    try:
        return part.path.stat().st_size
    except OSError:
        return 0
