"""A loaded model and its context: load, decode, positions, receipt. Child processes only, and one thread at a time."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tui.llama.binding import L, start_backend
from tui.llama.cancel import CancelFlag
from tui.llama.devices import gpu_devices, select_devices
from tui.llama.errors import LlamaError
from tui.llama.log import NativeLog
from tui.llama.params import context_params, model_params
from tui.llama.projector import Projector
from tui.llama.settings import NO_DEVICES, NO_DRAFT_MODEL, LoadSettings, SettingsError
from tui.llama.vocab import Vocab

_BAD_FILE = "if it is damaged, download it again; a model newer than this llama.cpp needs a newer one"
_BAD_CONTEXT = "try the defaults for the KV types, flash attention and batch sizes"


class Piece(NamedTuple):
    """Tokens of one sequence in a call of llama.cpp."""

    sequence: int
    position: int
    """Of the first token."""
    tokens: Sequence[int]
    output: bool
    """Whether the logits of the last token are wanted."""


class LoadedModel:
    """One model file with one context of `settings.panes` sequences. `close` frees both, the context first."""

    def __init__(self, path: Path, settings: LoadSettings, *, threads: int, log: NativeLog) -> None:
        """Load with `load`; this constructor only takes note."""
        self.path, self.settings, self.threads = path, settings, threads
        named = settings.projector
        self.projector_path = Path(named).expanduser() if named is not None else None
        self.cancel = CancelFlag()
        self.load_s = 0.0
        self._log = log
        self._model: Any = None
        self._adapters: list[Any] = []
        self.context: Any = None
        self.projector: Projector | None = None

    def load(
        self, on_progress: Callable[[float], None], on_projector: Callable[[float], None] = lambda _share: None
    ) -> None:
        """Read the file and make the context; `on_progress` gets the share of the file read, from the loading thread,
        and `on_projector` that of the projector's file.

        Raises LlamaError (kinds load, memory, cancelled, settings); nothing stays allocated then.
        """
        begun = time.monotonic()
        _check_file(self.path)
        if self.projector_path is not None:
            _check_file(self.projector_path)
        if self.settings.draft_model:
            raise LlamaError("settings", f"draft_model: {NO_DRAFT_MODEL}")
        start_backend()
        try:
            self._load_weights(on_progress)
            self._make_context()
            self._apply_lora()
            if self.projector_path is not None:
                self._load_projector(self.projector_path, on_projector)
        except SettingsError as error:
            self.close()
            raise LlamaError("settings", str(error)) from error
        except BaseException:
            self.close()
            raise
        self.load_s = time.monotonic() - begun

    def _load_weights(self, on_progress: Callable[[float], None]) -> None:
        made = model_params(self.settings)

        def progress(fraction: float, _data: Any) -> bool:
            on_progress(fraction)
            return not self.cancel.is_set()

        callback = L.llama_progress_callback(progress)
        made.params.progress_callback = callback
        self._model = L.llama_model_load_from_file(os.fsencode(self.path), made.params)
        if not self._model:
            self._model = None
            if self.cancel.is_set():
                raise LlamaError("cancelled", f"loading {self.path.name} was cancelled")
            raise self._refusal(f"llama.cpp could not load {self.path.name}", _BAD_FILE)
        self.vocab = Vocab(self._model)
        if not L.llama_model_has_decoder(self._model):
            raise LlamaError(
                "load", f"{self.path.name} only encodes text; it cannot answer", "choose a chat or text model instead"
            )

    def _make_context(self) -> None:
        params = context_params(self.settings, threads=self.threads)
        params.abort_callback = self.cancel.callback
        params.abort_callback_data = self.cancel.data
        self.context = L.llama_init_from_model(self._model, params)
        if not self.context:
            self.context = None
            raise self._refusal(f"llama.cpp could not make a context of {self.settings.n_ctx} tokens", _BAD_CONTEXT)
        self.memory: Any = L.llama_get_memory(self.context)
        self.n_ubatch: int = L.llama_n_ubatch(self.context)
        self.n_ctx: int = L.llama_n_ctx(self.context) // self.settings.panes
        self.n_swa: int = L.llama_model_n_swa(self._model)
        self.recurrent = bool(L.llama_model_is_recurrent(self._model) or L.llama_model_is_hybrid(self._model))
        self._batch = L.llama_batch_init(self.n_ubatch, 0, 1)

    def _apply_lora(self) -> None:
        wanted = self.settings.lora
        for lora in wanted:
            adapter = L.llama_adapter_lora_init(self._model, os.fsencode(Path(lora.path).expanduser()))
            if not adapter:
                raise LlamaError("settings", f"lora: {lora.path} could not be applied: {self._last_error()}")
            self._adapters.append(adapter)
        if wanted:
            handles = (L.llama_adapter_lora_p_ctypes * len(wanted))(*self._adapters)
            scales = (ctypes.c_float * len(wanted))(*[lora.scale for lora in wanted])
            if L.llama_set_adapters_lora(self.context, handles, len(wanted), scales):
                raise LlamaError("settings", f"lora: llama.cpp refused the adapters: {self._last_error()}")

    def _load_projector(self, path: Path, on_progress: Callable[[float], None]) -> None:
        """It lies where the first layers do: on the first device that is used, or on the host."""
        settings, named = self.settings, None
        if settings.devices and settings.devices != NO_DEVICES:
            named = select_devices(settings.devices, gpu_devices())[0].handle
        self.projector = Projector(
            path, model=self._model, context=self.context, n_ubatch=self.n_ubatch, cancel=self.cancel
        )
        self.projector.load(
            threads=self.threads,
            use_gpu=settings.devices != NO_DEVICES and settings.n_gpu_layers != 0,
            device=named,
            log=self._log,
            on_progress=on_progress,
        )

    def _last_error(self) -> str:
        errors = self._log.errors()
        return errors[-1] if errors else "no reason was logged"

    def _refusal(self, what: str, hint: str) -> LlamaError:
        errors = self._log.errors()
        reason = next((line for line in errors if not line.startswith("llama_model_load_from_file")), "")
        text = f"{what}: {reason}" if reason else f"{what}; its log has no reason"
        if self._log.ran_out_of_memory():
            return LlamaError(
                "memory", text, "lower n_ctx or n_gpu_layers, use a q8_0 KV cache, or a smaller quantization"
            )
        return LlamaError("load", text, hint)

    def decode(self, pieces: Sequence[Piece]) -> int:
        """Compute pieces of sequences in one call, at most n_ubatch tokens together.

        Returns llama_decode's code: 0 done, 1 no room in the cache, 2 aborted, below 0 failed.
        """
        batch, index = self._batch, 0
        for sequence, position, tokens, output in pieces:
            for at, token in enumerate(tokens, start=position):
                batch.token[index] = token
                batch.pos[index] = at
                batch.n_seq_id[index] = 1
                batch.seq_id[index][0] = sequence
                batch.logits[index] = 0
                index += 1
            batch.logits[index - 1] = output
        batch.n_tokens = index
        code: int = L.llama_decode(self.context, batch)
        return code

    def synchronize(self) -> None:
        """Wait until everything that was asked of the devices is computed."""
        L.llama_synchronize(self.context)

    def logits(self) -> list[float]:
        """Logits of the last output, one a vocabulary entry."""
        values: list[float] = L.llama_get_logits_ith(self.context, -1)[: self.vocab.size]
        return values

    def positions(self, sequence: int) -> tuple[int, int]:
        """First and last position that the memory holds for `sequence`; (-1, -1) when empty."""
        return (
            L.llama_memory_seq_pos_min(self.memory, sequence),
            L.llama_memory_seq_pos_max(self.memory, sequence),
        )

    def keep_until(self, position: int, *, sequence: int) -> bool:
        """Drop everything from `position` on. True proves nothing for sliding windows: see `engine.prefix`."""
        done: bool = L.llama_memory_seq_rm(self.memory, sequence, position, -1)
        return done

    def clear(self, sequence: int) -> None:
        """Empty one sequence."""
        L.llama_memory_seq_rm(self.memory, sequence, -1, -1)

    def own_template(self) -> str | None:
        """The file's chat template, Jinja source."""
        raw = L.llama_model_chat_template(self._model, None)
        return raw.decode("utf-8", "replace") if raw else None

    def facts(self) -> dict[str, Any]:
        """What llama.cpp knows of the model, as fields of Receipt."""
        buffer = ctypes.create_string_buffer(256)
        L.llama_model_desc(self._model, buffer, len(buffer))
        description = buffer.value.decode("utf-8", "replace")
        L.llama_model_meta_val_str(self._model, b"general.architecture", buffer, len(buffer))
        return {
            "n_ctx": self.n_ctx,
            "n_ctx_train": L.llama_model_n_ctx_train(self._model),
            "n_layer": L.llama_model_n_layer(self._model),
            "n_vocab": self.vocab.size,
            "n_params": L.llama_model_n_params(self._model),
            "n_swa": self.n_swa,
            "recurrent": self.recurrent,
            "threads": self.threads,
            "load_s": self.load_s,
            "description": description,
            "architecture": buffer.value.decode("utf-8", "replace"),
        }

    def close(self) -> None:
        """Free everything; llama.cpp aborts when a model goes before its context."""
        if self.projector is not None:
            self.projector.close()
            self.projector = None
        if self.context is not None:
            L.llama_batch_free(self._batch)
            L.llama_free(self.context)
            self.context = None
        self._adapters.clear()  # freed with the model
        if self._model is not None:
            L.llama_model_free(self._model)
            self._model = None


def _check_file(path: Path) -> None:
    """Raise LlamaError for what can be told from outside before native code opens the file."""
    try:
        if path.exists() and not path.is_file() and not path.is_dir():  # opening a pipe would wait for ever
            raise LlamaError("load", f"{path} is a pipe or a device", "give the path of a .gguf file")
        with path.open("rb") as file:
            magic = file.read(4)
    except FileNotFoundError:
        raise LlamaError("load", f"{path} does not exist", "`puna ls` lists the models that are here") from None
    except IsADirectoryError:
        raise LlamaError("load", f"{path} is a folder", "give the path of a .gguf file in it") from None
    except OSError as error:
        raise LlamaError("load", f"{path} cannot be read: {error.strerror}", "check its permissions") from None
    except ValueError:
        raise LlamaError("load", f"{path!s:.80} cannot be a path: a zero byte is in it", "check it") from None
    if not magic:
        raise LlamaError("load", f"{path} is empty", "download it again")
    if magic != b"GGUF":
        raise LlamaError("load", f"{path} is not a GGUF file", "puna runs models in the GGUF format")
