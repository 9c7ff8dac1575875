"""The prompt in the person's own editor: the screen makes room for it and comes back when it ends.

The loop goes on meanwhile, so that an answer is stored as it streams; nothing of ours is drawn until the editor has
ended.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported
from textual.message import Message

if TYPE_CHECKING:
    from tui.app.desk import Desk

USUAL = "vi"
"""What is started where neither VISUAL nor EDITOR is set, as other programs do."""


@dataclass
class EditorEnded(Message):
    """The person's editor has ended, or could not be started."""

    text: str | None
    """What was written; None where the prompt stays as it is."""
    problem: str = ""


class WritingFlow:
    """Starts the editor."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def open(self) -> None:
        """Write on in the editor that VISUAL or EDITOR names."""
        self._desk.app.run_worker(
            self._edit(self._desk.bench.chat.editor.text), group="editor", description="start the editor",
            exclusive=True, exit_on_error=False,
        )  # fmt: skip

    async def _edit(self, text: str) -> None:
        command = command_of(os.environ)
        path = await asyncio.to_thread(_put, text)
        try:
            ended = await self._run(command, path)
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)
        self._desk.app.post_message(ended)

    async def _run(self, command: Sequence[str], path: Path) -> EditorEnded:
        program, code, failure = command[0], 0, ""
        try:
            with _interrupts_are_the_editors(), self._desk.app.suspend():
                try:  # an exception must not leave this block: Textual would not take the terminal back
                    process = await asyncio.create_subprocess_exec(*command, str(path))
                    code = await process.wait()
                except OSError as error:
                    failure = f"{program} could not be started: {(error.strerror or str(error)).lower()}"
        except SuspendNotSupported:
            failure = "this terminal cannot make room for another program"
        if failure:
            return EditorEnded(None, f"{failure}. The environment variable EDITOR says which editor is meant.")
        if code:
            return EditorEnded(None, f"{program} ended with {code}; the prompt is as it was.")
        return await asyncio.to_thread(_got, path)

    def on_editor_ended(self, event: EditorEnded) -> None:
        """Take over what was written."""
        self._desk.tell(event.problem, "warning")
        if event.text is not None:
            editor = self._desk.bench.chat.editor
            if event.text != editor.text:
                editor.text = event.text
            self._desk.bench.go("chat")


def command_of(environ: Mapping[str, str]) -> list[str]:
    """The editor with its options."""
    wanted = environ.get("VISUAL") or environ.get("EDITOR") or USUAL
    try:
        return shlex.split(wanted) or [USUAL]
    except ValueError:  # a quote is never closed
        return [wanted]


@contextmanager
def _interrupts_are_the_editors() -> Iterator[None]:
    """A key such as ctrl+c goes to every program of the terminal; while the editor runs, it is meant for that one."""
    numbers = (signal.SIGINT, signal.SIGQUIT)
    before = [signal.signal(number, lambda *_: None) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _put(text: str) -> Path:
    """A file with the prompt that only this person can read."""
    descriptor, name = tempfile.mkstemp(prefix="puna-", suffix=".md")
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
    return Path(name)


def _got(path: Path) -> EditorEnded:
    """What was written, without the line end that editors add."""
    from tui.config.errors import ConfigError
    from tui.config.files import read_text

    try:
        text = read_text(path)
    except ConfigError as error:
        return EditorEnded(None, f"{error.message[:1].upper()}{error.message[1:]}; the prompt is as it was.")
    return EditorEnded(None if text is None else text.removesuffix("\n"))
