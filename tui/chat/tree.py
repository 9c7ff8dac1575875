"""The shape of a conversation: which message follows which, without any text. Pure; knows no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tree:
    """Messages as a tree of ids. Ids grow with age, so a parent's id is always smaller than its children's."""

    parents: Mapping[int, int | None]
    """Parent of each message; None for one that opens the conversation."""
    branches: Mapping[int | None, tuple[int, ...]]
    """Children of each message, oldest first; under None the messages that open the conversation."""
    leaf_id: int | None
    """Last message of the branch that is shown."""

    @classmethod
    def of(cls, links: Iterable[tuple[int, int | None]], leaf_id: int | None) -> Tree:
        """Build from (id, parent id) pairs in any order."""
        parents = dict(sorted(links))
        branches: dict[int | None, list[int]] = {}
        for message_id, parent_id in parents.items():
            branches.setdefault(parent_id, []).append(message_id)
        return cls(parents, {parent: tuple(ids) for parent, ids in branches.items()}, leaf_id)

    def children(self, message_id: int | None) -> tuple[int, ...]:
        """Messages that answer `message_id`, oldest first; of None, those that open the conversation."""
        return self.branches.get(message_id, ())

    def siblings(self, message_id: int) -> tuple[int, ...]:
        """The versions of a message, itself included, oldest first."""
        return self.children(self.parents[message_id])

    def path(self, message_id: int | None) -> tuple[int, ...]:
        """Ids from the opening message to `message_id`."""
        steps: list[int] = []
        while message_id is not None:
            steps.append(message_id)
            message_id = self.parents[message_id]
        return tuple(reversed(steps))

    def below(self, message_id: int) -> tuple[int, ...]:
        """A message and all that follows it, on every branch."""
        found = [message_id]
        for reached in found:  # grows while it is walked
            found += self.children(reached)
        return tuple(found)

    def newest_leaf(self, message_id: int) -> int:
        """The youngest message under `message_id`, or itself: where its branch was last written to."""
        newest = message_id
        level = list(self.children(message_id))
        while level:
            newest = max(newest, *level)
            level = [child for parent in level for child in self.children(parent)]
        return newest
