"""The front end with a screen: opens it, and gives the terminal back however it ends."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from tui.app.app import PunaApp
    from tui.config.glance import Glance
    from tui.config.paths import Paths

REPAINTS = "240"
"""How often a second Textual may write what has changed, read when it is imported. It bounds a wait, not the work: by
its own 60 a key typed while an answer streams waits for two of its frames (p99 of the echo 114 ms on 2 cores, 22
ms with 240).
"""


@dataclass(frozen=True, slots=True)
class Options:
    """Flags of the command line; None leaves it to config.toml."""

    theme: str | None = None
    ascii: bool | None = None
    mouse: bool | None = None


def run(
    open: Literal["workbench", "chat"] = "workbench",
    model: str | None = None,
    conversation: str | None = None,
    options: Options | None = None,
) -> int:
    """Open the workbench, with `model` loaded and the stored `conversation` (its number) shown; the exit code."""
    from tui.app.signals import Signals, is_terminal

    if not is_terminal():
        print("puna needs a terminal to draw on; in a pipe use `puna run MODEL PROMPT`.", file=sys.stderr)
        return 1
    number = _number(conversation)
    if conversation is not None and number is None:
        print(
            f"puna: {conversation!r} is not the number of a conversation; F6 in the workbench lists them.",
            file=sys.stderr,
        )
        return 2
    import gc

    gc.disable()  # until the first frame is drawn: what is imported and made for it stays anyway
    signals = Signals()
    signals.install()
    os.environ.setdefault("TEXTUAL_FPS", REPAINTS)
    from tui.config.errors import ConfigError
    from tui.config.glance import glance
    from tui.config.paths import paths

    try:
        where = paths()
    except ConfigError as error:
        print(f"puna: {error}", file=sys.stderr)
        return 1
    chosen = options or Options()
    ui = glance(where)
    app = _make(where, ui, chosen, open, model, number)
    mouse = chosen.mouse if chosen.mouse is not None else ui.mouse
    code = _run(app, signals, mouse)
    if app.last_words:
        print(app.last_words, file=sys.stderr)
    return code


def _make(
    where: Paths, ui: Glance, options: Options, view: str, model: str | None, conversation: int | None
) -> PunaApp:
    """The app with what its first frame shows."""
    from tui.app import remember
    from tui.app.app import Opening, PunaApp
    from tui.app.look import wants_ascii
    from tui.app.panels.meter.first import first_look
    from tui.app.themes import ThemeBook
    from tui.config.paths import share
    from tui.library import cached

    theme = options.theme if options.theme is not None else ui.theme
    ascii_only = options.ascii if options.ascii is not None else ui.ascii
    used = remember.read(where).get("model")
    opening = Opening(
        view="chat" if view == "chat" or model or conversation is not None else "library",
        model=model or "",
        conversation=conversation,
        prefer=used if isinstance(used, str) else "",
        theme=theme,
        ascii_only=wants_ascii(ascii_only),
    )
    book = ThemeBook(share("themes"), where.user_themes_dir)
    return PunaApp(where, book, opening, models=cached(where), meter=first_look())


def _run(app: PunaApp, signals: Any, mouse: bool) -> int:
    """Run the app to its end, and its engine's; the exit code."""
    import asyncio

    async def session() -> int:
        loop = asyncio.get_running_loop()
        signals.attach(lambda number: loop.call_soon_threadsafe(app.leave_soon, 128 + number), lambda: app._driver)
        try:
            await app.run_async(mouse=mouse)
        finally:
            signals.detach()
            if app.settled:
                await app.desk.fit.close()
                await app.desk.loading.close()
            signals.expect_end(code())
        return code()

    def code() -> int:
        return 128 + signals.received if signals.received is not None else app.return_code or 0

    return asyncio.run(session())


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() and len(text) < 19 else None


if __name__ == "__main__":
    sys.exit(run())
