"""Vocabularies of a few hundred tokens for the models that tests build: every UTF-8 text can be tokenized with them.

Each keeps a token for every byte, so that a character of several bytes is split over several tokens, as large
vocabularies do with rare characters. Nothing here knows about tensors.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import gguf

Kind = Literal["bpe", "spm"]

BOS, END_OF_TURN = "<|endoftext|>", "<|im_end|>"
CONTROL = (BOS, "<|im_start|>", END_OF_TURN)

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""A chat template that only uses tokens which every vocabulary here has."""

_MERGES = (
    "Ġ t",
    "h e",
    "Ġt he",
    "i n",
    "e r",
    "a n",
    "Ġ a",
    "o n",
    "r e",
    "Ġ w",
    "o u",
    "i s",
    "Ġ s",
    "a t",
    "e n",
    "o r",
)
_PIECES = ("▁the", "▁t", "▁a", "▁w", "▁s", "he", "in", "er", "an", "on", "re", "ou", "is", "at", "en", "or")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Tokens with their types, and what else a tokenizer of this kind has to know."""

    kind: Kind
    tokens: tuple[str, ...]
    types: tuple[int, ...]
    merges: tuple[str, ...] = ()

    def id_of(self, token: str) -> int:
        """The id of a token's own spelling."""
        return self.tokens.index(token)

    def id_of_byte(self, byte: int) -> int:
        """The id of the token that is this one byte and nothing else."""
        return self.id_of(byte_spelling(byte) if self.kind == "bpe" else f"<0x{byte:02X}>")

    @property
    def control_ids(self) -> tuple[int, ...]:
        """The tokens that are no text; a model that must not end by itself never predicts them."""
        return tuple(i for i, kind in enumerate(self.types) if kind == gguf.TokenType.CONTROL)

    def write(self, writer: Any, chat_template: str | None) -> None:
        """Put the vocabulary into a gguf.GGUFWriter."""
        writer.add_tokenizer_model("gpt2" if self.kind == "bpe" else "llama")
        writer.add_tokenizer_pre("gpt-2" if self.kind == "bpe" else "default")
        writer.add_token_list(list(self.tokens))
        writer.add_token_types(list(self.types))
        if self.kind == "bpe":
            writer.add_token_merges(list(self.merges))
        else:
            # Longer pieces win, as in a trained unigram vocabulary.
            writer.add_token_scores([float(len(token)) if kind == 1 else 0.0 for token, kind in self._typed()])
            writer.add_unk_token_id(self.id_of("<unk>"))
            writer.add_add_space_prefix(False)
        writer.add_bos_token_id(self.id_of(BOS))
        writer.add_eos_token_id(self.id_of(END_OF_TURN))
        writer.add_add_bos_token(self.kind == "spm")
        if chat_template is not None:
            writer.add_chat_template(chat_template)

    def _typed(self) -> list[tuple[str, int]]:
        return list(zip(self.tokens, self.types, strict=True))


def byte_spelling(byte: int) -> str:
    """How byte-level BPE writes one byte: printable Latin-1 as it is, the rest from U+0100 upwards (GPT-2's table)."""
    plain = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 172 or 174 <= b <= 255]
    if byte in plain:
        return chr(byte)
    return chr(256 + [b for b in range(256) if b not in plain].index(byte))


@cache
def vocabulary(kind: Kind = "bpe") -> Vocabulary:
    """A vocabulary of the kind wanted, always the same one."""
    return _bpe() if kind == "bpe" else _spm()


def _bpe() -> Vocabulary:
    letters = [byte_spelling(byte) for byte in range(256)]
    merged = [merge.replace(" ", "") for merge in _MERGES]
    types = [gguf.TokenType.NORMAL] * (len(letters) + len(merged)) + [gguf.TokenType.CONTROL] * len(CONTROL)
    return Vocabulary("bpe", (*letters, *merged, *CONTROL), tuple(int(t) for t in types), _MERGES)


def _spm() -> Vocabulary:
    letters = (*(chr(code) for code in range(33, 127)), "▁")
    raw = tuple(f"<0x{byte:02X}>" for byte in range(256))
    types = [gguf.TokenType.UNKNOWN] + [gguf.TokenType.CONTROL] * len(CONTROL) + [gguf.TokenType.BYTE] * len(raw)
    types += [gguf.TokenType.NORMAL] * (len(letters) + len(_PIECES))
    return Vocabulary("spm", ("<unk>", *CONTROL, *raw, *letters, *_PIECES), tuple(int(t) for t in types))
