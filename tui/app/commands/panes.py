"""What is done with two panes: opened and closed, chosen between, compared."""

from __future__ import annotations

from tui.app.commands.part import Part


class Panes(Part):
    """The panes of the chat."""

    async def split(self) -> None:
        if self._desk.panes.split:
            await self._desk.panes.close()
        else:
            self._desk.splitting.choose()

    def can_split(self) -> bool:
        chatting, known = self._desk.chatting, self._desk.bench.library.known
        return self._desk.panes.split or (chatting.talk is not None and known and not chatting.any_busy)

    def other_pane(self) -> None:
        desk, other = self._desk, self._desk.panes.other
        if other is not None:
            focused = desk.bench.chat.transcript.has_focus
            desk.panes.choose(other)
            if focused:
                other.view.transcript.focus()

    def can_other_pane(self) -> bool:
        return self._desk.panes.split

    def aim(self) -> None:
        self._desk.panes.change_aim()

    can_aim = can_other_pane

    async def vote_left(self) -> None:
        await self._desk.votes.vote("left")

    async def vote_right(self) -> None:
        await self._desk.votes.vote("right")

    async def vote_tie(self) -> None:
        await self._desk.votes.vote("tie")

    def can_vote_left(self) -> bool:
        return self._desk.votes.pair is not None

    can_vote_right = can_vote_tie = can_vote_left

    def blind(self) -> None:
        self._desk.votes.switch_blind()

    can_blind = can_other_pane

    async def votes(self) -> None:
        await self._desk.votes.show()

    def pane_sampling(self) -> None:
        self._desk.splitting.ask_sampling()

    can_pane_sampling = can_other_pane

    def exchange_models(self) -> None:
        self._desk.panes.exchange_models()

    can_exchange_models = can_other_pane
