"""What was sent before, to be had again with the up key; what is being written waits at the end of it."""

from __future__ import annotations

from collections.abc import Iterable


class PromptHistory:
    """Texts from old to new, and a place among them."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._at = 0  # the length stands for what is being written
        self._draft = ""

    def set(self, texts: Iterable[str]) -> None:
        """Other texts."""
        self._texts = [text for text in texts if text.strip()]
        self.rest()

    def add(self, text: str) -> None:
        """A text was sent."""
        if text.strip() and (not self._texts or self._texts[-1] != text):
            self._texts.append(text)
        self.rest()

    def rest(self) -> None:
        """What is being written is a text of its own."""
        self._at = len(self._texts)

    def older(self, current: str) -> str | None:
        """The text before; `current` is kept when it is what is being written."""
        if self._at == 0:
            return None
        if self._at == len(self._texts):
            self._draft = current
        self._at -= 1
        return self._texts[self._at]

    def newer(self) -> str | None:
        """The text after; at last what was being written."""
        if self._at >= len(self._texts):
            return None
        self._at += 1
        return self._draft if self._at == len(self._texts) else self._texts[self._at]
