"""Reads the header of a GGUF file: what the model is, how it was quantized, whether the file is whole. Never its
weights.

Files come from anywhere, so every count and length is checked before it is believed, and whatever is wrong becomes a
GgufError. The long lists of a tokenizer are passed over without being built.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tui.config.plain import one_line
from tui.gguf.errors import GgufError
from tui.gguf.types import FILE_TYPES, GUESSED, TENSOR_TYPES
from tui.gguf.window import Window

__all__ = ["GgufError", "Header", "Scalar", "Value", "read_header"]

Scalar = str | int | float | bool
Value = Scalar | tuple[int | float | bool, ...]

MAX_KEYS = 1 << 16
MAX_TENSORS = 1 << 18
"""Published models have up to some 60 000 tensors."""
MAX_NAME = 1 << 16
"""Bytes of a key or a tensor's name; the format's own limit for keys."""
MAX_STRING = 1 << 24
"""Bytes of one value; the longest chat templates have some hundred thousand."""
MAX_ARRAY = 1 << 28
MAX_DIMS = 4
MAX_VALUES = 1 << 50
"""Values of one tensor; a thousand times the largest published model."""

_KEPT_STRING = 4096
"""Longer texts (licences, chat templates) are not kept: only that they are there."""
_KEPT_ARRAY = 4096
"""Longer arrays are passed over. One number per layer or per expert fits."""

_STRING, _ARRAY, _BOOL = 8, 9, 7
_NUMBERS: dict[int, struct.Struct] = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: struct.Struct("<I"),
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    7: struct.Struct("<?"),
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
"""Types of values with a fixed size (`gguf_metadata_value_type`)."""


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
    """Quantization label such as Q4_K_M."""
    parameters: int | None
    """Values in all tensors of this file, so of a sharded model only a part; None without tensors."""
    n_tensors: int
    chat_template: bool
    shards: int
    """Files that the model was split into; 1 for a whole one."""
    file_bytes: int
    data_offset: int
    """Where the header ends and the weights begin, in bytes."""
    metadata: Mapping[str, Value]
    """Every short value by its key. Long texts and arrays are left out."""


def read_header(path: Path, *, whole: bool = True) -> Header:
    """Read the header of a local file.

    With `whole`, the file must also hold all the weights that its header lists. Raises GgufError for everything that is
    not such a file: missing, unreadable, a folder, another format, an unknown version, cut short, damaged.
    """
    descriptor = _open(path)
    try:
        size = os.fstat(descriptor).st_size
        return _Parser(Window(descriptor, size, str(path))).header(whole)
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


class _Parser:
    """One pass over one file."""

    def __init__(self, window: Window) -> None:
        self._in, self._path = window, window.path
        self._metadata: dict[str, Value] = {}
        self._seen: set[str] = set()

    def header(self, whole: bool) -> Header:
        version = self._version()
        n_tensors = self._count("tensors", MAX_TENSORS)
        n_keys = self._count("keys", MAX_KEYS)
        for _ in range(n_keys):
            self._pair()
        alignment = self._alignment()
        parameters, data_bytes = self._tensors(n_tensors)
        offset = -(-self._in.offset // alignment) * alignment
        if whole and n_tensors and offset + data_bytes > self._in.size:
            raise self._wrong(
                f"is cut short: it has {self._in.size} bytes and needs {offset + data_bytes}; get it again"
            )
        return self._made(version, n_tensors, parameters, offset)

    def _made(self, version: int, n_tensors: int, parameters: int, offset: int) -> Header:
        architecture = self._text("general.architecture")
        file_type = self._whole("general.file_type")
        return Header(
            version=version,
            architecture=architecture,
            name=self._text("general.name"),
            kind=self._text("general.type"),
            n_layer=self._whole(f"{architecture}.block_count"),
            n_ctx_train=self._whole(f"{architecture}.context_length"),
            file_type=FILE_TYPES.get(file_type & ~GUESSED) if file_type is not None else None,
            parameters=parameters or None,
            n_tensors=n_tensors,
            chat_template="tokenizer.chat_template" in self._seen,
            shards=self._whole("split.count") or 1,
            file_bytes=self._in.size,
            data_offset=offset,
            metadata=MappingProxyType(self._metadata),
        )

    def _version(self) -> int:
        if self._in.size == 0:
            raise self._wrong("is empty")
        if self._in.size < 4 or self._in.take(4, "the first bytes") != b"GGUF":
            raise self._wrong("is not a GGUF file")
        version = self._in.u32("the version")
        if version in (2, 3):
            return version
        if version & 0xFFFF == 0 and version:
            raise self._wrong("is a big-endian GGUF file, which cannot be run here; get the little-endian one")
        if version == 1:
            raise self._wrong("is of GGUF version 1, which llama.cpp no longer reads; get a newer file")
        raise self._wrong(f"is of GGUF version {version}; this puna reads versions 2 and 3")

    def _count(self, what: str, most: int) -> int:
        count = self._in.u64(f"the number of {what}")
        if count > most:
            raise self._wrong(f"claims to hold {count} {what}; the file is damaged")
        return count

    def _pair(self) -> None:
        key = self._string("a key", MAX_NAME)
        if key in self._seen:
            raise self._wrong(f"has the key {_shown(key)} twice; the file is damaged")
        self._seen.add(key)
        kind = self._in.u32(f"the type of {_shown(key)}")
        if kind == _STRING:
            text = self._string(_shown(key), MAX_STRING)
            if len(text) <= _KEPT_STRING:
                self._metadata[key] = text
        elif kind == _ARRAY:
            self._array(key)
        else:
            self._metadata[key] = self._number(key, kind)

    def _number(self, key: str, kind: int) -> int | float | bool:
        form = self._form(key, kind)
        value: int | float | bool = form.unpack(self._in.take(form.size, _shown(key)))[0]
        return value

    def _array(self, key: str) -> None:
        what = _shown(key)
        kind, count = self._in.u32(what), self._in.u64(what)
        if count > MAX_ARRAY:
            raise self._wrong(f"claims {count} elements for {what}; the file is damaged")
        if kind == _STRING:
            self._in.skip_strings(count, MAX_STRING, what)
            return
        if kind == _ARRAY:
            raise self._wrong(f"has arrays inside the array {what}, which llama.cpp does not read")
        form = self._form(key, kind)
        if count > _KEPT_ARRAY or key.startswith("tokenizer."):
            self._in.skip(count * form.size, what)
        else:
            self._metadata[key] = tuple(item[0] for item in form.iter_unpack(self._in.take(count * form.size, what)))

    def _form(self, key: str, kind: int) -> struct.Struct:
        form = _NUMBERS.get(kind)
        if form is None:
            raise self._wrong(f"has a value of unknown type {kind} for {_shown(key)}; the file is damaged or too new")
        return form

    def _string(self, what: str, longest: int) -> str:
        length = self._in.u64(what)
        if length > longest:
            raise self._wrong(f"claims {length} bytes for {what}; the file is damaged")
        return self._in.take(length, what).decode("utf-8", "replace")

    def _alignment(self) -> int:
        value = self._metadata.get("general.alignment", 32)
        if type(value) is not int or value <= 0 or value & (value - 1) or value > 1 << 20:
            raise self._wrong(f"has a general.alignment of {value}, which is not a power of two; the file is damaged")
        return value

    def _tensors(self, count: int) -> tuple[int, int]:
        """Values in all tensors, and the bytes of weights that the file must hold."""
        values = data_bytes = 0
        for _ in range(count):
            name = self._string("the name of a tensor", MAX_NAME)
            here = self._values(name)
            kind, offset = self._in.u32("a tensor's type"), self._in.u64("a tensor's place")
            values += here
            data_bytes = max(data_bytes, offset + self._bytes(name, kind, here))
        return values, data_bytes

    def _values(self, name: str) -> int:
        n_dims = self._in.u32("a tensor's shape")
        if n_dims > MAX_DIMS:
            raise self._wrong(f"claims {n_dims} dimensions for tensor {_shown(name)}; the file is damaged")
        values = 1
        for _ in range(n_dims):
            values *= self._in.u64("a tensor's shape")
        if values > MAX_VALUES:
            raise self._wrong(f"claims {values} values for tensor {_shown(name)}; the file is damaged")
        return values

    def _bytes(self, name: str, kind: int, values: int) -> int:
        known = TENSOR_TYPES.get(kind)
        if known is None:
            raise self._wrong(f"stores tensor {_shown(name)} as type {kind}, which this puna does not know")
        return -(-values // known.block) * known.block_bytes

    def _text(self, key: str) -> str | None:
        value = self._metadata.get(key)
        return value if isinstance(value, str) and value else None

    def _whole(self, key: str) -> int | None:
        value = self._metadata.get(key)
        return value if type(value) is int and value >= 0 else None

    def _wrong(self, reason: str) -> GgufError:
        return GgufError(self._path, reason)


def _shown(name: str) -> str:
    """A name out of a file, short and without control characters."""
    text = one_line(name[:60])
    return text if len(name) <= 60 else f"{text}…"
