"""Conversations written to files, and files of conversations taken in."""

from __future__ import annotations

import os.path
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from tui.app.text import clean, plural

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.chat.exchange.files import Format
    from tui.chat.exchange.values import Portable
    from tui.chat.values import Conversation


@dataclass
class FileRead(Message):
    """The conversations of a file, or why there are none."""

    path: Path
    found: tuple[Portable, ...]
    problem: str = ""


class MovingFlow:
    """Asks for a path and does the rest in threads. A file that is there is never written over."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def take_out(self, one: Conversation) -> None:
        """Write a conversation to a file; the ending of its name says in which format."""
        from tui.app.screens.write import WriteScreen
        from tui.chat.exchange.files import file_stem

        stem = file_stem(one.title) or f"conversation-{one.id}"
        text = str(Path.cwd() / f"{stem}.md")

        async def written(path: str | None) -> None:
            if path:
                await self._export(one.id, _path(path))

        title = "Write to a file: .md for Markdown, .json for everything"
        self._desk.app.push_screen(WriteScreen(title, text, self._desk.keymap), written)

    async def _export(self, conversation_id: int, path: Path) -> None:
        from tui.app.speech import Told
        from tui.chat.exchange.files import written
        from tui.chat.exchange.moving import taken_out

        store, kind = self._desk.history.store, path.suffix.lower().removeprefix(".")
        if kind not in ("md", "json"):
            self._desk.tell(f"{path.name} ends with neither .md nor .json; nothing was written.", "warning")
            return
        if store is None:
            return
        known: Format = "md" if kind == "md" else "json"
        portable = await store.call(lambda store: taken_out(store, conversation_id))

        def work() -> None:
            try:
                with path.open("x", encoding="utf-8") as file:
                    file.write(written([portable], known))
            except FileExistsError:
                told = Told(f"{path} is there already, and was not written over. Choose another name.", "warning")
            except OSError as error:
                told = Told(f"{path} could not be written: {error.strerror}.", "error")
            else:
                told = Told(f"The conversation is in {path}.")
            self._desk.app.post_message(told)

        self._desk.background.thread(work, "export", f"write {path.name}", exclusive=False)

    def take_in(self) -> None:
        """Add the conversations of a file."""
        from tui.app.screens.write import WriteScreen

        def written(path: str | None) -> None:
            if path:
                self._read(_path(path))

        title = "Read from a file: puna's own, OpenAI-style, ShareGPT or ChatGPT's export"
        self._desk.app.push_screen(WriteScreen(title, f"{Path.cwd()}/", self._desk.keymap), written)

    def _read(self, path: Path) -> None:
        def work() -> None:
            from tui.chat.exchange.files import read_file
            from tui.chat.exchange.values import ExchangeError

            try:
                read = FileRead(path, read_file(path))
            except ExchangeError as error:
                read = FileRead(path, (), f"{error}.")
            self._desk.app.post_message(read)

        self._desk.background.thread(work, "import", f"read {path.name}", exclusive=False)

    async def on_file_read(self, event: FileRead) -> None:
        """Put them into the history, all or none."""
        from tui.chat.exchange.moving import put_in
        from tui.chat.store import Store

        if event.problem:
            self._desk.tell(event.problem, "error")
            return

        def job(store: Store) -> None:
            with store.transaction():
                for one in event.found:
                    put_in(store, one)

        if await self._desk.conversations.change(job):
            came = plural(len(event.found), "conversation")
            self._desk.tell(f"{came} came in from {clean(event.path.name)}.")


def _path(text: str) -> Path:
    """A path as people write it."""
    return Path(os.path.expanduser(text.strip()))  # noqa: PTH111 - Path.expanduser raises for an unknown user
