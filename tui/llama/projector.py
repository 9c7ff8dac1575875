"""A projector beside a model: images to embeddings, and those into the model's context, through llama.cpp's mtmd.

Child processes only: libmtmd ends the process it runs in over some damaged files. One thread at a time, that of the
model. Everything about positions and masks is mtmd's own: `mtmd_helper_decode_image_chunk`.
"""

from __future__ import annotations

import ctypes
import importlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui.llama.binding import L
from tui.llama.breakdown import projector_bytes
from tui.llama.cancel import CancelFlag
from tui.llama.errors import LlamaError
from tui.llama.log import NativeLog
from tui.llama.picture import Pixels

_IMAGE = 1
"""MTMD_INPUT_CHUNK_TYPE_IMAGE (mtmd.h)"""
_ABORTED = 2
"""llama_decode's code for that."""
_EVERY = 16
"""Operations of the vision tower between two looks at whether it is to stop."""
_OTHER = "choose the projector that was published with this model, or set mmproj to none"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Part of what an image is to the model: tokens of text, or cells that are computed at once."""

    is_image: bool
    tokens: tuple[int, ...]
    """Of text; empty for an image."""
    n_tokens: int
    n_pos: int


class Projector:
    """One projector file beside one loaded model. `close` it before the model."""

    def __init__(self, path: Path, *, model: Any, context: Any, n_ubatch: int, cancel: CancelFlag) -> None:
        """Load with `load`; `model` and `context` are llama_model * and llama_context *."""
        self.path = path
        self._model, self._context, self._n_ubatch, self._cancel = model, context, n_ubatch, cancel
        self._handle: Any = None
        self._chunks: Any = None
        self.shown = ""
        """Name of the image whose parts can be computed now."""
        self._nodes = 0
        self._watch = L.ggml_backend_sched_eval_callback(self._look_up)

    def load(
        self, *, threads: int, use_gpu: bool, device: int | None, log: NativeLog, on_progress: Callable[[float], None]
    ) -> None:
        """Read the file; `device` is a ggml_backend_dev_t, None leaves the choice to llama.cpp.

        Raises LlamaError (kinds load, memory, cancelled).
        """
        self.mtmd = mtmd = load_mtmd()
        log.hear(mtmd.mtmd_helper_log_set)
        n_errors = len(log.errors())
        self.params = params = mtmd.mtmd_context_params_default()
        params.use_gpu, params.device = use_gpu, device
        params.print_timings, params.n_threads, params.cb_eval = False, threads, self._watch

        def progress(fraction: float, _data: Any) -> bool:
            on_progress(fraction)
            return not self._cancel.is_set()

        on_progress(0.0)
        callback = mtmd.mtmd_progress_callback(progress)
        params.progress_callback = callback
        self._handle = mtmd.mtmd_init_from_file(os.fsencode(self.path), self._model, params)
        params.progress_callback = mtmd.mtmd_progress_callback()
        if not self._handle:
            self._handle = None
            raise self._refusal(log, n_errors)
        self.in_grids: bool = mtmd.mtmd_decode_use_mrope(self._handle)
        """Whether all cells of an image stand at one position (M-RoPE)."""
        if not mtmd.mtmd_support_vision(self._handle):
            raise LlamaError("load", f"{self.path.name} has no vision tower: it hears, and cannot see", _OTHER)

    def memory(self) -> dict[str | None, tuple[int, int]]:
        """Bytes of weights, and of what it computes with, by llama.cpp's name of the device; None is the host."""
        found = projector_bytes(self.mtmd._libmtmd, os.fsencode(self.path), self.params) or {}
        weights = self.path.stat().st_size  # but for the header, which is small beside them
        on = next((name for name in found if name is not None), None)
        return {
            name: (min(weights, total), max(0, total - weights)) if name == on else (0, total)
            for name, total in found.items()
        }

    def outline(self, width: int, height: int) -> list[Chunk]:
        """What an image of that size is to the model, in order. Raises LlamaError (kinds input, settings)."""
        mtmd, outline = self.mtmd, []
        with self._tokenized(width, height, None) as chunks:
            for index in range(mtmd.mtmd_input_chunks_size(chunks)):
                chunk = mtmd.mtmd_input_chunks_get(chunks, index)
                count = ctypes.c_size_t(0)
                is_image = mtmd.mtmd_input_chunk_get_type(chunk) == _IMAGE
                text = None if is_image else mtmd.mtmd_input_chunk_get_tokens_text(chunk, ctypes.byref(count))
                outline.append(
                    Chunk(
                        is_image,
                        tuple(text[: count.value]) if text is not None else (),
                        mtmd.mtmd_input_chunk_get_n_tokens(chunk),
                        mtmd.mtmd_input_chunk_get_n_pos(chunk),
                    )
                )
        self._check_batch(max(chunk.n_tokens for chunk in outline if chunk.is_image))
        return outline

    def show(self, name: str, pixels: Pixels) -> None:
        """Have the parts of an image at hand for `compute`. Raises LlamaError (kind input)."""
        self.forget()
        with self._tokenized(pixels.width, pixels.height, pixels.rgb, keep=True) as chunks:
            self._chunks, self.shown = chunks, name

    def compute(self, index: int, n_tokens: int, sequence: int, position: int) -> int:
        """Look at a part of the image that is shown, and have `sequence` hold its `n_tokens` from `position` on.

        llama_decode's code: 0 done, 1 no room in the cache, 2 aborted, below 0 failed.
        """
        mtmd, chunk = self.mtmd, self._image_chunk(index)
        if mtmd.mtmd_input_chunk_get_n_tokens(chunk) != n_tokens:
            raise LlamaError("decode", f"an image has other tokens than {self.path.name} said", "reload the model")
        self._nodes = 0
        code: int = mtmd.mtmd_encode_chunk(self._handle, chunk)
        if self._cancel.is_set():  # the tower ends early then, and says that it was done
            return _ABORTED
        if code:
            raise LlamaError("decode", f"{self.path.name} could not look at the image (code {code})", _OTHER)
        past, embeddings = ctypes.c_int32(position), mtmd.mtmd_get_output_embd(self._handle)
        decoded: int = mtmd.mtmd_helper_decode_image_chunk(
            self._handle, self._context, chunk, embeddings, position, sequence, self._n_ubatch,
            ctypes.byref(past), mtmd.mtmd_helper_post_decode_callback(), None,
        )  # fmt: skip
        return decoded

    def forget(self) -> None:
        """Let go of the image that is shown."""
        if self._chunks is not None:
            self.mtmd.mtmd_input_chunks_free(self._chunks)
        self._chunks, self.shown = None, ""

    def close(self) -> None:
        """Free everything."""
        if self._handle is not None:
            self.forget()
            self.mtmd.mtmd_free(self._handle)
            self._handle = None

    @contextmanager
    def _tokenized(self, width: int, height: int, rgb: bytes | None, *, keep: bool = False) -> Iterator[Any]:
        """Chunks of an image; without pixels they can be counted only. Freed at the end unless they are kept."""
        mtmd = self.mtmd
        marker = mtmd.mtmd_get_marker(self._handle)
        text = mtmd.mtmd_input_text(marker, len(marker), False, True)
        data = None if rgb is None else (ctypes.c_uint8 * len(rgb)).from_buffer_copy(rgb)
        bitmap, chunks = mtmd.mtmd_bitmap_init(width, height, data), mtmd.mtmd_input_chunks_init()
        kept = False
        try:
            images = (ctypes.c_void_p * 1)(bitmap)
            if mtmd.mtmd_tokenize(self._handle, chunks, ctypes.byref(text), images, 1):
                raise LlamaError("input", f"{self.path.name} cannot take an image of {width} × {height} pixels")
            yield chunks
            kept = keep
        finally:
            mtmd.mtmd_bitmap_free(bitmap)
            if not kept:
                mtmd.mtmd_input_chunks_free(chunks)

    def _image_chunk(self, index: int) -> Any:
        mtmd = self.mtmd
        all_of_it = [
            mtmd.mtmd_input_chunks_get(self._chunks, at) for at in range(mtmd.mtmd_input_chunks_size(self._chunks))
        ]
        return [chunk for chunk in all_of_it if mtmd.mtmd_input_chunk_get_type(chunk) == _IMAGE][index]

    def _check_batch(self, n_tokens: int) -> None:
        """Cells that see each other both ways have to be computed at once; llama.cpp aborts where they cannot be."""
        if n_tokens > self._n_ubatch and self.mtmd.mtmd_decode_use_non_causal(self._handle, None):
            raise LlamaError(
                "settings",
                f"n_ubatch: an image is {n_tokens} tokens to this model, more than {self._n_ubatch} at once",
                f"reload it with n_ubatch of at least {n_tokens}",
            )

    def _look_up(self, _tensor: Any, ask: bool, _data: Any) -> bool:
        """Called for every operation of the tower: first whether its result is waited for, then whether to go on."""
        if not ask:
            return not self._cancel.is_set()
        self._nodes += 1
        return self._nodes % _EVERY == 0

    def _refusal(self, log: NativeLog, before: int) -> LlamaError:
        name = self.path.name
        if self._cancel.is_set():
            return LlamaError("cancelled", f"loading {name} was cancelled")
        reason = _reason(log.errors()[before:]) or "it has no vision tower"
        if log.ran_out_of_memory():
            return LlamaError("memory", f"there is no room for the projector {name}: {reason}", "set mmproj to none")
        return LlamaError("load", f"llama.cpp could not load the projector {name}: {reason}", _OTHER)


def _reason(errors: Sequence[str]) -> str:
    """The first that says something, without the names of functions and of the file; empty where none does."""
    for line in errors:
        said = line.removeprefix("mtmd_init_from_file: error: ")
        if said.startswith("clip_init: failed to load model"):
            said = said.partition("': ")[2]
        if said and not said.startswith("Failed to load CLIP model"):
            return said
    return ""


def load_mtmd() -> Any:
    """The module `llama_cpp.mtmd_cpp`. Raises LlamaError (kind load) where this build of llama.cpp lacks it."""
    try:
        return importlib.import_module("llama_cpp.mtmd_cpp")
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        raise LlamaError(
            "load",
            f"the installed llama-cpp-python lacks mtmd, by which models see images: {error}",
            "install one that has libmtmd, or set mmproj to none",
        ) from error
