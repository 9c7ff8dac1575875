"""What a sequence holds, kept on disk, so that a conversation goes on without being read again. Engine process only.

A state is of use only for what made it: the model file and every setting that changes what the cache holds are part of
the file's name. While a state is being read its file has another name: one that ends the process is not read twice.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from tui.engine.pictures import MOST_EXTRA
from tui.engine.protocol import STATE_ENDING
from tui.engine.sequence import Sequence
from tui.llama.errors import LlamaError
from tui.llama.model import LoadedModel
from tui.llama.settings import LoadSettings
from tui.llama.state import read_state, state_bytes, write_state

_ENDS_READ = 1 << 16
_KEY_CHARS = 16
_LEAVE_FREE = 1 << 30
"""Bytes of the disk that a state never takes."""


def fingerprint(path: Path, settings: LoadSettings) -> str:
    """What a state depends on, as a short text: the file by its size and both ends, the projector's likewise, and the
    settings of its cache.

    Source of the list: what llama.cpp does not check by itself when a state is read. The number of sequences is not in
    it: in a unified cache a sequence is read alike whatever stands beside it (`tests.rigs.moved_logits` measures that).
    """
    digest = hashlib.sha256()
    projector = [Path(settings.projector).expanduser()] if settings.projector is not None else []
    sizes = [_add_ends(digest, file) for file in (path, *projector)]
    adapters = [(lora.path, lora.scale) for lora in settings.lora]
    cache = (settings.type_k, settings.type_v, settings.flash_attn, settings.swa_full)
    rope = (
        settings.rope_scaling, settings.rope_freq_base, settings.rope_freq_scale, settings.yarn_ext_factor,
        settings.yarn_orig_ctx,
    )  # fmt: skip
    digest.update(repr((*sizes, cache, rope, adapters)).encode())
    return digest.hexdigest()[:_KEY_CHARS]


def _add_ends(digest: hashlib._Hash, path: Path) -> int:
    """Add both ends of a file; its bytes."""
    size = path.stat().st_size
    with path.open("rb") as file:
        digest.update(file.read(_ENDS_READ))
        file.seek(max(0, size - _ENDS_READ))
        digest.update(file.read(_ENDS_READ))
    return size


def save(model: LoadedModel, sequence: Sequence, folder: Path, name: str) -> int:
    """Write what `sequence` holds as `name`; bytes written, 0 when it holds nothing. Raises LlamaError (kind state)."""
    tokens = sequence.held.tokens
    if not tokens:
        return 0
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        wanted = state_bytes(model.context, sequence.number)
        if shutil.disk_usage(folder).free - wanted < _LEAVE_FREE:
            raise LlamaError("state", f"the disk of {folder} has no room for {wanted >> 20} MiB", "make room there")
        final = _file(model, folder, name)
        part = final.with_suffix(".part")
        written = write_state(model.context, sequence.number, sequence.pictures.portable(tokens), part)
        if not written:
            part.unlink(missing_ok=True)
            raise LlamaError("state", "llama.cpp could not write the state of this conversation", "it is read again")
        part.replace(final)
    except OSError as error:
        raise _failed("kept", folder, error) from error
    return written


def restore(model: LoadedModel, sequence: Sequence, folder: Path, name: str) -> int:
    """Read what was written as `name` into `sequence`; how many tokens it holds then, 0 when there is nothing of use.

    Raises LlamaError (kind state) for a file that is there and cannot be used; the sequence is empty then.
    """
    try:
        final = _file(model, folder, name)
        reading = final.with_suffix(".reading")
        try:
            final.rename(reading)
        except FileNotFoundError:
            return 0
        sequence.clear()
        numbers = read_state(model.context, sequence.number, reading, model.n_ctx + MOST_EXTRA)
        tokens = sequence.pictures.known_again(numbers)
        sequence.note(tokens)
        if not tokens or sequence.held.places[-1] != model.positions(sequence.number)[1]:
            sequence.clear()
            reading.unlink(missing_ok=True)
            raise LlamaError("state", f"what was kept in {final.name} cannot be used", "the conversation is read again")
        os.utime(reading)  # the least recently used go first
        reading.rename(final)
    except OSError as error:
        raise _failed("read", folder, error) from error
    return len(tokens)


def _file(model: LoadedModel, folder: Path, name: str) -> Path:
    return folder / f"{name}-{fingerprint(model.path, model.settings)}{STATE_ENDING}"


def _failed(what: str, folder: Path, error: OSError) -> LlamaError:
    reason = (error.strerror or str(error)).lower()
    return LlamaError("state", f"a state in {folder} could not be {what}: {reason}", "the conversation is read again")
