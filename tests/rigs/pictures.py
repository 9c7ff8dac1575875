"""Image files for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def noise_png(path: Path, width: int, height: int, *, seed: int = 0) -> Path:
    """A PNG of random pixels: no two seeds look alike to a vision tower."""
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path
