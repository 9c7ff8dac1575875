"""What the engine computes of a prompt with images, against llama.cpp's own way in one process.

Run as `python -m tests.rigs.image_logits MODEL PROJECTOR IMAGE OTHER` in a process of its own; prints one JSON
document.
The reference is `mtmd_tokenize` and `mtmd_helper_eval_chunks` over the whole prompt, in an empty context.
"""

from __future__ import annotations

import ctypes
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.rigs.prefix_logits import largest, words
from tui.engine import saved
from tui.engine.pictures import Pictures, mark, piece_of
from tui.engine.protocol import ImageFile
from tui.engine.sequence import Sequence
from tui.engine.step import Aborted, Share, compute
from tui.llama.log import NativeLog
from tui.llama.model import LoadedModel
from tui.llama.picture import digest_of, pixels_of
from tui.llama.settings import LoadSettings

GREEDY = 12
FIRST, BETWEEN, LAST = words(1, 60), words(2, 90), words(3, 40)


def main(model: str, projector: str, image: str, other: str) -> None:
    """Measure and print."""
    probe = Probe(Path(model), Path(projector), (Path(image), Path(other)))
    print(json.dumps(probe.measure()))


class Probe:
    """One model, whose first sequence is tried on and whose second one always starts from nothing."""

    def __init__(self, path: Path, projector: Path, images: tuple[Path, Path]) -> None:
        log = NativeLog()
        log.install()
        settings = LoadSettings(n_ctx=1024, n_gpu_layers=0, panes=2, mmproj=str(projector))
        self.model = LoadedModel(path, settings, threads=1, log=log)
        self.model.load(lambda _share: None)
        self.files = {digest_of(file.read_bytes()): file for file in images}
        self.a, self.b = (mark(digest) for digest in self.files)
        self.pictures = Pictures(self.model.vocab, self.model.projector)
        self.pictures.expect([ImageFile(digest, bytes(file)) for digest, file in self.files.items()])
        self.sequence = Sequence(self.model, 0, self.pictures)

    def measure(self) -> dict[str, Any]:
        one, two = f"{FIRST}{self.a}{BETWEEN}", f"{FIRST}{self.a}{BETWEEN}{self.b}{LAST}"
        changed = f"{FIRST}{self.b}{BETWEEN}"
        kept_at_first, first = self.read(one)
        continued, second = self.read(two)
        back, again = self.read(changed)
        found: dict[str, Any] = {
            "kept": [kept_at_first, continued, back],
            "tokens": [len(self.tokens(text)) for text in (FIRST, one, two)],
            "off": [
                largest(mine, self.reference(text)) for mine, text in ((first, one), (second, two), (again, changed))
            ],
            "different": largest(first, again),
            "noise": largest(self.reference(two), self.in_small_calls(two)),
        }
        return found | self.in_another_life(one, two) | self.stopped(two)

    def in_another_life(self, one: str, two: str) -> dict[str, Any]:
        """The state of a conversation with an image, read by an engine that never saw it."""
        self.read(one)
        with TemporaryDirectory() as folder:
            n_bytes = saved.save(self.model, self.sequence, Path(folder), "c")
            self.sequence.clear()
            self.pictures = Pictures(self.model.vocab, self.model.projector)
            self.pictures.expect([ImageFile(digest, bytes(file)) for digest, file in self.files.items()])
            self.sequence = Sequence(self.model, 0, self.pictures)
            restored = saved.restore(self.model, self.sequence, Path(folder), "c")
        kept, logits = self.read(two)
        mine = self.greedy(self.sequence)
        self.sequence.clear()
        return {
            "state": [n_bytes > 0, restored, kept],
            "state_off": largest(logits, self.reference(two)),
            "restored_says": mine,
            "uninterrupted_says": self.uninterrupted(one, two),
        }

    def uninterrupted(self, one: str, two: str) -> list[int]:
        self.read(one)
        self.read(two)
        return self.greedy(self.sequence)

    def stopped(self, text: str) -> dict[str, Any]:
        """Stop while the second image is looked at, then go on."""
        self.sequence.clear()
        prompt = self.sequence.begin(self.sequence.prepare(text))
        pending, calls = prompt.tokens, 0
        projector = self.model.projector
        assert projector is not None
        try:
            while pending:
                share = self.share(pending)
                calls += share.is_image
                if calls == 2:
                    self.model.cancel.set()
                compute(self.model, [share])
                pending = pending[len(share.tokens) :]
            stopped = False
        except Aborted:
            stopped = True
        self.model.cancel.clear()
        self.sequence.settle()
        kept, logits = self.read(text)
        return {"stopped": [stopped, kept], "stopped_off": largest(logits, self.reference(text))}

    def tokens(self, text: str) -> tuple[int, ...]:
        return Sequence(self.model, 1, self.pictures).prepare(text).tokens

    def share(self, pending: tuple[int, ...], room: int = 512) -> Share:
        piece = piece_of(pending, room)
        return Share(self.sequence, piece, len(piece) == len(pending))

    def read(self, text: str, room: int = 512) -> tuple[int, list[float]]:
        """What the engine does with a prompt: how many tokens it kept, and the logits."""
        prompt = self.sequence.begin(self.sequence.prepare(text))
        pending = prompt.tokens[prompt.kept :]
        while pending:
            share = self.share(pending, room)
            compute(self.model, [share])
            pending = pending[len(share.tokens) :]
        return prompt.kept, list(self.model.logits())

    def in_small_calls(self, text: str) -> list[float]:
        self.sequence.clear()
        logits = self.read(text, room=16)[1]
        self.sequence.clear()
        return logits

    def greedy(self, sequence: Sequence) -> list[int]:
        found: list[int] = []
        for _ in range(GREEDY):
            logits = self.model.logits()
            found.append(max(range(len(logits)), key=logits.__getitem__))
            compute(self.model, [Share(sequence, (found[-1],), output=True)])
        return found

    def reference(self, text: str) -> list[float]:
        """Logits as mtmd computes them by itself."""
        projector, model = self.model.projector, self.model
        assert projector is not None
        mtmd, marker = projector.mtmd, b"<__media__>"
        shown = sorted(self.files, key=text.find)
        images = [file for digest in shown if mark(digest) in text for file in [self.files[digest]]]
        for digest in self.files:
            text = text.replace(mark(digest), marker.decode())
        pixels = [pixels_of(file.read_bytes()) for file in images]
        buffers = [(ctypes.c_uint8 * len(one.rgb)).from_buffer_copy(one.rgb) for one in pixels]
        bitmaps = [
            mtmd.mtmd_bitmap_init(one.width, one.height, buffer) for one, buffer in zip(pixels, buffers, strict=True)
        ]
        given = mtmd.mtmd_input_text(text.encode(), len(text.encode()), True, True)
        chunks = mtmd.mtmd_input_chunks_init()
        array = (ctypes.c_void_p * len(bitmaps))(*bitmaps)
        assert mtmd.mtmd_tokenize(projector._handle, chunks, ctypes.byref(given), array, len(bitmaps)) == 0
        past = ctypes.c_int32(0)
        model.clear(1)
        code = mtmd.mtmd_helper_eval_chunks(
            projector._handle, model.context, chunks, 0, 1, model.n_ubatch, True, ctypes.byref(past)
        )
        assert code == 0
        logits = list(model.logits())
        model.clear(1)
        return logits


if __name__ == "__main__":
    main(*sys.argv[1:])
