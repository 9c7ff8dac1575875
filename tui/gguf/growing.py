"""A header of which more and more bytes arrive, such as one that is fetched from afar. Never does I/O itself."""

from __future__ import annotations

from tui.gguf.header import Header, header_of
from tui.gguf.layout import Layout, layout_of
from tui.gguf.parser import Parser
from tui.gguf.window import PrefixWindow, Starved


class GrowingHeader:
    """Fed the first bytes of a GGUF file piece by piece, it knows more and more of it.

    `header` is there once the keys of the architecture are complete, in published files within the first 64 KiB;
    `layout` once the whole header is there. `needs` says how many bytes of the file that takes at least.
    """

    def __init__(self, name: str, file_bytes: int) -> None:
        """`name` is what errors call the file, `file_bytes` how long it is in all."""
        self._window = PrefixWindow(file_bytes, name)
        self._parser = Parser(self._window, keep=True, big_endian=True)
        self._needs = min(24, file_bytes)
        self.layout: Layout | None = None
        """Every tensor and key; of a sharded model those of this file alone (see `layout.join_shards`)."""

    @property
    def fed(self) -> int:
        """Bytes that are there."""
        return self._window.fed

    @property
    def needs(self) -> int:
        """Bytes from the file's start without which nothing more can be told; `fed` at most once `layout` is there.

        Before `header` is there it is what that needs; after that, what the counts in the file make sure of.
        """
        return self._needs

    @property
    def header(self) -> Header | None:
        """What is known of the model. Until `layout` is there it lacks what the tensors tell, and perhaps `n_vocab`."""
        if self.layout is not None:
            return self.layout.header
        return header_of(self._parser) if self._parser.knows_architecture else None

    def feed(self, data: bytes) -> None:
        """Take the bytes that follow. Raises GgufError for what is no GGUF file or a damaged one; it is of no use after
        that.
        """
        self._window.feed(data)
        if self.layout is not None or self.fed < self._needs:
            return
        try:
            self._parser.run()
        except Starved as starved:
            self._needs = self._at_least(starved.needs)
        else:
            self._parser.require_weights()
            self.layout = layout_of(self._parser)

    def _at_least(self, needs: int) -> int:
        floor = self._parser.floor
        self._window.expect(floor)
        return max(needs, floor) if self._parser.knows_architecture else needs
