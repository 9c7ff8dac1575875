"""What was made last, kept for as long as that which it is made from stays the same: most of what a meter measures is
the same a second later, and so is what it makes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Thing = TypeVar("Thing")
Value = TypeVar("Value")


class Kept(Generic[Value]):
    """One value."""

    __slots__ = ("_made",)

    def __init__(self) -> None:
        self._made: tuple[object, Value] | None = None

    def get(self, key: object, make: Callable[[], Value]) -> Value:
        """The same again for an equal key, otherwise a new one."""
        if self._made is None or self._made[0] != key:
            self._made = (key, make())
        return self._made[1]


class Each(Generic[Thing, Value]):
    """A value for each thing of a list; only those of things that have changed are made anew."""

    __slots__ = ("_context", "_made")

    def __init__(self) -> None:
        self._context: object = None
        self._made: list[tuple[Thing, Value]] = []

    def get(self, things: Sequence[Thing], make: Callable[[Thing], Value], context: object = None) -> list[Value]:
        """The values, in the order of `things`; `context` is whatever else they are made from."""
        before = self._made if context == self._context else []
        self._made = [
            before[place] if place < len(before) and before[place][0] == thing else (thing, make(thing))
            for place, thing in enumerate(things)
        ]
        self._context = context
        return [value for _, value in self._made]
