"""A model's whole header: what it is and where each of its tensors lies, shards joined into one. Never its weights."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tui.config.sizes import padded
from tui.gguf.errors import GgufError
from tui.gguf.header import Header, header_of, opened
from tui.gguf.names import shard_name, shard_of
from tui.gguf.parser import Pair, Parser
from tui.gguf.tensors import MAX_TENSORS, Tensor

__all__ = ["Layout", "Tensor", "join_shards", "layout_of", "read_layout", "shard_paths"]

_MAX_SHARDS = 1 << 10


@dataclass(frozen=True, slots=True)
class Layout:
    """One model as llama.cpp would load it."""

    path: str
    """The file, or of shards the first one, as errors name it."""
    header: Header
    """What the (first) file says; `file_bytes`, `parameters` and `n_tensors` are sums over all shards."""
    tensors: tuple[Tensor, ...]
    """In the order of the files. Offsets of joined shards are those of one file that holds all of them."""
    pairs: tuple[Pair, ...]
    """Every key of the (first) file with its value as it stands there; of the tokenizer only single numbers."""

    @property
    def alignment(self) -> int:
        """Bytes that the place of every tensor is a multiple of; a power of two."""
        value = self.header.metadata.get("general.alignment", 32)
        assert isinstance(value, int), "the parser has checked it"
        return value

    @property
    def data_bytes(self) -> int:
        """Where the last tensor ends, in bytes from where the weights begin."""
        return max((tensor.offset + tensor.n_bytes for tensor in self.tensors), default=0)


def read_layout(path: Path, *, whole: bool = True, texts: Collection[str] = ()) -> Layout:
    """Read the header of a local model with all its tensor infos.

    Of a sharded model any shard may be named; all of them are joined. With `whole`, every file must also hold the
    weights that its header lists. Of the keys in `texts` long texts are kept too.

    Raises GgufError for everything that is not such a file, a missing shard by name.
    """
    layout = _read(path, whole, texts)
    if layout.header.shards == 1:
        return layout
    paths = shard_paths(path, layout.header.shards)
    return join_shards([layout if each == path else _read(each, whole, texts) for each in paths])


def layout_of(parser: Parser) -> Layout:
    """What a parser that keeps everything has found once it is through."""
    return Layout(parser.window.path, header_of(parser), tuple(parser.tensors), tuple(parser.pairs))


def shard_paths(path: Path, count: int) -> list[Path]:
    """Every file of a model of `count` shards, first to last; `path` is one of them. Raises GgufError for a name that
    does not tell the others.
    """
    found = shard_of(path.name)
    if found is None or found[2] != count or count > _MAX_SHARDS:
        raise GgufError(path, f"is one of {count} shards, but not named like one; name it …-00001-of-{count:05d}.gguf")
    return [path.with_name(shard_name(found[0], number, count)) for number in range(1, count + 1)]


def join_shards(shards: Sequence[Layout]) -> Layout:
    """One layout of all shards of a model, first to last. Raises GgufError for a shard that is not the one expected."""
    first = shards[0]
    for number, shard in enumerate(shards):
        said = shard.header.metadata.get("split.no")
        if shard.header.shards != len(shards) or said != number:
            raise GgufError(shard.path, f"is not shard {number + 1} of {len(shards)} by its header; get it again")
    tensors = tuple(tensor for shard in shards for tensor in shard.tensors)
    expected = first.header.metadata.get("split.tensors.count", len(tensors))
    names = {tensor.name for tensor in tensors}
    if expected != len(tensors) or len(names) < len(tensors) or len(tensors) > MAX_TENSORS:
        raise GgufError(first.path, f"holds {len(names)} tensors in all its shards, not {expected}; get them again")
    header = replace(
        first.header,
        parameters=sum(shard.header.parameters or 0 for shard in shards) or None,
        n_tensors=len(tensors),
        file_bytes=sum(shard.header.file_bytes for shard in shards),
    )
    return Layout(first.path, header, _one_behind_another(tensors, first.alignment), first.pairs)


def _one_behind_another(tensors: Sequence[Tensor], alignment: int) -> tuple[Tensor, ...]:
    placed: list[Tensor] = []
    offset = 0
    for tensor in tensors:
        placed.append(tensor._replace(offset=offset))
        offset += padded(tensor.n_bytes, alignment)
    return tuple(placed)


def _read(path: Path, whole: bool, texts: Collection[str]) -> Layout:
    with opened(path) as window:
        parser = Parser(window, keep=True, texts=texts)
        parser.run()
    if whole:
        parser.require_weights()
    return layout_of(parser)
