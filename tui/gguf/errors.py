"""What can be wrong with a GGUF file, as one error that names the file and says it in a sentence."""

from __future__ import annotations

from pathlib import Path


class GgufError(ValueError):
    """A file that is no usable GGUF file. `str()` names it; `reason` is the same without the name."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = Path(path)
        self.reason = reason
