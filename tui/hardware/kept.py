"""What was made last, kept for as long as that which it is made from stays the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """One value: most of what is measured is the same a second later, and so is what is made of it."""

    __slots__ = ("_made",)

    def __init__(self) -> None:
        self._made: tuple[object, Value] | None = None

    def get(self, key: object, make: Callable[[], Value]) -> Value:
        """The same again for an equal key, otherwise a new one."""
        if self._made is None or self._made[0] != key:
            self._made = (key, make())
        return self._made[1]
