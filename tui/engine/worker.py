"""The thread that owns llama.cpp: loads the model, then answers one request at a time. Runs in the engine process
only.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

from tui.engine.generation import Generation
from tui.engine.protocol import (
    CountTokens,
    Done,
    Event,
    Failed,
    Generate,
    Load,
    Loaded,
    LoadProgress,
    Log,
    Timings,
    TokenCount,
)
from tui.engine.registry import Entry
from tui.engine.sequence import Sequence
from tui.engine.template import ChatTemplate
from tui.llama.errors import LlamaError
from tui.llama.log import NativeLog
from tui.llama.measure import take_receipt
from tui.llama.model import LoadedModel
from tui.llama.receipt import Receipt

Work = Generate | CountTokens
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
        self._current = 0  # the load is request 0
        self._template: ChatTemplate | None = None
        self._cancelled: set[int] = set()
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
            if request_id == self._current:
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
            self._send(Loaded(receipt))
            while (work := self._queue.get()) is not None:
                self._serve(work, entry)
        finally:
            entry.remove()
            self._model.close()

    def _load(self, entry: Entry) -> Receipt | None:
        """The receipt, or None when it failed and that was told."""
        last = -1.0

        def progress(fraction: float) -> None:
            nonlocal last
            if fraction - last >= _PROGRESS_STEP or fraction >= 1.0 > last:
                last = fraction
                self._send(LoadProgress(fraction))

        try:
            self._model.load(progress)
            where = self._choose_template()
        except LlamaError as error:
            self._model.close()
            entry.remove()  # whoever hears of the failure does not find this engine in the list any more
            self._fail(0, error)
            return None
        except Exception as error:
            entry.remove()
            self._fail(0, _own_fault(error))
            return None
        self._sequences = [Sequence(self._model, number) for number in range(self._load_request.settings.panes)]
        receipt = take_receipt(self._model, template=where)
        if receipt.n_ctx > receipt.n_ctx_train > 0:
            self._send(
                Log("warning", f"n_ctx {receipt.n_ctx} is above the {receipt.n_ctx_train} this model was trained with")
            )
        with self._lock:
            self._current = -1
        return receipt

    def _choose_template(self) -> str | None:
        """Take the template of the settings or else the model's own; where it comes from, None without one.

        A broken one in the settings is an error. The model's own is nobody's to mend: it is told, and done without.
        """
        vocab, given = self._model.vocab, self._load_request.settings.chat_template
        source = given or self._model.own_template()
        self._template = None
        if not source:
            return None
        bos, eos = vocab.bos.decode("utf-8", "replace"), vocab.eos.decode("utf-8", "replace")
        try:
            self._template = ChatTemplate(source, bos=bos, eos=eos)
        except LlamaError as error:
            if given:
                raise
            self._send(Log("warning", f"{error}; your text is continued as it is"))
            return None
        return "settings" if given else "model"

    def _serve(self, work: Work, entry: Entry) -> None:
        if not self._begin(work.id):
            self._send(Done(work.id, "cancelled", Timings(n_ctx=self._model.n_ctx)))
            return
        try:
            if isinstance(work, CountTokens):
                self._count(work)
            else:
                self._generate(work, entry)
        except LlamaError as error:
            self._fail(work.id, error)
        except Exception as error:  # a fault of ours must not leave the person waiting for an answer
            self._fail(work.id, _own_fault(error))
        finally:
            with self._lock:
                self._current = -1

    def _begin(self, request_id: int) -> bool:
        """Make a request the current one; False when it was cancelled while it waited, or the engine is ending."""
        with self._lock:
            if self._stopping or request_id in self._cancelled:
                return False
            # Ids only grow: lower ones are of requests that are over, higher ones of requests that still wait.
            self._cancelled = {waiting for waiting in self._cancelled if waiting > request_id}
            self._current = request_id
            self._model.cancel.clear()
            return True

    def _generate(self, work: Generate, entry: Entry) -> None:
        if not 0 <= work.pane < len(self._sequences):
            raise LlamaError(
                "input", f"pane {work.pane} does not exist; this model was loaded for {len(self._sequences)}"
            )
        sequence = self._sequences[work.pane]
        generation = Generation(
            work,
            self._prompt_text(work),
            model=self._model,
            sequence=sequence,
            send=self._send,
            on_token=lambda rate: entry.update(sum(len(s.held.tokens) for s in self._sequences), rate),
        )
        try:
            done = generation.run()
        finally:
            entry.update(sum(s.used for s in self._sequences), None, now=True)
        self._send(done)

    def _count(self, work: CountTokens) -> None:
        text = work.text if work.text is not None else self._prompt_text(work)
        self._send(TokenCount(work.id, len(self._sequences[0].prepare(text).tokens) if text else 0))

    def _prompt_text(self, work: Work) -> str:
        if isinstance(work, Generate) and work.prompt is not None:
            return work.prompt
        messages = work.messages or ()
        if self._template is not None:
            return self._template.render(messages)
        return "\n\n".join(message.content for message in messages)

    def _fail(self, request_id: int, error: LlamaError) -> None:
        # The name of a file may hold bytes that are no text; they could not be sent.
        message = str(error).encode("utf-8", "replace").decode()
        self._send(
            Failed(id=request_id, kind=error.kind, message=message, hint=error.hint, log=self._log.last(_LOG_TAIL))
        )


def _own_fault(error: Exception) -> LlamaError:
    return LlamaError("decode", f"the engine failed: {type(error).__name__}: {error}", "this is a fault in puna")


def _to_stderr(level: str, line: str) -> None:
    """llama.cpp's log goes to the pipe that the front end keeps the tail of: after a crash it is all there is."""
    if level != "debug":
        try:
            os.write(2, f"{line}\n".encode("utf-8", "replace"))
        except OSError:
            pass  # the front end has gone; the main thread is about to hear of it
