"""How long does the library take for 50 000 files? A folder of other files, and folders of models: scanned for the
first time and again, the list for the first frame, and the poll that tells whether another scan is worth it.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.report import tell
from tests.rigs.gguf_maker import plain_gguf
from tui.config.paths import Paths, paths
from tui.library import cached, changed, look

FILES = 50_000
_FOLDER_FILES = 500
"""Of the models; the other files lie in one folder."""


def main() -> None:
    """Build both trees, scan them, print the table."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        others, models = _others(root / "others"), _models(root / "models")
        environ = {"HOME": str(root / "user"), "HF_HUB_CACHE": str(root / "hub")}
        rows = []
        for what, folder in (("other files in one folder", others), (f"models, {_FOLDER_FILES} a folder", models)):
            here = paths({"PUNA_HOME": str(root / "home" / folder.name)})
            rows += _measure(what, here, folder, environ, root)
        tell("library_scan", rows, {f"{row['what']}, {row['step']}": row["cpu_ms"] for row in rows})


def _measure(what: str, here: Paths, folder: Path, environ: dict[str, str], root: Path) -> list[dict[str, Any]]:
    def scan() -> Any:
        return look(here, [str(folder)], environ, root / "system")

    first, _ = _timed(scan)
    again, found = _timed(scan)
    frame, listed = _timed(lambda: cached(here))
    poll, _ = _timed(lambda: changed(found.stamps))
    steps = {"first scan": first, "scan again": again, "cached list": frame, "poll": poll}
    return [
        {"what": what, "models": len(listed), "watched": len(found.stamps), "step": step, "ms": ms, "cpu_ms": cpu_ms}
        for step, (ms, cpu_ms) in steps.items()
    ]


def _timed(work: Callable[[], Any]) -> tuple[tuple[float, float], Any]:
    """Milliseconds by the clock and of this process's CPU time, which other work on the machine does not change."""
    begun, cpu_begun = time.perf_counter(), time.process_time()
    result = work()
    took, cpu_took = time.perf_counter() - begun, time.process_time() - cpu_begun
    return (round(took * 1000, 1), round(cpu_took * 1000, 1)), result


def _others(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for number in range(FILES):
        (folder / f"picture-{number:05}.jpg").touch()
    return folder


def _models(folder: Path) -> Path:
    """Small whole files, all of them different ones."""
    folder.mkdir(parents=True)
    data = plain_gguf(folder / "seed", tensors={"t": (4,)}).read_bytes()
    (folder / "seed").unlink()
    for number in range(FILES):
        place = folder / f"org-{number // _FOLDER_FILES:03}"
        if number % _FOLDER_FILES == 0:
            place.mkdir()
        descriptor = os.open(place / f"model-{number:05}.gguf", os.O_WRONLY | os.O_CREAT)
        os.write(descriptor, data)
        os.close(descriptor)
    return folder


if __name__ == "__main__":
    main()
