"""What the header of a GGUF file says in short: what the model is, how it was quantized, whether the file is whole."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tui.gguf.errors import GgufError
from tui.gguf.parser import Parser, Scalar, Value
from tui.gguf.types import FILE_TYPES, GUESSED
from tui.gguf.window import FileWindow

__all__ = ["GgufError", "Header", "Scalar", "Value", "header_of", "read_header"]


@dataclass(frozen=True, slots=True)
class Header:
    """What one file says about itself. Of a sharded model only the first file says anything about the model."""

    version: int
    architecture: str | None
    name: str | None
    kind: str | None
    """`general.type`: model, mmproj, adapter, imatrix; None in older files."""
    n_layer: int | None
    n_ctx_train: int | None
    file_type: str | None
    """Quantization label such as Q4_K_M. Where the file does not say, it follows from the tensors."""
    parameters: int | None
    """Values in all tensors of this file, so of a sharded model only a part; None without tensors."""
    n_tensors: int
    chat_template: bool
    shards: int
    """Files that the model was split into; 1 for a whole one."""
    file_bytes: int
    data_offset: int
    """Where the header ends and the weights begin, in bytes; 0 when only the start of the header is known."""
    metadata: Mapping[str, Value]
    """Every short value by its key. Long texts and arrays are left out."""
    n_vocab: int | None = None
    """Tokens of the vocabulary."""
    big_endian: bool = False
    """llama.cpp runs such a file on big-endian machines only."""

    @property
    def is_projector(self) -> bool:
        """True for the image or sound encoder that belongs to a model."""
        return self.kind == "mmproj" or self.architecture == "clip"


def read_header(path: Path, *, whole: bool = True) -> Header:
    """Read the header of a local file.

    With `whole`, the file must also hold all the weights that its header lists. Raises GgufError for everything that is
    not such a file: missing, unreadable, a folder, another format, an unknown version, cut short, damaged.
    """
    with opened(path) as window:
        parser = Parser(window)
        parser.run()
    if whole:
        parser.require_weights()
    return header_of(parser)


def header_of(parser: Parser) -> Header:
    """What the parser has found so far."""
    found = parser.metadata
    architecture, file_type = _text(found, "general.architecture"), _whole(found, "general.file_type")
    said = FILE_TYPES.get(file_type & ~GUESSED) if file_type is not None else None
    n_vocab = _whole(found, f"{architecture}.vocab_size") if parser.n_tokens is None else parser.n_tokens
    return Header(
        version=parser.version,
        architecture=architecture,
        name=_text(found, "general.name"),
        kind=_text(found, "general.type"),
        n_layer=_whole(found, f"{architecture}.block_count"),
        n_ctx_train=_whole(found, f"{architecture}.context_length"),
        file_type=said or parser.tally.label,
        parameters=parser.tally.values or None,
        n_tensors=parser.n_tensors,
        chat_template="tokenizer.chat_template" in parser.seen,
        shards=_whole(found, "split.count") or 1,
        file_bytes=parser.window.size,
        data_offset=parser.data_offset,
        metadata=MappingProxyType(dict(found)),
        n_vocab=n_vocab,
        big_endian=parser.big_endian,
    )


@contextmanager
def opened(path: Path) -> Iterator[FileWindow]:
    """A window over a local file from its start. Raises GgufError for what cannot be read, or is no file."""
    descriptor = _open(path)
    try:
        yield FileWindow(descriptor, os.fstat(descriptor).st_size, str(path))
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        # O_NONBLOCK: a named pipe would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise GgufError(path, "there is no such file") from error
    except PermissionError as error:
        raise GgufError(path, "you may not read it; change its permissions, or ask its owner to") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise GgufError(path, f"cannot be opened ({reason})") from error
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        what = "a folder, not a model file" if stat.S_ISDIR(mode) else "not a regular file"
        raise GgufError(path, f"is {what}; name a .gguf file")
    return descriptor


def _text(metadata: Mapping[str, Value], key: str) -> str | None:
    value = metadata.get(key)
    return value if isinstance(value, str) and value else None


def _whole(metadata: Mapping[str, Value], key: str) -> int | None:
    value = metadata.get(key)
    return value if type(value) is int and value >= 0 else None
