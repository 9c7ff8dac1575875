"""Ollama's store: its models by the names of its manifests. Reads manifests and names blobs; opens no blob.

Layout: `manifests/<host>/<namespace>/<name>/<tag>` is a JSON text whose layers name `blobs/sha256-<hex>`; the layer of
the kind MODEL_KIND is the GGUF file. A model in another format has no such layer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tui.library.model import Source, shown
from tui.library.walking import Found, Trail, walk

MODEL_KIND = "application/vnd.ollama.image.model"
_HOST, _NAMESPACE = "registry.ollama.ai", "library"
"""What Ollama leaves out of a name."""
_HUB_HOSTS = ("hf.co", "huggingface.co")
_DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})")
_MOST_BYTES = 1 << 20
"""A manifest has about a kilobyte."""


def ollama_files(root: Path, source: Source, trail: Trail) -> list[Found]:
    """The GGUF file of every manifest, there or not; one file for each name that it has."""
    found: list[Found] = []
    for manifest in _manifests(root, trail):
        try:
            blob = _model_blob(root, manifest)
        except ValueError:
            trail.notes.append(f"{shown(manifest)}: passed over, is no manifest of Ollama's")
        except OSError as error:
            trail.pass_over(manifest, error)
        else:
            if blob is not None:
                found.append(Found(blob, source, blob.name, _repo(root, manifest), title=_title(root, manifest)))
    return found


def manifests_of(blob: Path) -> list[Path]:
    """The manifests whose model is this blob."""
    root = blob.parent.parent
    return [manifest for manifest in _manifests(root, Trail()) if _names(root, manifest, blob)]


def names_of(blob: Path) -> list[str]:
    """What Ollama calls the model in this blob, by all its names; none for any other file."""
    return (
        [_title(blob.parent.parent, manifest) for manifest in manifests_of(blob)] if blob.parent.name == "blobs" else []
    )


def _manifests(root: Path, trail: Trail) -> Iterator[Path]:
    folder = root / "manifests"
    if trail.expect(folder):
        for file in walk(folder, trail, ends=""):
            # host, namespace, name, tag: anything else is none of Ollama's.
            if len(file.relative_to(folder).parts) == 4:
                yield file


def _model_blob(root: Path, manifest: Path) -> Path | None:
    """The file of a manifest's model; None when it names none. Raises OSError, and ValueError for another text."""
    with manifest.open("rb") as stream:
        content: Any = json.loads(stream.read(_MOST_BYTES))
    try:
        layers = content.get("layers") or []
        digests = [str(layer["digest"]) for layer in layers if layer["mediaType"] == MODEL_KIND]
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(str(error)) from error
    if not digests:
        return None
    # The digest becomes a path, so it must be nothing else.
    known = _DIGEST.fullmatch(digests[0])
    if known is None:
        raise ValueError("names no digest")
    return root / "blobs" / f"sha256-{known[1]}"


def _names(root: Path, manifest: Path, blob: Path) -> bool:
    try:
        return _model_blob(root, manifest) == blob
    except (OSError, ValueError):
        return False


def _title(root: Path, manifest: Path) -> str:
    """The name as `ollama list` prints it."""
    host, namespace, name, tag = manifest.relative_to(root / "manifests").parts
    parts = [] if host == _HOST else [host]
    parts += [] if host == _HOST and namespace == _NAMESPACE else [namespace]
    return f"{'/'.join([*parts, name])}:{tag}"


def _repo(root: Path, manifest: Path) -> str | None:
    host, namespace, name, _ = manifest.relative_to(root / "manifests").parts
    return f"{namespace}/{name}" if host in _HUB_HOSTS else None
