"""The folders of other programs that keep GGUF files: where each is by its own rules, and how it is read.

One row a folder: adding a program is adding rows. Their files are read in place and never changed here.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tui.config.folders import absolute, hub_cache
from tui.gguf.names import stem_of
from tui.library.model import Source
from tui.library.ollama import ollama_files
from tui.library.places import folder_files
from tui.library.walking import Found, Trail, is_folder, walk

Reader = Callable[[Path, Source, Trail], list[Found]]
_MOST_BYTES = 1 << 20
"""Of a settings file."""


@dataclass(frozen=True, slots=True)
class Owned:
    """One folder of another program."""

    source: Source
    root: Path
    read: Reader


def owned_places(environ: Mapping[str, str], system: Path = Path("/")) -> tuple[Owned, ...]:
    """Every folder that a known program uses on this machine, there or not.

    `environ` tells the home folder and the programs' own variables; `system` is where services keep their data.
    """
    home = absolute(environ.get("HOME") or "~")
    data = absolute(environ["XDG_DATA_HOME"]) if environ.get("XDG_DATA_HOME") else home / ".local" / "share"
    cache = absolute(environ["XDG_CACHE_HOME"]) if environ.get("XDG_CACHE_HOME") else home / ".cache"
    mac = home / "Library"
    places = [Owned("lm-studio", root, repo_files) for root in _lm_studio(home)]
    places += [Owned("ollama", root, ollama_files) for root in _ollama(environ, home, system)]
    places += [Owned("llama.cpp", root, llama_cpp_files) for root in _llama_cpp(environ, cache, mac)]
    for jan in (data / "Jan" / "data", home / "jan", mac / "Application Support" / "Jan" / "data"):
        places += [Owned("jan", jan / "llamacpp" / "models", jan_files), Owned("jan", jan / "models", jan_files)]
    vendor = "nomic.ai/GPT4All"
    for root in (data / vendor, cache / "gpt4all", mac / "Application Support" / vendor):
        places.append(Owned("gpt4all", root, folder_files))
    return tuple(dict.fromkeys(places))


def owned_files(places: tuple[Owned, ...], trail: Trail) -> list[Found]:
    """The GGUF files of every folder that is there."""
    return [
        found for place in places if trail.expect(place.root) for found in place.read(place.root, place.source, trail)
    ]


def owner_of(path: Path, environ: Mapping[str, str], system: Path = Path("/")) -> Source | None:
    """The program in whose folder a file lies, by its own path or by where a link leads; None for nobody's."""
    real = Path(os.path.realpath(path))
    for source, root in [
        ("hf-cache", hub_cache(environ)),
        *((place.source, place.root) for place in owned_places(environ, system)),
    ]:
        if path.is_relative_to(root) or real.is_relative_to(os.path.realpath(root)):
            return source
    return None


def repo_files(root: Path, source: Source, trail: Trail) -> list[Found]:
    """A folder in which each file lies under its repository: org/name/file (LM Studio)."""
    found: list[Found] = []
    for file in walk(root, trail):
        parts = file.relative_to(root).parts
        repo, inside = ("/".join(parts[:2]), "/".join(parts[2:])) if len(parts) > 2 else (None, file.name)
        found.append(Found(file, source, inside, repo))
    return found


def llama_cpp_files(root: Path, source: Source, trail: Trail) -> list[Found]:
    """llama.cpp's own downloads: `org_name_file.gguf`, and `manifest=org=name=tag.json` that tells them apart."""
    repos: dict[str, str] = {}
    for manifest in walk(root, trail, ends=".json"):
        kind, _, rest = manifest.name.partition("=")
        org, _, name = rest.partition("=")
        if kind == "manifest" and "=" in name:
            repo = f"{org}/{name.partition('=')[0]}"
            repos[f"{repo}/".replace("/", "_")] = repo
    found: list[Found] = []
    for file in walk(root, trail):
        start = max((start for start in repos if file.name.startswith(start)), key=len, default="")
        if start:
            inside = file.name.removeprefix(start)
            found.append(Found(file, source, inside, repos[start], title=stem_of(inside)))
        else:
            found.append(Found(file, source, file.name))
    return found


def jan_files(root: Path, source: Source, trail: Trail) -> list[Found]:
    """Jan's models: a folder each, with `model.gguf` and a `model.yml` that may name a file elsewhere."""
    found = [_jan_file(root, file, source) for file in walk(root, trail)]
    for settings in walk(root, trail, ends="model.yml"):
        file = _model_path(settings)
        if file is not None:
            found.append(Found(file, source, file.name, title=settings.parent.name))
    return found


def _jan_file(root: Path, file: Path, source: Source) -> Found:
    named_by_folder = file.name.lower() == "model.gguf" and file.parent != root
    return Found(file, source, file.name, title=file.parent.name if named_by_folder else "")


def _model_path(settings: Path) -> Path | None:
    """The file that a `model.yml` names by an absolute path; others lie beside it and are found without it."""
    line = re.search(r"^model_path:\s*[\"']?(/.+?\.gguf)[\"']?\s*$", _text(settings), re.MULTILINE)
    return Path(line[1]) if line else None


def _lm_studio(home: Path) -> Iterator[Path]:
    """LM Studio's model folders: below its home, which a pointer may name, and where its settings say."""
    pointed = _text(home / ".lmstudio-home-pointer").strip()
    homes = dict.fromkeys([absolute(pointed)] if pointed else [])
    homes |= dict.fromkeys([home / ".lmstudio", home / ".cache" / "lm-studio"])
    for place in homes:
        yield place / "models"
        try:
            chosen = json.loads(_text(place / "settings.json") or "{}").get("downloadsFolder")
        except (ValueError, AttributeError, RecursionError):
            continue
        if isinstance(chosen, str) and chosen:
            yield absolute(chosen)


def _ollama(environ: Mapping[str, str], home: Path, system: Path) -> Iterator[Path]:
    if environ.get("OLLAMA_MODELS"):
        yield absolute(environ["OLLAMA_MODELS"])
    yield home / ".ollama" / "models"
    # Where its service on Linux keeps them, and its snap package.
    yield system / "usr" / "share" / "ollama" / ".ollama" / "models"
    yield system / "var" / "snap" / "ollama" / "common" / "models"


def _llama_cpp(environ: Mapping[str, str], cache: Path, mac: Path) -> Iterator[Path]:
    if environ.get("LLAMA_CACHE"):
        yield absolute(environ["LLAMA_CACHE"])
        return
    yield cache / "llama.cpp"
    yield mac / "Caches" / "llama.cpp"


def _text(file: Path) -> str:
    """A small file's text; empty where there is none that can be read."""
    if not is_folder(file.parent):
        return ""
    try:
        with file.open("rb") as stream:
            return stream.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
