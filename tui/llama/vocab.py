"""A model's vocabulary: text to tokens and back. Child processes only."""

from __future__ import annotations

import ctypes
from typing import Any

from tui.llama.binding import L
from tui.llama.errors import LlamaError

_CONTROL = 1 << 3
"""LLAMA_TOKEN_ATTR_CONTROL (llama.h)"""
_PIECE_BYTES = 256


class Vocab:
    """Tokens of one model. Valid as long as the model is loaded."""

    def __init__(self, model: Any) -> None:
        """`model` is a llama_model *."""
        self.handle: Any = L.llama_model_get_vocab(model)
        self.size: int = L.llama_vocab_n_tokens(self.handle)
        self.adds_bos: bool = L.llama_vocab_get_add_bos(self.handle)
        self._buffer = ctypes.create_string_buffer(_PIECE_BYTES)
        self.bos = self._named(L.llama_vocab_bos(self.handle))
        self.eos = self._named(L.llama_vocab_eos(self.handle))

    def _named(self, token: int) -> bytes:
        return self.piece(token) if token >= 0 else b""

    def tokenize(self, text: bytes, *, start: bool) -> list[int]:
        """Tokens of `text`, special tokens recognised. `start`: where BOS belongs, a prompt begins here."""
        room = len(text) + 16
        while True:
            tokens = (ctypes.c_int32 * room)()
            count: int = L.llama_tokenize(self.handle, text, len(text), tokens, room, start, True)
            if count >= 0:
                return tokens[:count]
            if -count <= room:
                raise LlamaError("input", "this text is too long to be split into tokens")
            room = -count

    def piece(self, token: int) -> bytes:
        """The bytes of one token, those of special tokens included; may end inside a character."""
        count: int = L.llama_token_to_piece(self.handle, token, self._buffer, len(self._buffer), 0, True)
        if count < 0:
            self._buffer = ctypes.create_string_buffer(-count)
            count = L.llama_token_to_piece(self.handle, token, self._buffer, len(self._buffer), 0, True)
        return self._buffer.raw[:count]

    def is_end(self, token: int) -> bool:
        """True for a token that ends generation."""
        end: bool = L.llama_vocab_is_eog(self.handle, token)
        return end

    def is_control(self, token: int) -> bool:
        """True for a token that is markup of the format, never text of the answer."""
        return bool(L.llama_vocab_get_attr(self.handle, token) & _CONTROL)
