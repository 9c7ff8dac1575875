"""The thread that owns llama.cpp: loads the model, then has requests carried out. Runs in the engine process only."""

from __future__ import annotations

import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

from tui.engine.prompts import TemplatePrompts
from tui.engine.protocol import Event, Failed, Load, Loaded, LoadProgress, Log, Work
from tui.engine.registry import Entry
from tui.engine.schedule import Schedule
from tui.gguf.names import shard_name, shard_of
from tui.llama.errors import LlamaError
from tui.llama.log import NativeLog
from tui.llama.measure import take_receipt
from tui.llama.model import LoadedModel
from tui.llama.receipt import Receipt

_PROGRESS_STEP = 0.01
_LOG_TAIL = 20
_EXIT_FAULT = 70
"""EX_SOFTWARE of sysexits.h: a fault of ours ended the worker."""


class Worker:
    """`start` it once; `submit`, `cancel` and `stop` may be called from the main thread at any time."""

    def __init__(self, load: Load, *, threads: int, engines_dir: Path, send: Callable[[Event], None]) -> None:
        """`send` must be safe to call from this worker's thread."""
        self._load_request, self._engines_dir, self._send = load, engines_dir, send
        self._log = NativeLog(forward=_to_stderr)
        self._model = LoadedModel(Path(os.fsdecode(load.path)), load.settings, threads=threads, log=self._log)
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._running = frozenset({0})  # the load is request 0
        self._cancelled: set[int] = set()
        self._newest = 0
        self._prompts: TemplatePrompts
        self._stopping = False
        self._thread = threading.Thread(target=self._run_or_end, name="llama.cpp", daemon=True)

    def start(self) -> None:
        """Begin to load."""
        self._thread.start()

    def submit(self, work: Work) -> None:
        """Queue a request."""
        self._queue.put(work)

    def cancel(self, request_id: int) -> None:
        """Stop a request, running or waiting; one that is over or unknown is left alone."""
        with self._lock:
            self._cancelled.add(request_id)
            if request_id in self._running:
                self._model.cancel.set()

    def stop(self, timeout_s: float) -> None:
        """Stop what runs, free the model, and wait for that."""
        with self._lock:
            self._stopping = True
            self._model.cancel.set()
        self._queue.put(None)
        self._thread.join(timeout_s)

    def _run_or_end(self) -> None:
        """A fault outside of any request must end the process: nobody would ever answer the front end again."""
        try:
            self._run()
        except BaseException:
            traceback.print_exc(file=sys.stderr)
            os._exit(_EXIT_FAULT)

    def _run(self) -> None:
        self._log.install()
        settings = self._load_request.settings
        wished = 0 if isinstance(settings.n_ctx, str) else settings.n_ctx * settings.panes
        # In the list from the start: a load can be long, and `puna stop` ends it, too.
        entry = Entry(self._engines_dir, model=self._load_request.name, n_ctx=wished)
        try:
            receipt = self._load(entry)
            if receipt is None:
                return
            entry.loaded(receipt.n_ctx * settings.panes)
            schedule = Schedule(
                self._model, self._prompts, panes=settings.panes, entry=entry, send=self._send, fail=self._fail
            )
            self._send(Loaded(receipt, self._prompts.thinking_switch))
            self._serve(schedule)
        finally:
            entry.remove()
            self._model.close()

    def _serve(self, schedule: Schedule) -> None:
        """Carry out requests until the end is asked for."""
        while True:
            if not schedule.busy or not self._queue.empty():
                work = self._queue.get()
                if work is None:
                    schedule.end(schedule.unfinished)
                    return
                self._newest = max(self._newest, work.id)
                schedule.add(work)
                continue
            schedule.end(self._cancelled_now(schedule))
            schedule.step()

    def _cancelled_now(self, schedule: Schedule) -> frozenset[int]:
        """What is to end of what is not over. From here on, a cancel stops the call of llama.cpp that comes next."""
        with self._lock:
            unfinished = schedule.unfinished
            if self._stopping:
                return unfinished
            self._model.cancel.clear()
            self._running = schedule.unfinished
            # Ids only grow: higher ones are of requests that have not been seen yet.
            cancelled, self._cancelled = self._cancelled, {one for one in self._cancelled if one > self._newest}
            return unfinished & cancelled

    def _load(self, entry: Entry) -> Receipt | None:
        """The receipt, or None when it failed and that was told."""
        try:
            self._model.load(self._progress(), self._progress(self._model.projector_path))
            self._prompts = TemplatePrompts.of(self._model, self._load_request.settings, self._warn)
        except LlamaError as error:
            self._model.close()
            entry.remove()  # whoever hears of the failure does not find this engine in the list any more
            self._fail(0, error)
            return None
        except Exception as error:
            entry.remove()
            self._fail(0, error)
            return None
        receipt = take_receipt(self._model, template=self._prompts.source)
        if receipt.n_ctx > receipt.n_ctx_train > 0:
            self._warn(f"n_ctx {receipt.n_ctx} is above the {receipt.n_ctx_train} this model was trained with")
        with self._lock:
            self._running = frozenset()
        return receipt

    def _progress(self, projector: Path | None = None) -> Callable[[float], None]:
        """Tells of the share of all files that was read, now and then; of the `projector`'s from its first byte on, for
        whatever it may end this process over.
        """
        model, beside = file_bytes(self._model.path), file_bytes(self._model.projector_path)
        begin, share = (model, beside) if projector is not None else (0, model)
        name, last = projector.name if projector is not None else "", -1.0

        def progress(fraction: float) -> None:
            nonlocal last
            if fraction - last >= _PROGRESS_STEP or fraction >= 1.0 > last:
                last = fraction
                self._send(LoadProgress((begin + fraction * share) / max(1, model + beside), name))

        return progress

    def _warn(self, text: str) -> None:
        self._send(Log("warning", text))

    def _fail(self, request_id: int, error: Exception) -> None:
        if not isinstance(error, LlamaError):
            error = _own_fault(error)
        # The name of a file may hold bytes that are no text; they could not be sent.
        message = str(error).encode("utf-8", "replace").decode()
        self._send(
            Failed(id=request_id, kind=error.kind, message=message, hint=error.hint, log=self._log.last(_LOG_TAIL))
        )


def _own_fault(error: Exception) -> LlamaError:
    return LlamaError("decode", f"the engine failed: {type(error).__name__}: {error}", "this is a fault in puna")


def file_bytes(path: Path | None) -> int:
    """Of a file with all its shards; 0 for what cannot be read, as the load says what is wrong with it."""
    if path is None:
        return 0
    shard = shard_of(path.name)
    names = [shard_name(shard[0], index + 1, shard[2]) for index in range(shard[2])] if shard else [path.name]
    try:
        return sum((path.parent / name).stat().st_size for name in names)
    except (OSError, ValueError):
        return 0


def _to_stderr(level: str, line: str) -> None:
    """llama.cpp's log goes to the pipe that the front end keeps the tail of: after a crash it is all there is."""
    if level != "debug":
        try:
            os.write(2, f"{line}\n".encode("utf-8", "replace"))
        except OSError:
            pass  # the front end has gone; the main thread is about to hear of it
