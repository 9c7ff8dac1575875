"""Repositories of the loopback hub as values, and the JSON that the API makes of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.rigs.hub.content import Content

Files = Mapping[str, Content]

_LFS = (".gguf", ".safetensors", ".bin")
_LISTED = ("likes", "private", "downloads", "tags", "pipeline_tag", "library_name", "createdAt")


@dataclass(frozen=True, slots=True)
class Repo:
    """One repository: its files on `main` and on other branches, and what people see of it."""

    id: str
    files: Files
    revisions: Mapping[str, Files] = field(default_factory=dict)
    gated: Literal[False, "auto", "manual"] = False
    private: bool = False
    tags: Sequence[str] = ("gguf",)
    pipeline_tag: str | None = "text-generation"
    library_name: str | None = None
    apps: Sequence[str] = ("llama.cpp",)
    downloads: int = 0
    likes: int = 0
    trending: int = 0
    created: str = "2025-01-01T00:00:00.000Z"
    modified: str = "2025-01-01T00:00:00.000Z"
    card: Mapping[str, Any] | None = None
    gguf: Mapping[str, Any] | None = None
    """As the Hub reads it from one file: total (parameters), architecture, context_length, …"""

    def at(self, revision: str) -> tuple[str, Files] | None:
        """Commit and files of a branch or a commit; None for one that does not exist."""
        for name, files in {"main": self.files, **self.revisions}.items():
            commit = commit_of(self.id, files)
            if revision in (name, commit):
                return commit, files
        return None

    def listed(self, expand: Sequence[str], full: bool) -> dict[str, Any]:
        """As one entry of a list: the usual keys, or those of `expand` alone."""
        known = self._known()
        keys = expand or (*_LISTED, *(("sha", "lastModified", "gated", "siblings") if full else ()))
        return {"id": self.id, **{key: known[key] for key in keys if known.get(key) is not None}}

    def info(self, revision: str, expand: Sequence[str], blobs: bool) -> dict[str, Any]:
        """As the answer about this one repository."""
        found = self.at(revision)
        assert found is not None, "the caller has looked"
        commit, files = found
        known = {**self._known(), "sha": commit, "siblings": _siblings(files, blobs)}
        if expand:
            return {"id": self.id, **{key: known[key] for key in expand if known.get(key) is not None}}
        return {"id": self.id, "modelId": self.id, **{key: value for key, value in known.items() if value is not None}}

    def _known(self) -> dict[str, Any]:
        return {
            "author": self.id.partition("/")[0],
            "sha": commit_of(self.id, self.files),
            "createdAt": self.created,
            "lastModified": self.modified,
            "private": self.private,
            "gated": self.gated,
            "disabled": False,
            "downloads": self.downloads,
            "likes": self.likes,
            "trendingScore": self.trending,
            "tags": list(self.tags),
            "pipeline_tag": self.pipeline_tag,
            "library_name": self.library_name,
            "cardData": self.card,
            "gguf": self.gguf,
            "siblings": _siblings(self.files, False),
        }


def commit_of(repo: str, files: Files) -> str:
    """40 hexadecimal digits that change with every file."""
    lines = "".join(f"{name} {content.sha256}\n" for name, content in sorted(files.items()))
    return hashlib.sha1(f"{repo}\n{lines}".encode()).hexdigest()


def is_lfs(path: str) -> bool:
    """True for a file that lies on the CDN under its SHA-256; the others are part of the repository itself."""
    return path.lower().endswith(_LFS)


def git_oid(content: Content) -> str:
    """The name of a blob in git; made up from its SHA-256."""
    return hashlib.sha1(content.sha256.encode()).hexdigest()


def tree(files: Files, folder: str, recursive: bool) -> list[dict[str, Any]]:
    """The files and folders below `folder`."""
    prefix = f"{folder}/" if folder else ""
    rows: dict[str, dict[str, Any]] = {}
    for path, content in sorted(files.items()):
        if not path.startswith(prefix):
            continue
        parts = path.removeprefix(prefix).split("/")
        for depth in range(1, len(parts) if recursive else min(2, len(parts))):
            name = prefix + "/".join(parts[:depth])
            rows[name] = {"type": "directory", "oid": hashlib.sha1(name.encode()).hexdigest(), "size": 0, "path": name}
        if recursive or len(parts) == 1:
            rows[path] = path_info(path, content)
    return list(rows.values())


def path_info(path: str, content: Content) -> dict[str, Any]:
    """One file of a tree."""
    row: dict[str, Any] = {"type": "file", "oid": git_oid(content), "size": content.size, "path": path}
    if is_lfs(path):
        row["lfs"] = {"oid": content.sha256, "size": content.size, "pointerSize": 134}
    return row


def _siblings(files: Files, blobs: bool) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for path, content in files.items():
        row: dict[str, Any] = {"rfilename": path}
        if blobs:
            row |= {"size": content.size, "blobId": git_oid(content)}
            if is_lfs(path):
                row["lfs"] = {"sha256": content.sha256, "size": content.size, "pointerSize": 134}
        rows.append(row)
    return rows
