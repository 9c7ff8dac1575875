"""What is done with answers and conversations."""

from __future__ import annotations

from pathlib import Path

from tui.app import clipboard
from tui.app.commands.part import Part
from tui.app.text import plural


class Answers(Part):
    """The running answer, the last one, and the conversations."""

    def stop(self) -> None:
        self._desk.chatting.stop()
        self._desk.loading.cancel()

    def can_stop(self) -> bool:
        return self._desk.loading.loading or self._desk.chatting.any_busy

    def again(self) -> None:
        self._desk.chatting.again()

    def can_again(self) -> bool:
        return self._desk.chatting.talk is not None and self._desk.chatting.talk.can_answer_again

    def go_on(self) -> None:
        self._desk.chatting.go_on_writing()

    def can_go_on(self) -> bool:
        return self._desk.chatting.talk is not None and self._desk.chatting.talk.can_go_on

    def begin_answer(self) -> None:
        from tui.app.screens.write import WriteScreen

        def written(text: str | None) -> None:
            if text:
                self._desk.chatting.again(begin=text)

        self._desk.app.push_screen(WriteScreen("The answer begins with", "", self._desk.keymap), written)

    can_begin_answer = can_again

    def thinking_switch(self) -> None:
        self._desk.chatting.switch_thinking()

    def can_thinking_switch(self) -> bool:
        return self._desk.loading.ready and self._desk.loading.thinking_switch

    async def undelete(self) -> None:
        await self._desk.branches.undelete()

    def can_undelete(self) -> bool:
        return self._desk.branches.can_restore

    def own_editor(self) -> None:
        self._desk.writing.open()

    def preset(self) -> None:
        self._desk.presets.choose()

    def new_chat(self) -> None:
        self._desk.chatting.new()

    def can_new_chat(self) -> bool:
        return self._desk.chatting.talk is not None and not self._desk.chatting.talk.busy

    async def conversations(self) -> None:
        await self._desk.conversations.show()

    def can_conversations(self) -> bool:
        return self._desk.history.store is not None

    async def continue_last(self) -> None:
        await self._desk.history.continue_last()

    def can_continue_last(self) -> bool:
        return self._desk.history.cut_off is not None and not self._desk.chatting.busy

    def copy(self) -> None:
        answer = self._desk.chatting.talk and self._desk.chatting.talk.last_answer
        if answer:
            self._desk.copy(answer.content, "The answer")

    def can_copy(self) -> bool:
        return self._desk.chatting.talk is not None and self._desk.chatting.talk.last_answer is not None

    def copy_block(self, number: str = "") -> None:
        blocks = self._desk.bench.chat.pane.code_blocks
        if not blocks:
            self._desk.app.notify("There is no code block in this conversation.", markup=False)
        elif number or len(blocks) == 1:
            self._copy_numbered(blocks, int(number or next(iter(blocks))))
        else:
            self._choose_block(blocks)

    can_copy_block = can_copy

    def _copy_numbered(self, blocks: dict[int, str], number: int) -> None:
        if number in blocks:
            self._desk.copy(blocks[number], f"Code block {number}")
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
