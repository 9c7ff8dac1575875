"""Which request is computed when: one answer a pane at a time, those of several panes together in each call.

A prompt is read in pieces, smaller ones while another pane writes, so that no answer stands still for long. Counting
tokens waits for nothing. Runs in the engine's worker thread.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Collection
from collections.abc import Sequence as Several
from pathlib import Path
from typing import Protocol

from tui.engine import saved
from tui.engine.beginning import Beginning
from tui.engine.generation import Generation
from tui.engine.pictures import GET_ONE, NO_PROJECTOR, Pictures
from tui.engine.prompts import asks_to_see, images_of
from tui.engine.protocol import (
    CountTokens,
    Done,
    DoneReason,
    Event,
    Generate,
    RestoreState,
    SaveState,
    StateRestored,
    StateSaved,
    Timings,
    TokenCount,
    Work,
)
from tui.engine.registry import Entry
from tui.engine.sequence import Sequence
from tui.engine.step import Aborted, Share, compute
from tui.llama.errors import LlamaError
from tui.llama.model import LoadedModel

PATIENT_TOKENS = 64
"""Tokens of a prompt in one call while another pane writes."""


class Prompts(Protocol):
    """Makes prompts of requests. Raises LlamaError (kind template)."""

    def beginning(self, request: Generate) -> Beginning: ...
    def counted(self, request: CountTokens) -> str: ...


class Schedule:
    """The requests of one engine that are not over."""

    def __init__(
        self,
        model: LoadedModel,
        prompts: Prompts,
        *,
        panes: int,
        entry: Entry,
        send: Callable[[Event], None],
        fail: Callable[[int, Exception], None],
    ) -> None:
        """`fail` tells of a request that could not be carried out."""
        self._model, self._prompts, self._entry = model, prompts, entry
        self._send, self._fail = send, fail
        self._pictures = Pictures(model.vocab, model.projector)
        self.sequences = [Sequence(model, number, self._pictures) for number in range(panes)]
        self._looked = False
        """The last call was for an image: what is being written has its turn."""
        self._waiting: deque[Work] = deque()
        self._running: dict[int, Generation] = {}

    @property
    def busy(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._running or self._waiting)

    @property
    def running(self) -> frozenset[int]:
        """Ids of requests that are being computed."""
        return frozenset(generation.request.id for generation in self._running.values())

    @property
    def unfinished(self) -> frozenset[int]:
        """Ids of all requests that are not over."""
        return self.running | {work.id for work in self._waiting}

    def add(self, work: Work) -> None:
        """Take one more request."""
        self._waiting.append(work)

    def end(self, cancelled: Collection[int]) -> None:
        """End these requests, as far as they are not over."""
        for generation in tuple(self._running.values()):
            if generation.request.id in cancelled:
                self._over(generation, "cancelled")
        for work in tuple(self._waiting):
            if work.id in cancelled:
                self._waiting.remove(work)
                self._send(Done(work.id, "cancelled", Timings(n_ctx=self._model.n_ctx)))

    def step(self) -> None:
        """Begin what can be begun, and compute one call."""
        self._begin()
        shares = self._shares()
        if not shares:
            return
        try:
            compute(self._model, [share for _, share in shares])
        except Aborted:
            for generation in self._running.values():
                generation.recover()
        except LlamaError as error:
            for generation, _ in shares:
                self._failed(generation, error)
        else:
            self._computed(shares)
            self._entry.update(sum(len(one.held.tokens) for one in self.sequences), self._rate())

    def _begin(self) -> None:
        """Answer what needs no computing, and begin an answer in each pane that is free."""
        taken = set(self._running)
        for work in tuple(self._waiting):
            pane = None if isinstance(work, CountTokens) else work.pane
            if pane in taken:
                continue
            self._waiting.remove(work)
            try:
                if isinstance(work, Generate):
                    taken.add(work.pane)
                    self._running[work.pane] = self._generation(work)
                elif isinstance(work, CountTokens):
                    self._count(work)
                else:
                    self._move(work)
            except Exception as error:  # a fault of ours must not leave the person waiting for an answer
                self._fail(work.id, error)

    def _generation(self, work: Generate) -> Generation:
        sequence = self._sequence(work.pane)
        self._expect_images(work)
        beginning = self._prompts.beginning(work)
        return Generation(work, beginning, model=self._model, sequence=sequence, send=self._send)

    def _move(self, work: SaveState | RestoreState) -> None:
        """To disk, or from there."""
        sequence, folder = self._sequence(work.pane), Path(os.fsdecode(work.folder))
        if isinstance(work, SaveState):
            self._send(StateSaved(work.id, saved.save(self._model, sequence, folder, work.name)))
            return
        tokens = saved.restore(self._model, sequence, folder, work.name)
        self._entry.update(sum(one.used for one in self.sequences), None, now=True)
        self._send(StateRestored(work.id, tokens))

    def _sequence(self, pane: int) -> Sequence:
        if not 0 <= pane < len(self.sequences):
            raise LlamaError("input", f"pane {pane} does not exist; this model was loaded for {len(self.sequences)}")
        return self.sequences[pane]

    def _count(self, work: CountTokens) -> None:
        self._expect_images(work)
        text = self._prompts.counted(work)
        self._send(TokenCount(work.id, len(self.sequences[0].prepare(text).tokens) if text else 0))

    def _expect_images(self, work: Generate | CountTokens) -> None:
        if self._model.projector is None and asks_to_see(work):
            raise LlamaError("input", NO_PROJECTOR, GET_ONE)
        self._pictures.expect(images_of(work))

    def _shares(self) -> list[tuple[Generation, Share]]:
        """What the next call computes: a token of every answer, and a piece of the oldest prompt that is being read.

        An image is computed by itself, and between two parts of images every answer gets a token.
        """
        writing = [one for one in self._running.values() if not one.reading]
        shares = [(one, one.share(self._model.n_ubatch)) for one in writing]
        room = self._model.n_ubatch - sum(len(share.tokens) for _, share in shares)
        reading = next((one for one in self._running.values() if one.reading), None)
        if reading is None or room <= 0:
            return shares
        read = reading.share(min(room, PATIENT_TOKENS) if writing else room)
        if not read.is_image:
            return [*shares, (reading, read)]
        self._looked = not (self._looked and writing)
        return [(reading, read)] if self._looked else shares

    def _computed(self, shares: Several[tuple[Generation, Share]]) -> None:
        index = -1
        for generation, share in shares:
            index += len(share.tokens)
            try:
                reason = generation.computed(share, index)
            except Exception as error:
                self._failed(generation, error)
            else:
                if reason is not None:
                    self._over(generation, reason)

    def _rate(self) -> float | None:
        rates = [rate for one in self._running.values() if (rate := one.decode_rate) is not None]
        return sum(rates) if rates else None

    def _over(self, generation: Generation, reason: DoneReason) -> None:
        generation.sequence.settle()
        done = generation.close(reason)
        self._leave(generation)
        self._send(done)

    def _failed(self, generation: Generation, error: Exception) -> None:
        generation.free()
        generation.sequence.settle()
        self._leave(generation)
        self._fail(generation.request.id, error)

    def _leave(self, generation: Generation) -> None:
        del self._running[generation.request.pane]
        self._entry.update(sum(one.used for one in self.sequences), None, now=True)
