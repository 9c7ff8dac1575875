"""llama.cpp's own log, kept in memory instead of printed over the screen. Child processes only."""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tui.llama.binding import L, lib
from tui.llama.memory_words import tell_of_memory

LEVELS = {1: "debug", 2: "info", 3: "warning", 4: "error"}
"""ggml_log_level by number (ggml.h); 5 continues the line before."""
_CONTINUE = 5
_UNHEARD = ctypes.cast(lib.llama_supports_mmap, L.llama_log_callback)
"""Native, and does nothing with what it is given."""


class NativeLog:
    """The last lines that llama.cpp logged, with their levels. Installing a second one replaces the first."""

    def __init__(
        self, keep: int = 200, forward: Callable[[str, str], None] | None = None, at_least: str = "debug"
    ) -> None:
        """`forward(level, line)` gets each finished line; it runs on whichever native thread logs.

        Lines below `at_least` are not even read: llama.cpp logs a thousand of them while it makes a context.
        """
        self._floor = next(number for number, level in LEVELS.items() if level == at_least)
        self._keeps_open = True
        self._lines: deque[tuple[str, str]] = deque(maxlen=keep)
        self._open = ""
        self._open_level = "info"
        self._forward = forward
        self._callback = L.llama_log_callback(self._on_text)  # the C side keeps only a pointer: hold a reference here

    def install(self) -> None:
        """Send llama.cpp's log here from now on."""
        L.llama_log_set(self._callback, ctypes.c_void_p(0))

    def hear(self, set_log: Callable[[Any, Any], None]) -> None:
        """Have another library's log come here, too."""
        set_log(self._callback, None)

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Nothing is logged meanwhile, and llama.cpp calls no Python for its thousand lines a context."""
        L.llama_log_set(_UNHEARD, ctypes.c_void_p(0))
        try:
            yield
        finally:
            self.install()

    def last(self, count: int, at_least: str = "info") -> tuple[str, ...]:
        """The last `count` lines of level `at_least` or worse."""
        ranks = list(LEVELS.values())
        floor = ranks.index(at_least)
        return tuple([line for level, line in self._lines if ranks.index(level) >= floor][-count:])

    def errors(self) -> tuple[str, ...]:
        """The error lines, oldest first."""
        return tuple(line for level, line in self._lines if level == "error")

    def ran_out_of_memory(self) -> bool:
        """True when an error line says that memory could not be had."""
        return tell_of_memory(self.errors())

    def clear(self) -> None:
        """Forget what was logged so far."""
        self._lines.clear()

    def _on_text(self, level: int, text: bytes, _user_data: Any) -> None:
        if level != _CONTINUE:
            self._keeps_open = level >= self._floor
        if not self._keeps_open:
            return
        if level != _CONTINUE:
            self._open_level = LEVELS.get(level, "info")
        self._open += text.decode("utf-8", "replace")
        while "\n" in self._open:
            line, _, self._open = self._open.partition("\n")
            if line.strip(" ."):
                self._lines.append((self._open_level, line))
                if self._forward is not None:
                    self._forward(self._open_level, line)
