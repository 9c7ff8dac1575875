"""The keys of the finder's list, where the focus is elsewhere in its panel: one moves in it while one types."""

from __future__ import annotations

from tui.app.panels.finder.list import FinderList


class ListKeys:
    """What these actions mean, they mean for the list."""

    found: FinderList

    def action_cursor_up(self) -> None:
        self.found.action_cursor_up()

    def action_cursor_down(self) -> None:
        self.found.action_cursor_down()

    def action_page_up(self) -> None:
        self.found.action_page_up()

    def action_page_down(self) -> None:
        self.found.action_page_down()

    def action_choose(self) -> None:
        self.found.action_choose()
