"""What each action of the table does: one method an action, named after it, and whether it would do something now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content

from tui.app import clipboard
from tui.app.actions import ACTIONS
from tui.app.keys import show_key
from tui.app.text import clean_lines, plural

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.library import Model

ONCE_MORE_S = 2.0
"""Two presses of ctrl+c within this time end the program."""


class Commands:
    """The actions of the groups "app" and "crash"; lists, the load panel and dialogs see to theirs themselves."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._interrupted_at = float("-inf")

    def can(self, action_id: str) -> bool:
        """True when the action would do something now; decides what footer and palette offer."""
        test: Callable[[], bool] | None = getattr(self, f"can_{action_id}", None)
        return test is None or test()

    async def run(self, action_id: str, *arguments: str) -> None:
        """Carry out an action."""
        result = getattr(self, action_id)(*arguments)
        if asyncio.iscoroutine(result):
            await result

    # ---- places

    def help(self) -> None:
        from tui.app.screens.read import ReadScreen, help_text

        desk = self._desk
        desk.app.push_screen(ReadScreen("Keys", help_text(desk.keymap, desk.app.glyphs.ascii), desk.keymap))

    def palette(self) -> None:
        from tui.app.screens.choose import ChooseScreen, Option

        desk = self._desk
        options = []
        for action in ACTIONS:
            if action.palette and self.can(action.id) and action.group in ("app", "crash"):
                keys = desk.keymap.keys[action.id]
                right = show_key(keys[0], desk.app.glyphs.ascii) if keys and not action.numbered else ""
                options.append(Option(action.id, action.title, action.help, right))

        async def chosen(action_id: str | None) -> None:
            if action_id is not None:
                await self.run(action_id)

        desk.app.push_screen(ChooseScreen("What now?", options, desk.keymap, empty="No such action."), chosen)

    def library(self) -> None:
        self._desk.bench.go("library")

    def chat(self) -> None:
        self._desk.bench.go("chat")

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
        bench = self._desk.bench
        if bench.view == "chat":
            bench.chat.leave()
        else:
            bench.go(bench.view)

    def can_leave(self) -> bool:
        return self._desk.bench.chat.writing and not self.can_stop()

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
                desk.background.keep_theme(name)

        desk.app.push_screen(ChooseScreen("Theme", options, desk.keymap, at=at, on_move=desk.try_theme), chosen)

    # ---- models

    def load(self) -> None:
        model = self._model_meant()
        if model is not None:
            self._desk.fit.open_panel(model)

    def can_load(self) -> bool:
        panel = self._desk.bench.load
        return self._model_meant() is not None and not (panel is not None and panel.has_focus_within)

    def _model_meant(self) -> Model | None:
        """The model in memory while one talks to it, else the selected one."""
        library, loading = self._desk.bench.library, self._desk.loading
        return loading.engines.model if loading.ready and not library.has_focus else library.selected

    def unload(self) -> None:
        self._desk.loading.unload()

    def can_unload(self) -> bool:
        return self._desk.loading.ready

    def rescan(self) -> None:
        self._desk.look_for_models()

    def engine_log(self) -> None:
        from tui.app.screens.read import ReadScreen

        lines = self._desk.loading.log or ("The engine has written nothing yet.",)
        text = Content("\n".join(clean_lines(line) for line in lines))
        self._desk.app.push_screen(ReadScreen("What the engine wrote last", text, self._desk.keymap, at_end=True))

    # ---- answers

    def stop(self) -> None:
        self._desk.chatting.stop()
        self._desk.loading.cancel()

    def can_stop(self) -> bool:
        return self._desk.loading.loading or self._desk.chatting.busy

    def again(self) -> None:
        self._desk.chatting.again()

    def can_again(self) -> bool:
        return self._desk.chatting.talk is not None and self._desk.chatting.talk.can_answer_again

    def new_chat(self) -> None:
        self._desk.chatting.new()

    def can_new_chat(self) -> bool:
        return self._desk.chatting.talk is not None and not self._desk.chatting.talk.busy

    async def conversations(self) -> None:
        await self._desk.chatting.choose()

    can_conversations = can_new_chat

    async def continue_last(self) -> None:
        await self._desk.chatting.continue_last()

    def can_continue_last(self) -> bool:
        return self._desk.chatting.cut_off is not None and not self._desk.chatting.busy

    def copy(self) -> None:
        answer = self._desk.chatting.talk and self._desk.chatting.talk.last_answer
        if answer:
            self._send_to_clipboard(answer.content, "The answer")

    def can_copy(self) -> bool:
        return self._desk.chatting.talk is not None and self._desk.chatting.talk.last_answer is not None

    def copy_block(self, number: str = "") -> None:
        blocks = self._desk.bench.chat.code_blocks()
        if not blocks:
            self._desk.app.notify("There is no code block in this conversation.", markup=False)
        elif number or len(blocks) == 1:
            self._copy_numbered(blocks, int(number or next(iter(blocks))))
        else:
            self._choose_block(blocks)

    can_copy_block = can_copy

    def _copy_numbered(self, blocks: dict[int, str], number: int) -> None:
        if number in blocks:
            self._send_to_clipboard(blocks[number], f"Code block {number}")
        else:
            self._desk.app.notify(f"There is no code block {number}; they go up to {max(blocks)}.", markup=False)

    def _choose_block(self, blocks: dict[int, str]) -> None:
        from tui.app.screens.choose import ChooseScreen, Option

        options = [
            Option(number, str(number), text.strip().partition("\n")[0], plural(text.count("\n") + 1, "line"))
            for number, text in blocks.items()
        ]

        def chosen(number: int | None) -> None:
            if number is not None:
                self._copy_numbered(blocks, number)

        self._desk.app.push_screen(ChooseScreen("Copy which block?", options, self._desk.keymap), chosen)

    def _send_to_clipboard(self, text: str, what: str) -> None:
        desk = self._desk
        desk.app.to_terminal(clipboard.sequence(text))
        words = f"{what} was sent to the terminal's clipboard."
        write = desk.keymap.keys["write_answer"]
        if clipboard.too_long(text):
            words = f"{what} is too long for most terminals' clipboards; it was sent all the same."
        if write:
            words += f" {show_key(write[0])} writes the answer to a file instead."
        desk.app.notify(words, markup=False)

    def write_answer(self) -> None:
        talk = self._desk.chatting.talk
        if talk is None or talk.last_answer is None:
            return
        title = talk.session.conversation.title if talk.session.conversation else "answer"
        try:
            path = clipboard.write_file(talk.last_answer.content, title, Path.cwd())
        except OSError as error:
            place = error.filename or Path.cwd()
            self._desk.app.notify(f"{place} could not be written: {error.strerror}.", severity="error", markup=False)
        else:
            self._desk.app.notify(f"The answer is in {path}.", markup=False)

    can_write_answer = can_copy

    # ---- an engine that stopped

    def reload_safer(self) -> None:
        crash = self._desk.bench.chat.crash
        if crash is not None:
            self._desk.loading.reload(crash, crash.safer.settings if crash.safer is not None else crash.settings)

    def can_reload_safer(self) -> bool:
        return self._desk.bench.chat.crash is not None

    def reload_same(self) -> None:
        crash = self._desk.bench.chat.crash
        if crash is not None:
            self._desk.loading.reload(crash, crash.settings)

    def can_reload_same(self) -> bool:
        crash = self._desk.bench.chat.crash
        return crash is not None and crash.safer is not None

    can_crash_log = can_reload_safer

    def crash_log(self) -> None:
        self.engine_log()

    # ---- the end

    async def quit(self) -> None:
        await self._desk.app.leave(0)

    async def interrupt(self) -> None:
        desk = self._desk
        selected = desk.app.screen.get_selected_text()
        if selected:
            desk.app.to_terminal(clipboard.sequence(selected))
            desk.app.screen.clear_selection()
            desk.app.notify("The selection was sent to the terminal's clipboard.", markup=False)
            return
        if self.can_stop():
            self.stop()
            return
        now = asyncio.get_running_loop().time()
        if now - self._interrupted_at < ONCE_MORE_S:
            await desk.app.leave(0)
            return
        self._interrupted_at = now
        desk.app.notify("Press ^c once more to end puna.", timeout=ONCE_MORE_S, markup=False)
