"""One pass over a GGUF header, version 2 or 3, of a whole file or of a prefix that still grows. Never its weights.

Files come from anywhere, so every count and length is checked before it is believed, and whatever is wrong becomes a
GgufError. The long lists of a tokenizer are passed over without being built. A step that starves changes nothing, so
that `run` goes on where it was once more bytes are there.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from typing import NamedTuple

from tui.config.sizes import padded
from tui.gguf.errors import GgufError
from tui.gguf.tensors import MAX_TENSORS, MIN_INFO, Tally, Tensor, read_tensor, shown
from tui.gguf.window import Window

Scalar = str | int | float | bool
Value = Scalar | tuple[int | float | bool, ...]

MAX_KEYS = 1 << 16
MAX_NAME = 1 << 16
"""Bytes of a key; the format's own limit."""
MAX_STRING = 1 << 24
"""Bytes of one value; the longest chat templates have some hundred thousand."""
MAX_ARRAY = 1 << 28
MAX_METADATA = 1 << 22
"""Bytes of all keys and short values together; published models have some ten thousand."""
MAX_PAIRS = 1 << 25
"""Bytes of all pairs that are kept as they are; published models have up to some hundred thousand."""

_KEPT_STRING = 4096
"""Longer texts (licences, chat templates) are not kept: only that they are there."""
_KEPT_ARRAY = 4096
"""Longer arrays are passed over. One number per layer or per expert fits."""
_MIN_PAIR = 13
"""Bytes of the shortest pair: length of the key, type, one byte."""

STRING, ARRAY, U32 = 8, 9, 4
"""Types of values (`gguf_metadata_value_type`)."""
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", U32: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""Types of values with a fixed size."""
_FORMS = {order: {kind: struct.Struct(order + form) for kind, form in _NUMBERS.items()} for order in "<>"}


class Pair(NamedTuple):
    """One key with its value, as the file has them."""

    key: str
    raw: bytes
    """Length of the key, key, type, value."""


class Parser:
    """What has been found so far. With `keep`, every tensor and every pair outside of the tokenizer is kept; with
    `big_endian`, such files of version 3 are read too. Of the keys in `texts` long texts are kept too.
    """

    def __init__(
        self, window: Window, *, keep: bool = False, big_endian: bool = False, texts: Collection[str] = ()
    ) -> None:
        self.window = window
        self.version = 0
        self.big_endian = False
        self.metadata: dict[str, Value] = {}
        self.seen: set[str] = set()
        self.n_tokens: int | None = None
        """Entries of the vocabulary."""
        self.n_tensors = 0
        self.pairs: list[Pair] = []
        self.tensors: list[Tensor] = []
        self.tally = Tally()
        self.data_offset = 0
        """Where the weights begin; 0 until the whole header is read."""
        self._keep, self._takes_big_endian, self._texts = keep, big_endian, texts
        self._forms = _FORMS["<"]
        self._keys_left = self._tensors_left = self._strings_left = 0
        self._in_tokenizer = False
        self._open: tuple[str, int] | None = None
        """Key and start of the pair whose value is read, or passed, up to the strings that are left."""
        self._metadata_bytes = self._pairs_bytes = 0

    @property
    def floor(self) -> int:
        """Where the header ends at least, in bytes, by the counts it claims."""
        left = 8 * self._strings_left + _MIN_PAIR * self._keys_left + MIN_INFO * self._tensors_left
        return self.window.offset + left

    @property
    def knows_architecture(self) -> bool:
        """True once no more `<architecture>.*` keys are to come: with the first key of a tokenizer that follows them,
        or with the last key.
        """
        if not self.version:
            return False
        follows = f"{self.metadata.get('general.architecture')}.block_count" in self.metadata
        return (follows and self._in_tokenizer) or not (self._keys_left or self._open)

    def run(self) -> None:
        """Read on to the end of the header. Raises GgufError, and Starved when a growing prefix has no more bytes."""
        if not self.version:
            self._start()
        while self._keys_left or self._open:
            if self._open is None:
                self._pair()
            elif self._strings_left:
                self._strings(*self._open)
            else:
                self._close(*self._open)
        alignment = self._alignment()
        while self._tensors_left:
            self._tensor()
        if len({tensor.name for tensor in self.tensors}) < len(self.tensors):
            raise self._wrong("names a tensor twice; the file is damaged")
        self.data_offset = padded(self.window.offset, alignment)

    def require_weights(self) -> None:
        """Raise GgufError when the file is too short for the weights that its header lists."""
        needed = self.data_offset + self.tally.data_bytes
        if self.n_tensors and needed > self.window.size:
            raise self._wrong(f"is cut short: it has {self.window.size} bytes and needs {needed}; get it again")

    def _start(self) -> None:
        version, big_endian = self._version()
        n_tensors = self._count("tensors", MAX_TENSORS)
        n_keys = self._count("keys", MAX_KEYS)
        self.version, self.big_endian = version, big_endian
        self.n_tensors = self._tensors_left = n_tensors
        self._keys_left = n_keys
        self.window.mark()

    def _version(self) -> tuple[int, bool]:
        if self.window.size == 0:
            raise self._wrong("is empty")
        if self.window.size < 4 or self.window.take(4, "the first bytes") != b"GGUF":
            raise self._wrong("is not a GGUF file")
        self.window.read_order("<")
        version = self.window.u32("the version")
        if version in (2, 3):
            return version, False
        if version == 3 << 24 and self._takes_big_endian:
            self.window.read_order(">")
            self._forms = _FORMS[">"]
            return 3, True
        if version & 0xFFFF == 0 and version:
            raise self._wrong("is a big-endian GGUF file, which cannot be run here; get the little-endian one")
        if version == 1:
            raise self._wrong("is of GGUF version 1, which llama.cpp no longer reads; get a newer file")
        raise self._wrong(f"is of GGUF version {version}; this puna reads versions 2 and 3")

    def _count(self, what: str, most: int) -> int:
        count = self.window.u64(f"the number of {what}")
        if count > most:
            raise self._wrong(f"claims to hold {count} {what}; the file is damaged")
        return count

    def _pair(self) -> None:
        start = self.window.offset
        key = self._string("a key", MAX_NAME).decode("utf-8", "replace")
        if key in self.seen:
            raise self._wrong(f"has the key {shown(key)} twice; the file is damaged")
        kind = self.window.u32(f"the type of {shown(key)}")
        if kind == STRING:
            text = self._string(shown(key), MAX_STRING)
            if len(text) <= _KEPT_STRING or key in self._texts:
                self._know(key, text.decode("utf-8", "replace"), len(text))
        elif kind == ARRAY:
            self._array(key)
        else:
            form = self._form(key, kind)
            self._know(key, form.unpack(self.window.take(form.size, shown(key)))[0], form.size)
        self._metadata_bytes = self._spend(self._metadata_bytes + len(key), MAX_METADATA)
        self.seen.add(key)
        self._in_tokenizer |= key.startswith("tokenizer.")
        self._keys_left -= 1
        self._open = key, start
        self.window.mark()

    def _array(self, key: str) -> None:
        what = shown(key)
        kind, count = self.window.u32(what), self.window.u64(what)
        if count > MAX_ARRAY:
            raise self._wrong(f"claims {count} elements for {what}; the file is damaged")
        if kind == ARRAY:
            raise self._wrong(f"has arrays inside the array {what}, which llama.cpp does not read")
        if kind == STRING:
            self._strings_left = count
            if key == "tokenizer.ggml.tokens":
                self.n_tokens = count
            return
        form = self._form(key, kind)
        n_bytes = count * form.size
        if count > _KEPT_ARRAY or key.startswith("tokenizer."):
            self.window.skip(n_bytes, what)
        else:
            items = form.iter_unpack(self.window.take(n_bytes, what))
            self._know(key, tuple([item[0] for item in items]), n_bytes)

    def _strings(self, key: str, start: int) -> None:
        self._strings_left = self.window.skip_strings(self._strings_left, MAX_STRING, shown(key))
        if self._keeps(key):
            self._spend(self._pairs_bytes + self.window.offset - start, MAX_PAIRS)

    def _close(self, key: str, start: int) -> None:
        """The pair that began at `start` is read."""
        if self._keeps(key):
            end = self.window.offset
            kept_bytes = self._spend(self._pairs_bytes + end - start, MAX_PAIRS)
            self.pairs.append(Pair(key, self.window.raw(start, end)))
            self._pairs_bytes = kept_bytes
        self._open = None

    def _keeps(self, key: str) -> bool:
        return self._keep and (not key.startswith("tokenizer.") or isinstance(self.metadata.get(key), int))

    def _know(self, key: str, value: Value, n_bytes: int) -> None:
        self._metadata_bytes = self._spend(self._metadata_bytes + n_bytes, MAX_METADATA)
        self.metadata[key] = value

    def _spend(self, n_bytes: int, most: int) -> int:
        if n_bytes > most:
            raise self._wrong(f"has more than {most >> 20} MiB of keys and values; the file is damaged")
        return n_bytes

    def _form(self, key: str, kind: int) -> struct.Struct:
        form = self._forms.get(kind)
        if form is None:
            raise self._wrong(f"has a value of unknown type {kind} for {shown(key)}; the file is damaged or too new")
        return form

    def _string(self, what: str, longest: int) -> bytes:
        length = self.window.u64(what)
        if length > longest:
            raise self._wrong(f"claims {length} bytes for {what}; the file is damaged")
        return self.window.take(length, what)

    def _alignment(self) -> int:
        value = self.metadata.get("general.alignment", 32)
        if type(value) is not int or value <= 0 or value & (value - 1) or value > 1 << 20:
            raise self._wrong(f"has a general.alignment of {value}, which is not a power of two; the file is damaged")
        return value

    def _tensor(self) -> None:
        tensor, values = read_tensor(self.window)
        self.tally.add(tensor, values)
        if self._keep:
            self.tensors.append(tensor)
        self._tensors_left -= 1
        self.window.mark()

    def _wrong(self, reason: str) -> GgufError:
        return GgufError(self.window.path, reason)
