"""Whether the installed llama.cpp is known to have no GPU here, kept in the cache folder: a command then need not start
a process to hear it again. Never imports llama_cpp.

That no card is seen says nothing about it: a container may have the driver without the library that lists cards. Only
llama.cpp's own word counts, for the files that it had and the devices that there were when it was asked.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from tui.config.errors import ConfigError
from tui.config.files import read_text, write_atomic
from tui.config.paths import Paths
from tui.models.lessons import machine_file

_DEVICES = Path("/dev")
_NODES = ("nvidia*", "kfd", "dri/*", "dxg")
"""What drivers of GPUs make there; dxg is WSL's."""
_CHOICES = (
    "CUDA_VISIBLE_DEVICES",
    "NVIDIA_VISIBLE_DEVICES",
    "ROCR_VISIBLE_DEVICES",
    "HIP_VISIBLE_DEVICES",
    "GGML_VK_VISIBLE_DEVICES",
    "ONEAPI_DEVICE_SELECTOR",
    "LD_LIBRARY_PATH",
)
"""Variables that hide GPUs from llama.cpp, or show it others."""


def has_no_gpus(paths: Paths) -> bool:
    """True where llama.cpp, as it is installed and on this machine as it is, said that it has no GPU. Reads files."""
    key = _key()
    with suppress(ConfigError):
        return bool(key) and read_text(_file(paths)) == key
    return False


def note_gpus(paths: Paths, *, any_there: bool) -> None:
    """Remember what llama.cpp said. What cannot be written costs the next start a second."""
    with suppress(ConfigError, OSError):
        if any_there:
            _file(paths).unlink(missing_ok=True)
        elif not has_no_gpus(paths):
            write_atomic(_file(paths), _key().encode())


def _file(paths: Paths) -> Path:
    return machine_file(paths, "no-gpu", ".txt")


def _key() -> str:
    """What its word holds for; empty where it is not installed."""
    found = find_spec("llama_cpp")
    if found is None or not found.submodule_search_locations:
        return ""
    facts = [*_libraries(Path(found.submodule_search_locations[0]) / "lib"), *sorted(_nodes())]
    facts += [f"{name}={os.environ.get(name)}" for name in _CHOICES]
    return hashlib.sha256("\n".join(facts).encode("utf-8", "surrogateescape")).hexdigest()


def _libraries(folder: Path) -> Iterator[str]:
    """A new build differs in one of them, backends that are loaded when needed included."""
    with suppress(OSError):
        for file in sorted(folder.iterdir()):
            facts = file.stat()
            yield f"{file} {facts.st_size} {facts.st_mtime_ns}"


def _nodes() -> Iterator[str]:
    for pattern in _NODES:
        yield from map(str, _DEVICES.glob(pattern))
