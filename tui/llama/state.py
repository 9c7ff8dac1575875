"""What a context remembers of one sequence, to a file and back: llama.cpp's sequence state. Child processes only."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tui.llama.binding import L


def state_bytes(context: Any, sequence: int) -> int:
    """Bytes that the state of a sequence takes, its tokens aside."""
    size: int = L.llama_state_seq_get_size(context, sequence)
    return size


def write_state(context: Any, sequence: int, tokens: Sequence[int], path: Path) -> int:
    """Write the state of a sequence and the tokens that it stands for; bytes written, 0 when llama.cpp could not."""
    array = (ctypes.c_int32 * len(tokens))(*tokens)
    size: int = L.llama_state_seq_save_file(context, os.fsencode(path), sequence, array, len(tokens))
    return size


def read_state(context: Any, sequence: int, path: Path, most_tokens: int) -> list[int]:
    """Replace a sequence by a state that was written; its tokens, empty when llama.cpp refuses it. The sequence is to
    be cleared then: part of the state may be there."""
    array, count = (ctypes.c_int32 * most_tokens)(), ctypes.c_size_t(0)
    read: int = L.llama_state_seq_load_file(
        context, os.fsencode(path), sequence, array, most_tokens, ctypes.byref(count)
    )
    return array[: count.value] if read else []
