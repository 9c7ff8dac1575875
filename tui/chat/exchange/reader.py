"""JSON that somebody else wrote, read piece by piece: what is not as it should be is told with its place."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui.chat.exchange.values import ExchangeError

if TYPE_CHECKING:
    from tui.engine.protocol import Role

ROLES: Mapping[str, Role] = {
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "bot": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "system": "system",
    "developer": "system",
}
"""What programs call who speaks."""


@dataclass(frozen=True, slots=True)
class Part:
    """One object of a document, and where it is."""

    value: Mapping[str, Any]
    where: str
    """Such as `conversations[2].messages[0]`; empty for the whole."""

    def wrong(self, key: str, wanted: str) -> ExchangeError:
        """The error for a key that is not what it should be."""
        return ExchangeError(f"{self._at(key)} is not {wanted}")

    def text(self, key: str) -> str:
        """A text; empty where there is none."""
        found = self.value.get(key)
        if found is None:
            return ""
        if not isinstance(found, str):
            raise self.wrong(key, "a text")
        return found

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty where there is none."""
        found = self.value.get(key) or ()
        if not isinstance(found, list | tuple) or not all(isinstance(one, str) for one in found):
            raise self.wrong(key, "a list of texts")
        return tuple(found)

    def number(self, key: str) -> float:
        """A finite number."""
        found = self.optional_number(key)
        if found is None:
            raise self.wrong(key, "a number")
        return found

    def optional_number(self, key: str) -> float | None:
        """A finite number, or None where there is none."""
        found = self.value.get(key)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
            raise self.wrong(key, "a number")
        return float(found)

    def optional_place(self, key: str, below: int) -> int | None:
        """A place in a list, smaller than `below`, or None where there is none."""
        found = self.value.get(key)
        if found is None:
            return None
        if type(found) is not int or not 0 <= found < below:
            raise self.wrong(key, f"a place before {below}")
        return found

    def role(self, key: str) -> Role:
        """Who speaks."""
        found = self.value.get(key)
        known = ROLES.get(found.casefold()) if isinstance(found, str) else None
        if known is None:
            raise self.wrong(key, "a role that is known (user, assistant, system)")
        return known

    def parts(self, key: str) -> Iterator[Part]:
        """The objects of a list."""
        found = self.value.get(key)
        if not isinstance(found, list):
            raise self.wrong(key, "a list")
        return parts_of(found, self._at(key))

    def _at(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where else key


def parts_of(found: list[Any], where: str) -> Iterator[Part]:
    """The objects of a list that is at `where`."""
    for at, one in enumerate(found):
        if not isinstance(one, dict):
            raise ExchangeError(f"{where}[{at}] is not an object")
        yield Part(one, f"{where}[{at}]")
