"""The keys of a list, where the focus is elsewhere beside it: one moves in it while one types."""

from __future__ import annotations

from typing import Any, Protocol

from tui.app.rows import RowList


class _HasRows(Protocol):
    @property
    def rows(self) -> RowList[Any]: ...


class ListKeys:
    """What these actions mean, they mean for the list, which is `rows`."""

    def action_cursor_up(self: _HasRows) -> None:
        self.rows.action_cursor_up()

    def action_cursor_down(self: _HasRows) -> None:
        self.rows.action_cursor_down()

    def action_page_up(self: _HasRows) -> None:
        self.rows.action_page_up()

    def action_page_down(self: _HasRows) -> None:
        self.rows.action_page_down()
