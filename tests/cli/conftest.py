"""What the tests of the command line share: the stand-in NVML, for commands that look at GPUs."""

from __future__ import annotations

from tests.hardware.conftest import nvml_library, stand_in

__all__ = ["nvml_library", "stand_in"]
