"""What is done with models that are not here yet, or have just come."""

from __future__ import annotations

from tui.app.commands.part import Part


class Fetch(Part):
    """Downloads, from wherever one is."""

    async def downloads(self) -> None:
        await self._desk.downloads.open_view()

    def pull(self) -> None:
        self._desk.downloads.ask()

    def load_fetched(self) -> None:
        self._desk.downloads.arrived.load()

    def can_load_fetched(self) -> bool:
        return self._desk.downloads.arrived.last is not None
