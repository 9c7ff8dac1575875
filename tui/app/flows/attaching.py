"""Files that go along with a prompt, text and images: read before it is sent, told with their size while it is written,
completed by a key. Files are read in threads.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from tui.app.flows.seeing import SeeFlow
from tui.app.text import brief, plural

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.expected import RunningEngine
    from tui.app.flows.seeing import Blind
    from tui.app.panels.chat.editor import PromptEditor
    from tui.chat.attachments import Attached
    from tui.chat.images import Images

LOOK_S = 0.25
"""Seconds after a key until the files that are mentioned are looked at."""
MOST_NAMED = 2
"""Files that are told by name; more are counted together."""
UNKEPT = "Images cannot go along while conversations are kept in memory only"


@dataclass
class PromptRead(Message):
    """The files of a prompt that was sent, and what is wrong with others."""

    words: str
    files: tuple[Attached, ...]
    problems: tuple[str, ...]
    blind: Blind | None = None
    """A model that could not see the images among them."""


@dataclass
class FilesSeen(Message):
    """What is to be said of the files that are mentioned so far."""

    told: str
    tokens: int


@dataclass
class CompletionsFound(Message):
    """The paths that begin with what was written."""

    begun: str
    paths: tuple[str, ...]


class AttachFlow:
    """Between the prompt and the chat."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._due = self._told = False
        self._refused = ""
        self.tokens = 0
        """Of the files that go along with what is written, as last counted."""
        self._sent: deque[str] = deque()
        """Prompts in the order in which they were sent, while the files of the first are read."""
        self.seeing = SeeFlow(desk)

    # ---- sending

    def on_prompt_editor_submitted(self, event: PromptEditor.Submitted) -> None:
        """A prompt was sent: with the files that it mentions, and after those that were sent before."""
        self._say("", 0)
        self._sent.append(event.text)
        if len(self._sent) == 1:
            self._take_next()

    def _take_next(self) -> None:
        from tui.chat.attachments import mentioned

        while self._sent:
            if names := mentioned(self._sent[0]):
                self._read_files(self._sent[0], names)
                return
            self._desk.chatting.submit(self._sent.popleft())

    def _read_files(self, words: str, names: Sequence[str]) -> None:
        from tui.chat.images import Images

        before, look = self._desk.branches.attached, self.seeing.blind()
        store = self._desk.history.store
        history = self._desk.paths.history_file if store is None else store.path
        images = Images.beside(history) if history is not None else None

        def work() -> None:
            try:
                files, problems = _read(names, before, images)
                if images is None and any(file.digest for file in files):
                    files = tuple(file for file in files if not file.digest)
                    problems = (*problems, UNKEPT)
                read = PromptRead(words, files, problems, look() if any(file.digest for file in files) else None)
            except Exception as error:  # whatever it is, the prompts behind this one have their turn
                read = PromptRead(words, (), (f"Its files cannot be read: {type(error).__name__}: {error}",))
            self._desk.app.post_message(read)

        self._desk.background.thread(work, "attach", "read the files of a prompt", exclusive=False)

    def on_prompt_read(self, event: PromptRead) -> None:
        """Send it; what cannot go along is told first, and left out when it is sent again as it is."""
        self._sent.popleft()
        self._use(event)
        self._take_next()

    def _use(self, event: PromptRead) -> None:
        from tui.chat.attachments import joined

        if event.problems and event.words != self._refused:
            self._refused = event.words
            self._desk.bench.chat.give_back(event.words)
            self._desk.tell(
                f"{'. '.join(event.problems)}. Correct it, or send it again to send the words alone.", "warning"
            )
            return
        self._refused = ""
        if event.blind is not None:
            self._desk.bench.chat.give_back(event.words)
            text = [file for file in event.files if not file.digest]
            self.seeing.offer(event.blind, lambda: self._send(event.words, joined(event.words, text)))
            return
        self._desk.chatting.submit(joined(event.words, event.files))

    def _send(self, words: str, prompt: str) -> None:
        """Send a prompt whose words are in the editor again."""
        editor = self._desk.bench.chat.editor
        if editor.text == words:
            editor.clear()
        self._desk.chatting.submit(prompt)

    # ---- while it is written

    def on_prompt_editor_changed(self, _event: PromptEditor.Changed) -> None:
        """Another text: its files are looked at soon."""
        if not self._due:
            self._due = True
            self._desk.app.set_timer(LOOK_S, self._look)

    def _look(self) -> None:
        from tui.chat.attachments import mentioned

        self._due = False
        names = mentioned(self._desk.bench.chat.editor.text)
        if names:
            self._desk.app.run_worker(
                self._count(names), group="attached", description="look at the files of a prompt", exclusive=True,
                exit_on_error=False,
            )  # fmt: skip
        else:
            self._say("", 0)

    async def _count(self, names: Sequence[str]) -> None:
        from tui.chat.budget import LETTERS_A_TOKEN
        from tui.engine.errors import EngineError

        files, problems = await asyncio.to_thread(_read, names, {})
        engine = self._desk.loading.engine
        about = "~ " if engine is None else ""
        counts: list[int | None] = [None if file.digest else int(len(file.text) / LETTERS_A_TOKEN) for file in files]
        if engine is not None:
            try:
                counts = [await _tokens(file, engine) for file in files]
            except EngineError:
                about = "~ "  # it is told where it happens; the estimates stand
        if len(files) > MOST_NAMED and None not in counts:
            told = [f"{plural(len(files), 'file')}, {about}{brief(sum(count or 0 for count in counts))} tokens"]
        else:
            sizes = [f", {about}{brief(count)} tokens" if count is not None else "" for count in counts]
            told = [
                f"{file.about if file.digest else file.name}{tokens}" for file, tokens in zip(files, sizes, strict=True)
            ]
        if any(file.digest for file in files) and self.seeing.loaded_without():
            problems = (*problems, "the model that is loaded cannot see images")
        seen = FilesSeen("; ".join((*told, *problems)), sum(count or 0 for count in counts))
        self._desk.app.post_message(seen)

    def on_files_seen(self, event: FilesSeen) -> None:
        """Say it, unless the prompt has been sent meanwhile."""
        there = "@" in self._desk.bench.chat.editor.text
        self._say(event.told if there else "", event.tokens if there else 0)

    def _say(self, words: str, tokens: int) -> None:
        if tokens != self.tokens:
            self.tokens = tokens
            self._desk.context.written()
        if words or self._told:
            self._told = bool(words)
            self._desk.bench.chat.set_attached(words)

    # ---- completing

    def on_prompt_editor_completing(self, event: PromptEditor.Completing) -> None:
        """Tab behind a path that is being written."""

        def work() -> None:
            from tui.chat.attachments import completions

            self._desk.app.post_message(CompletionsFound(event.begun, completions(event.begun, Path.cwd())))

        self._desk.background.thread(work, "complete", "complete a path")

    def on_completions_found(self, event: CompletionsFound) -> None:
        """Complete as far as it is clear; then have one chosen."""
        from tui.app.screens.choose import ChooseScreen, Option

        editor = self._desk.bench.chat.editor
        common = os.path.commonprefix(event.paths)  # noqa: RUF071 - the letters that are typed
        if editor.begun != event.begun:
            return
        if not event.paths:
            self._desk.tell(f"No file begins with {event.begun}.")
        elif len(event.paths) == 1 or len(common) > len(event.begun):
            editor.complete(common, whole=len(event.paths) == 1)
        else:
            options = [Option(path, path) for path in event.paths]

            def chosen(path: str | None) -> None:
                if path is not None:
                    editor.complete(path, whole=True)

            self._desk.app.push_screen(ChooseScreen("Attach which file?", options, self._desk.keymap), chosen)


async def _tokens(file: Attached, engine: RunningEngine) -> int | None:
    """How many tokens a file is; None for an image that the engine cannot see."""
    from tui.chat.attachments import located
    from tui.engine.protocol import ChatMessage, ImageFile

    if not file.digest:
        return await engine.count_tokens(text=file.text)
    if not engine.receipt.projector:
        return None
    image = ImageFile(file.digest, os.fsencode(located(file.name, Path.cwd())))
    alone, shown = (ChatMessage("user", ".", images=images) for images in ((), (image,)))
    return await engine.count_tokens(messages=[shown]) - await engine.count_tokens(messages=[alone])


def _read(
    names: Sequence[str], before: Mapping[str, Attached], images: Images | None = None
) -> tuple[tuple[Attached, ...], tuple[str, ...]]:
    """The files, and what is wrong with those that cannot go along; `before` are those that a message had already.
    Images are kept in `images`."""
    from tui.chat.attachments import AttachmentError, keep, read

    files: list[Attached] = []
    problems: list[str] = []
    for name in names:
        try:
            file = read(name, Path.cwd())
            if file is not None and file.digest and images is not None:
                keep(file, Path.cwd(), images)
        except AttachmentError as error:
            file = before.get(name)
            if file is None:
                problems.append(str(error))
        if file is not None:
            files.append(file)
    return tuple(files), tuple(problems)
