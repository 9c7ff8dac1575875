"""Where one goes: panels, the palette, help, themes."""

from __future__ import annotations

from tui.app.commands.part import Part
from tui.app.keys import show_key
from tui.config.actions import ACTIONS, COMMANDS


class Places(Part):
    """Going from one part of the screen to another."""

    def help(self) -> None:
        from tui.app.screens.read import ReadScreen, help_text

        desk = self._desk
        desk.app.push_screen(ReadScreen("Keys", help_text(desk.keymap, desk.app.glyphs.ascii), desk.keymap))

    def palette(self) -> None:
        from tui.app.screens.choose import ChooseScreen, Option

        desk = self._desk
        options = []
        for action in ACTIONS:
            if action.palette and self._commands.can(action.id) and action.group in COMMANDS:
                keys = desk.keymap.keys[action.id]
                right = show_key(keys[0], desk.app.glyphs.ascii) if keys and not action.numbered else ""
                options.append(Option(action.id, action.title, action.help, right))

        async def chosen(action_id: str | None) -> None:
            if action_id is not None:
                await self._commands.run(action_id)

        desk.app.push_screen(ChooseScreen("What now?", options, desk.keymap, empty="No such action."), chosen)

    def library(self) -> None:
        self._desk.bench.go("library")

    async def find(self) -> None:
        await self._desk.finder.open()

    def can_find(self) -> bool:
        return not self._desk.finder.searching

    def chat(self) -> None:
        self._desk.bench.go("chat")

    def can_chat(self) -> bool:
        return not (self._desk.bench.view == "chat" and self._desk.bench.chat.writing)

    def meter(self) -> None:
        if self._desk.bench.view == "meter":
            self._desk.bench.leave_meter()
        else:
            self._desk.bench.go("meter")

    def next_part(self) -> None:
        self._desk.app.screen.focus_next()

    def previous_part(self) -> None:
        self._desk.app.screen.focus_previous()

    def leave(self) -> None:
        if self._desk.branches.leave():
            return
        bench = self._desk.bench
        if bench.view == "chat":
            bench.chat.leave()
        else:
            bench.go(bench.view)

    def can_leave(self) -> bool:
        return self._desk.bench.chat.writing and not self._commands.can("stop")

    def theme(self) -> None:
        from tui.app.screens.choose import ChooseScreen, Option

        desk, before = self._desk, self._desk.app.theme
        book = desk.app.book
        book.problems()  # reads them all
        options = [Option(name, name, book.about(name)) for name in book.names]
        at = next((index for index, option in enumerate(options) if option.value == before), 0)

        def chosen(name: str | None) -> None:
            if name is None:
                desk.try_theme(before)
            elif name != before:
                desk.background.keep_setting("ui.theme", name)

        desk.app.push_screen(ChooseScreen("Theme", options, desk.keymap, at=at, on_move=desk.try_theme), chosen)
