"""An app that does what a seed says to a transcript and an editor, then writes what its screen should show to a file.

Run by the tests in a real terminal: `python -m tests.app.chat.children.streaming SEED FILE`.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from textual.app import App, ComposeResult

from tests.app.chat.texts import EVERYTHING
from tests.rigs.screen import screen_lines
from tui.app.panels.chat.editor import PromptEditor
from tui.app.panels.chat.transcript import Transcript, TranscriptMessage

STEPS = 150
TEXT = EVERYTHING.partition("日本語")[0] * 2
"""Without wide characters, whose halves the screen model of the tests does not overwrite as terminals do."""


class Streaming(App[None]):
    """One step every frame or so."""

    CSS = "Transcript { height: 1fr; } PromptEditor { max-height: 8; }"

    def __init__(self, seed: int, file: Path) -> None:
        super().__init__()
        self._random = random.Random(seed)
        self._file = file
        self._steps = 0
        self._answers = 0

    def compose(self) -> ComposeResult:
        yield Transcript()
        yield PromptEditor(placeholder="Ask something")

    def on_mount(self) -> None:
        self.query_one(PromptEditor).focus()
        self._begin()
        self.set_interval(0.008, self._step)

    def _begin(self) -> None:
        self._answers += 1
        transcript = self.query_one(Transcript)
        transcript.add_message(TranscriptMessage(f"q{self._answers}", "user", "What\nnow?"))
        transcript.begin_answer(f"a{self._answers}", "model")
        self._at = 0

    def _step(self) -> None:
        self._steps += 1
        if self._steps > STEPS:
            if self._steps == STEPS + 10:  # everything is painted and coloured by now
                self._file.write_text("\n".join(screen_lines(self)))
            return
        transcript, editor = self.query_one(Transcript), self.query_one(PromptEditor)
        rng = self._random
        match rng.randrange(12):
            case 0:
                transcript.scroll_lines(rng.randrange(-9, 9))
            case 1:
                transcript.action_scroll_end()
            case 2:
                transcript.end_answer(rng.choice(["", "stopped"]))
                self._begin()
            case 3:
                transcript.append("thinking aloud\n" * rng.randrange(4), "thinking")
            case 4:
                transcript.toggle_thinking()
            case 5:
                editor.insert(rng.choice(["word ", "\n", "a long line of words that has to be wrapped somewhere "]))
            case 6:
                editor.clear()
            case _:
                end = self._at + rng.randrange(1, 60)
                transcript.append(TEXT[self._at : end])
                self._at = end
        transcript.flush()


if __name__ == "__main__":
    Streaming(int(sys.argv[1]), Path(sys.argv[2])).run()
