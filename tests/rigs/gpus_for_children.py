"""A dry-run child on a machine with GPUs: stand-ins are registered with ggml first, so that the installed llama.cpp
"has" them, as it has real ones.

Run as `python -m tests.rigs.gpus_for_children` in place of `tui.fit.dry_run`.
"""

from __future__ import annotations

import ctypes

from tui.fit.dry_run import main
from tui.llama.binding import lib, start_backend
from tui.llama.standin import StandIns, StandInSpec

GPUS = {"CUDA0": 24 << 30, "CUDA1": 12 << 30}
"""Bytes by name; all of it is free."""


def registered() -> StandIns:
    """The stand-ins, which must be kept for as long as the process lives."""
    start_backend()
    made = StandIns([StandInSpec(name, "cuda", size, size) for name, size in GPUS.items()])
    for backend in made._backends.values():
        lib.ggml_backend_register(ctypes.byref(backend.registry))
    return made


if __name__ == "__main__":
    kept = registered()
    main()
