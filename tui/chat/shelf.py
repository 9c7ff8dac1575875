"""The conversations of a history as things to keep in order: made, named, pinned, tagged, put away, deleted, restored.

Nothing here looks into messages beyond the first words of a title; `store` builds on it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tui.chat import records
from tui.chat.attachments import first_words
from tui.chat.database import Database
from tui.chat.images import Images
from tui.chat.records import Which
from tui.chat.search import has_word
from tui.chat.text import one_line, storable
from tui.chat.values import Conversation, PresetChoice

DELETED_S = 30 * 86400.0
"""How long what was deleted can be brought back."""
ALL = 1 << 31
"""A limit that no history reaches."""
TAG_CHARS = 40


class Shelf:
    """The conversations in one history file. Every method may raise StoreError, whose text is for the person."""

    def __init__(self, database: Database, path: Path | None, clock: Callable[[], float]) -> None:
        """`clock` gives Unix seconds."""
        self.path = path
        self._database = database
        self._clock = clock

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing for the calls inside; keep it short, other punas wait."""
        with self._database.transaction():
            yield

    def create_conversation(self, title: str = "", system: str = "", model: str = "") -> Conversation:
        """A new, empty conversation. Without a title it takes the first words of its first message."""
        now = self._clock()
        conversation_id = self._database.insert(
            "INSERT INTO conversations (title, system, model, created, updated) VALUES (?, ?, ?, ?, ?)",
            (one_line(title), storable(system), storable(model), now, now),
        )
        return self.conversation(conversation_id)

    def conversation(self, conversation_id: int) -> Conversation:
        """One conversation, a deleted one included."""
        return records.conversation(self._database, conversation_id)

    def conversations(self, limit: int = ALL, *, which: Which = "open", tag: str = "") -> tuple[Conversation, ...]:
        """The conversations of one kind: pinned ones, then the one that changed last first. `tag` keeps those that have
        it."""
        return records.conversations(self._database, limit=limit, which=which, tag=tag)

    def deleted(self, limit: int = ALL) -> tuple[Conversation, ...]:
        """The conversations that can be restored."""
        return self.conversations(limit, which="deleted")

    def rename(self, conversation_id: int, title: str) -> Conversation:
        """Give a conversation another title; an empty one brings back its first words."""
        with self.transaction():
            chosen = one_line(title)
            if not chosen:
                opening = records.children(self._database, conversation_id, None)
                chosen = first_words(opening[0].content) if opening else ""
            return self._change(conversation_id, "title = ?", chosen)

    def set_system(self, conversation_id: int, system: str) -> Conversation:
        """Give a conversation another system prompt; empty is none."""
        return self._change(conversation_id, "system = ?", storable(system))

    def leave_out(self, conversation_id: int, message_id: int | None, summary: str = "") -> Conversation:
        """Send the model no message up to this one any more, but `summary` for them; None sends all again."""
        return self._change(conversation_id, "left_out_to = ?, summary = ?", message_id, storable(summary))

    def set_preset(self, conversation_id: int, preset: PresetChoice | None) -> Conversation:
        """Keep how a conversation is answered; None is as usual. The system prompt is `set_system`'s."""
        text = "" if preset is None else json.dumps({"name": preset.name, "sampling": dict(preset.sampling)})
        return self._change(conversation_id, "preset = ?", storable(text))

    def pin(self, conversation_id: int, pinned: bool = True) -> Conversation:
        """Keep a conversation on top of the list, or no longer."""
        return self._change(conversation_id, "pinned = ?", self._clock() if pinned else None)

    def archive(self, conversation_id: int, archived: bool = True) -> Conversation:
        """Put a conversation out of the list, where search still finds it, or back."""
        return self._change(conversation_id, "archived = ?", self._clock() if archived else None)

    def set_draft(self, conversation_id: int, draft: str) -> None:
        """Keep what is written and not sent yet; empty is nothing."""
        self._change(conversation_id, "draft = ?", storable(draft))

    def draft(self, conversation_id: int) -> str:
        """What was written in a conversation and not sent."""
        found = self._database.row("SELECT draft FROM conversations WHERE id = ?", (conversation_id,))
        if found is None:
            raise records.no_conversation(conversation_id, self.path)
        return str(found[0])

    def set_tags(self, conversation_id: int, tags: Iterable[str]) -> Conversation:
        """Give a conversation exactly these tags; each is one line of at most TAG_CHARS characters, without commas."""
        chosen = dict.fromkeys(tag for raw in tags if (tag := tag_from(raw)))
        with self.transaction():
            self.conversation(conversation_id)
            self._database.execute("DELETE FROM tags WHERE conversation_id = ?", (conversation_id,))
            for tag in chosen:
                self._database.execute("INSERT INTO tags (conversation_id, tag) VALUES (?, ?)", (conversation_id, tag))
            return self.conversation(conversation_id)

    def tags(self) -> tuple[tuple[str, int], ...]:
        """Every tag in use and how many conversations have it, by name; those of deleted ones do not count."""
        return tuple(
            (tag, count)
            for tag, count in self._database.rows(
                "SELECT tag, count(*) FROM tags JOIN conversations ON conversations.id = conversation_id "
                "WHERE deleted IS NULL GROUP BY tag ORDER BY tag"
            )
        )

    def date(
        self, conversation_id: int, created: float | None, updated: float | None, leaf_id: int | None
    ) -> Conversation:
        """Give a conversation the times of one that comes from elsewhere, and the branch to show; None leaves one."""
        return self._change(
            conversation_id,
            "created = coalesce(?, created), updated = coalesce(?, updated), leaf_id = coalesce(?, leaf_id)",
            created,
            updated,
            leaf_id,
        )

    def delete(self, conversation_id: int) -> None:
        """Delete a conversation so that `restore` can undo it."""
        self._change(conversation_id, "deleted = coalesce(deleted, ?)", self._clock())

    def restore(self, conversation_id: int) -> Conversation:
        """Undo a deletion."""
        return self._change(conversation_id, "deleted = ?", None)

    def purge(self, older_than_s: float = 0.0) -> int:
        """Remove for good what was deleted at least this many seconds ago, single messages included; how many
        conversations."""
        gone = "SELECT id FROM conversations WHERE deleted <= ?1"
        messages = f"SELECT id FROM messages WHERE deleted <= ?1 OR conversation_id IN ({gone})"
        before, began = (self._clock() - older_than_s,), self._began
        with self.transaction():
            self._database.execute(f"DELETE FROM chunks WHERE message_id IN ({messages})", before)
            self._database.execute(f"DELETE FROM messages WHERE id IN ({messages})", before)
            self._database.execute(f"DELETE FROM tags WHERE conversation_id IN ({gone})", before)
            purged = self._database.execute("DELETE FROM conversations WHERE deleted <= ?1", before)
        self._sweep_images(began)
        return purged

    @property
    def _began(self) -> float | None:
        """When the oldest conversation was begun, in Unix seconds; None without any."""
        began: float | None = self._database.value("SELECT min(created) FROM conversations")
        return began

    def _sweep_images(self, began: float | None) -> None:
        """Delete the images that no message has, of a history that `began` then. Their names are words of the messages'
        index.
        """
        if self.path is not None and began is not None:
            images = Images.beside(self.path)
            images.sweep(lambda digest: has_word(self._database, digest), began=began, now=self._clock())

    def _change(self, conversation_id: int, what: str, *values: object) -> Conversation:
        with self.transaction():
            if not self._database.execute(f"UPDATE conversations SET {what} WHERE id = ?", (*values, conversation_id)):
                raise records.no_conversation(conversation_id, self.path)
            return self.conversation(conversation_id)


def tag_from(text: str) -> str:
    """A tag as it is kept: one line, without the comma that parts tags from each other; empty when nothing is left."""
    return one_line(text.replace(",", " "))[:TAG_CHARS].strip()
