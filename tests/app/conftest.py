"""What the tests of the screen share: the stand-in NVML, for machines with GPUs."""

from __future__ import annotations

from tests.hardware.conftest import nvml_library, stand_in

__all__ = ["nvml_library", "stand_in"]
