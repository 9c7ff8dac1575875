"""Why llama.cpp would not do what it was asked, in words for a person. Imports no llama_cpp."""

from __future__ import annotations

from typing import Literal

LlamaErrorKind = Literal["load", "memory", "cancelled", "settings", "template", "context", "input", "state", "decode"]


class LlamaError(Exception):
    """`kind` is what failed, the text what happened to which file or setting, `hint` what the person can do now."""

    def __init__(self, kind: LlamaErrorKind, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.kind: LlamaErrorKind = kind
        self.hint = hint
