"""What a rolled-back context really computes: logits after the engine's own prepare and prefill against a fresh one.

Run as `python -m tests.rigs.prefix_logits FILE SWA_FULL` in a process of its own; prints one JSON document. Every text
is made of words that do not repeat, because a repetitive one hides what a cache has lost.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tui.engine.prompts import TemplatePrompts
from tui.engine.protocol import Done, Event, Generate, PromptProgress
from tui.engine.registry import Entry
from tui.engine.schedule import Schedule
from tui.engine.sequence import Prompt, Sequence
from tui.engine.step import Aborted, Share, compute
from tui.llama.binding import L
from tui.llama.log import NativeLog
from tui.llama.model import LoadedModel, Piece
from tui.llama.settings import LoadSettings, SamplingSettings

N_UBATCH = 128
FIRST_TOKENS = 640
ROLLBACKS = (40, 200, 330, 500, 600, 639)
"""Positions, in tokens, back to which a text of FIRST_TOKENS is taken; the window of the tests' models is 64."""
REST_TOKENS = 30
GREEDY = 20
WALK_STEPS = 26
ABORT_AFTER = (1, 40, 90)
"""How many times llama.cpp asks whether to go on before it is told to stop."""


def main(path: str, swa_full: str) -> None:
    """Measure and print."""
    is_control = swa_full == "full"
    probe = Probe(Path(path), swa_full=is_control)
    found: dict[str, Any] = {
        "rollbacks": [probe.rollback(position) for position in ROLLBACKS],
        "walk": probe.walk(),
        "continued": probe.continued(),
        "aborted": [probe.aborted(calls) for calls in ABORT_AFTER],
    }
    if not is_control:
        found |= {
            "naive": [probe.naive(position) for position in ROLLBACKS[:3]],
            "edge": probe.edge(),
            "replayed": probe.replayed(),
            "unasked": probe.cancelled_between_batches(),
        }
    print(json.dumps(found))


class Probe:
    """The same model twice: one context is tried on, the other always starts from nothing."""

    def __init__(self, path: Path, *, swa_full: bool) -> None:
        settings = LoadSettings(n_ctx=1024, n_gpu_layers=0, n_batch=N_UBATCH, n_ubatch=N_UBATCH, swa_full=swa_full)
        log = NativeLog()
        log.install()
        self.model = LoadedModel(path, settings, threads=1, log=log)
        self.other_model = LoadedModel(path, settings, threads=1, log=log)
        for model in (self.model, self.other_model):
            model.load(lambda _share: None)
        self.sequence = Sequence(self.model, 0)
        self.text = words(1, 3000)
        self.other = words(2, 3000)

    def rollback(self, position: int) -> dict[str, Any]:
        """Read a text, then another that is the same up to `position`: how far off are the logits?"""
        self.fresh()
        self.read(self.text, FIRST_TOKENS)
        tokens = self.changed_at(position)
        kept = self.reuse(tokens)
        mine = self.model.logits()
        return {"position": position, "kept": kept, "off": largest(mine, self.from_nothing(tokens))}

    def naive(self, position: int) -> dict[str, Any]:
        """The same, trusting llama.cpp's yes to the removal."""
        self.fresh()
        self.read(self.text, FIRST_TOKENS)
        tokens = self.changed_at(position)
        allowed = self.model.keep_until(position, sequence=0)
        self.sequence.held.cut(position)
        code = 0
        rest = tokens[position:]
        for at in range(0, len(rest), N_UBATCH):
            chunk = rest[at : at + N_UBATCH]
            code = self.model.decode([Piece(0, position + at, chunk, at + len(chunk) == len(rest))])
        off = largest(self.model.logits(), self.from_nothing(tokens)) if code == 0 else None
        return {"position": position, "allowed": allowed, "code": code, "off": off}

    def edge(self) -> dict[str, Any]:
        """The first position that the window still reaches, and the one before it."""
        self.fresh()
        self.read(self.text, FIRST_TOKENS)
        first, _ = self.model.positions(0)
        position = first + self.model.n_swa - 1 if self.model.n_swa else first + 1
        return {"first": first, "inside": self.rollback(position), "outside": self.rollback(position - 1)}

    def walk(self) -> list[dict[str, Any]]:
        """Many edits one after the other in one context, as a person makes them who tries things out."""
        self.fresh()
        pick, tokens = random.Random(7), self.tokens(self.text)[:150]
        found = []
        for step in range(WALK_STEPS):
            back = pick.choice([0, 0, 1, 5, 30, 60, 200])
            fresh = self.tokens(words(100 + step, 3000))[: pick.choice([1, 2, 30, 120])]
            tokens = [*tokens[: max(1, len(tokens) - back)], *fresh][:500]
            kept = self.reuse(tokens)
            mine = self.model.logits()
            found.append({"kept": kept, "tokens": len(tokens), "off": largest(mine, self.from_nothing(tokens))})
        return found

    def continued(self) -> dict[str, Any]:
        """Go on after all that is held, as each turn of a chat does."""
        self.fresh()
        self.read(self.text, 300)
        tokens = self.tokens(self.text)[:400]
        kept = self.reuse(tokens)
        mine = self.model.logits()
        return {"kept": kept, "off": largest(mine, self.from_nothing(tokens))}

    def replayed(self) -> dict[str, Any]:
        """An answer is thrown away and the prompt goes on otherwise, against the same batches without that answer."""
        self.fresh()
        self.read(self.text, 500)
        self.greedy(40)
        more = [*self.tokens(self.text)[:500], *self.tokens(self.other)[:REST_TOKENS]]
        kept = self.reuse(more)
        mine = self.greedy(GREEDY)
        self.fresh()
        if kept:
            self.read(self.text, 500)
        self.reuse(more)
        return {"kept": kept, "mine": mine, "fresh": self.greedy(GREEDY)}

    def aborted(self, calls: int) -> dict[str, Any]:
        """Stop in the middle of a batch, then read the same text again."""
        self.fresh()
        tokens = self.tokens(self.text)[:400]
        left = calls

        def stop(_data: Any) -> bool:
            nonlocal left
            left -= 1
            return left < 0

        self.reuse(tokens[:200])
        callback = L.ggml_abort_callback(stop)
        L.llama_set_abort_callback(self.model.context, callback, None)
        try:
            self.reuse(tokens)
            stopped = False
        except Aborted:
            stopped = True
            self.sequence.settle()
        self.listen()
        kept = self.reuse(tokens)
        mine = self.model.logits()
        return {"stopped": stopped, "kept": kept, "off": largest(mine, self.from_nothing(tokens))}

    def cancelled_between_batches(self) -> dict[str, Any]:
        """A device that never asks whether to stop, as GPUs do not."""
        self.fresh()
        tokens = self.tokens(self.text)[: 4 * N_UBATCH]
        L.llama_set_abort_callback(self.model.context, L.ggml_abort_callback(0), None)
        events: list[Event] = []
        with TemporaryDirectory() as folder:
            entry = Entry(Path(folder), model="probe", n_ctx=1024)
            prompts = TemplatePrompts(None, None)
            schedule = Schedule(self.model, prompts, panes=1, entry=entry, send=events.append, fail=_unexpected)
            prompt = b"".join(self.model.vocab.piece(token) for token in tokens).decode("utf-8", "replace")
            schedule.add(Generate(id=1, prompt=prompt, sampling=SamplingSettings()))
            schedule.step()
            schedule.end({1})
        self.listen()
        progress = [event for event in events if isinstance(event, PromptProgress)]
        return {
            "reason": events[-1].reason if isinstance(events[-1], Done) else None,
            "busy": schedule.busy,
            "done": [event.done for event in progress],
            "total": progress[0].total,
        }

    def listen(self) -> None:
        """Have llama.cpp ask the model's own flag again."""
        L.llama_set_abort_callback(self.model.context, self.model.cancel.callback, self.model.cancel.data)

    def fresh(self) -> None:
        """Forget everything."""
        self.model.clear(0)
        self.sequence = Sequence(self.model, 0)

    def tokens(self, text: str) -> list[int]:
        return list(self.model.vocab.tokenize(text.encode(), start=False))

    def changed_at(self, position: int) -> list[int]:
        """The first text up to `position`, then the other."""
        return [*self.tokens(self.text)[:position], *self.tokens(self.other)[:REST_TOKENS]]

    def read(self, text: str, count: int) -> None:
        self.reuse(self.tokens(text)[:count])

    def reuse(self, tokens: list[int]) -> int:
        """What the engine does with a prompt; how many tokens it kept."""
        text = b"".join(self.model.vocab.piece(token) for token in tokens).decode("utf-8", "replace")
        prompt = self.sequence.prepare(text)
        if prompt.tokens != tuple(tokens):  # BOS, or a seam that tokenizes otherwise
            same = self.sequence.held.same_tokens(tokens)
            prompt = Prompt(tuple(tokens), self.sequence._reusable(min(same, len(tokens) - 1)))
        return prefill(self.model, self.sequence, prompt)

    def from_nothing(self, tokens: list[int]) -> list[float]:
        """Logits of the same tokens in an empty context."""
        prefill(self.other_model, Sequence(self.other_model, 0), Prompt(tuple(tokens), 0))
        return list(self.other_model.logits())

    def greedy(self, count: int) -> list[int]:
        found = []
        for _ in range(count):
            logits = self.model.logits()
            found.append(max(range(len(logits)), key=logits.__getitem__))
            compute(self.model, [Share(self.sequence, (found[-1],), output=True)])
        return found


def prefill(model: LoadedModel, sequence: Sequence, prompt: Prompt) -> int:
    """Compute what is new of a prompt, as the engine does; how many tokens were kept."""
    prompt = sequence.begin(prompt)
    for at in range(prompt.kept, len(prompt.tokens), model.n_ubatch):
        chunk = prompt.tokens[at : at + model.n_ubatch]
        compute(model, [Share(sequence, chunk, output=at + len(chunk) == len(prompt.tokens))])
    return prompt.kept


def _unexpected(_request_id: int, error: Exception) -> None:
    raise error


def words(seed: int, length: int) -> str:
    """Text in which no word comes twice."""
    pick = random.Random(seed)
    seen = list(dict.fromkeys("".join(pick.choices("abcdefghijklmnopqrstuvwxyz", k=5)) for _ in range(length // 5)))
    return " ".join(seen)[:length]


def largest(mine: list[float], other: list[float]) -> float:
    """The largest difference of one logit."""
    return max(abs(a - b) for a, b in zip(mine, other, strict=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
