"""What each action of the groups COMMANDS does; lists, the load panel and dialogs see to theirs themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tui.app.commands.answers import Answers
from tui.app.commands.end import End
from tui.app.commands.fetch import Fetch
from tui.app.commands.library import Library
from tui.app.commands.models import Models
from tui.app.commands.panes import Panes
from tui.app.commands.part import Part
from tui.app.commands.places import Places

if TYPE_CHECKING:
    from tui.app.desk import Desk

PARTS: Final[tuple[type[Part], ...]] = (Places, Models, Library, Fetch, Answers, Panes, End)
"""Whose methods the actions are."""


class Commands:
    """Finds the method of an action, and says whether it would do something now."""

    def __init__(self, desk: Desk) -> None:
        self._parts = tuple(part(desk, self) for part in PARTS)

    def can(self, action_id: str) -> bool:
        """True when the action would do something now; decides what footer and palette offer."""
        test = self._method(f"can_{action_id}")
        return test is None or test()

    async def run(self, action_id: str, *arguments: str) -> None:
        """Carry out an action."""
        method = self._method(action_id)
        assert method is not None, action_id
        result = method(*arguments)
        if asyncio.iscoroutine(result):
            await result

    def _method(self, name: str) -> Callable[..., Any] | None:
        return next((method for part in self._parts if (method := getattr(part, name, None)) is not None), None)
