"""The GGUF files of a repository as rows: one for each quantization, shards joined, what is no model set beside.

Everything comes from one question to the hub and is pinned to the commit that answered. Names come from strangers: one
that could lead out of a folder, or that a terminal would obey, is left out and noted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tui.config.plain import clean, one_line
from tui.gguf.names import is_draft, is_imatrix, is_projector, quant_of, shard_of
from tui.hub.client import Hub
from tui.hub.told import in_words, not_a_hub

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling

Gate = Literal["auto", "manual"]

_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LONGEST_PATH = 1024
"""Characters; no published name comes near, and file systems take no more."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a repository."""

    path: str
    """Within the repository, its folders divided by slashes; safe to use below a folder."""
    size_bytes: int
    sha256: str | None
    """None where the hub does not tell, as for small files."""


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model that can be fetched: a file, or all shards of one."""

    quant: str | None
    files: tuple[RemoteFile, ...]
    """First shard first; those that are missing are left out."""
    shards: int
    """Files it consists of, missing ones included."""
    problem: str | None = None
    """Why it is of no use; None for a whole one."""

    @property
    def path(self) -> str:
        """The file that is loaded: of several shards the first."""
        return self.files[0].path

    @property
    def file_bytes(self) -> int:
        """All shards together."""
        return sum(file.size_bytes for file in self.files)


@dataclass(frozen=True, slots=True)
class RepoFiles:
    """What a repository holds for llama.cpp, at one commit."""

    repo: str
    """As the hub spells it."""
    commit: str
    rows: tuple[ModelRow, ...]
    """Smallest first."""
    projectors: tuple[RemoteFile, ...] = ()
    """Image and sound encoders that belong to the models (`mmproj`)."""
    drafts: tuple[RemoteFile, ...] = ()
    """Small models that guess ahead of the others."""
    imatrices: tuple[RemoteFile, ...] = ()
    gated: Gate | None = None
    """How access is granted; None where nobody has to ask for it."""
    notes: tuple[str, ...] = ()
    """What was left out, one line each."""


def repo_files(hub: Hub, repo: str, revision: str | None = None) -> RepoFiles:
    """The GGUF files of a repository on its main branch, or at a branch, tag or commit. Blocks for one request.

    Raises HubError.
    """
    api = hub.api()
    asked = hub.asking(repo, revision=revision or "")
    with in_words(asked):
        info = api.model_info(repo, revision=revision, files_metadata=True, timeout=hub.patience.silence_s)
    if not (isinstance(info.sha, str) and _COMMIT.fullmatch(info.sha)):
        raise not_a_hub(asked)
    files, notes = _files(info.siblings or ())
    projectors = tuple(file for file in files if is_projector(file.path))
    imatrices = tuple(file for file in files if is_imatrix(file.path) and file not in projectors)
    models = [file for file in files if file not in projectors and file not in imatrices]
    drafts = _drafts(models)
    return RepoFiles(
        repo=info.id if is_repo(info.id) else repo,
        commit=info.sha,
        rows=rows_of(file for file in models if file not in drafts),
        projectors=projectors,
        drafts=drafts,
        imatrices=imatrices,
        gated=info.gated or None,
        notes=tuple(notes),
    )


def is_safe(path: str) -> bool:
    """True for a relative path of plain parts that stays below the folder it is put in, without a character that a
    terminal would obey.
    """
    parts = path.split("/")
    return (
        0 < len(path) <= _LONGEST_PATH
        and "\\" not in path
        and clean(path) == path
        and path.isprintable()
        and all(part.strip(" .") and part == part.strip() for part in parts)
    )


def rows_of(files: Iterable[RemoteFile]) -> tuple[ModelRow, ...]:
    """Models as rows, smallest first; shards are joined by name and folder."""
    shards: dict[tuple[str, int], dict[int, RemoteFile]] = {}
    rows: list[ModelRow] = []
    for file in files:
        shard = shard_of(file.path)
        if shard is None:
            rows.append(ModelRow(_quant(file.path), (file,), 1, _problem({1: file}, 1)))
        else:
            stem = file.path.rpartition("/")[0] + "/" + shard[0]
            shards.setdefault((stem, shard[2]), {})[shard[1]] = file
    for (_, count), found in shards.items():
        joined = tuple(found[number] for number in sorted(found))
        rows.append(ModelRow(_quant(joined[0].path), joined, count, _problem(found, count)))
    return tuple(sorted(rows, key=lambda row: (row.file_bytes, row.path)))


def _drafts(models: Sequence[RemoteFile]) -> tuple[RemoteFile, ...]:
    drafts = tuple(file for file in models if is_draft(file.path))
    # Of a repository of nothing else they are what one came for.
    return drafts if len(drafts) < len(models) else ()


def _files(siblings: Iterable[RepoSibling]) -> tuple[list[RemoteFile], list[str]]:
    files: dict[str, RemoteFile] = {}
    notes: list[str] = []
    for sibling in siblings:
        path = sibling.rfilename
        if not isinstance(path, str) or not path.lower().endswith(".gguf"):
            continue
        if not is_safe(path):
            notes.append(f"a file was left out, as its name is not safe to use: '{one_line(path)[:100]}'")
            continue
        lfs = sibling.lfs
        size = sibling.size if sibling.size is not None else lfs.size if lfs is not None else None
        if type(size) is not int or size < 0:
            notes.append(f"{path} was left out, as the hub does not tell its size")
            continue
        digest = lfs.sha256 if lfs is not None else None
        files[path] = RemoteFile(path, size, digest if isinstance(digest, str) and _SHA256.fullmatch(digest) else None)
    return list(files.values()), notes


def _problem(found: dict[int, RemoteFile], count: int) -> str | None:
    missing = [number for number in range(1, count + 1) if number not in found]
    if missing:
        which = f"shard {missing[0]} of {count} is" if len(missing) == 1 else f"{len(missing)} of {count} shards are"
        return f"{which} missing there; choose another quantization"
    if any(file.size_bytes == 0 for file in found.values()):
        return "is empty there; choose another quantization"
    return None


def _quant(path: str) -> str | None:
    """By the file's name, else by its folder's."""
    return quant_of(path) or quant_of(path.rpartition("/")[0])


def is_repo(name: object) -> bool:
    """True for `org/name` as the Hub allows it, which leads out of no folder; a renamed repository answers with its new
    name.
    """
    allowed = r"\b[\w.-]{1,96}\b/\b[\w.-]{1,96}\b"
    return isinstance(name, str) and ".." not in name and re.fullmatch(allowed, name, re.ASCII) is not None
