"""The store of conversations: one SQLite file, used from one thread, shared with other running punas.

What is stored is committed when a method returns; it survives a kill of the process. Nothing here waits for a model.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tui.chat import answers, records
from tui.chat import search as searching
from tui.chat.errors import StoreError
from tui.chat.failures import from_os
from tui.chat.opening import open_database
from tui.chat.owners import Owner, sweep
from tui.chat.text import one_line, storable, title_from
from tui.chat.tree import Tree
from tui.chat.values import Conversation, Message, MessageState, OpenReport, Piece, SearchHit

if TYPE_CHECKING:
    from tui.engine.protocol import Channel, DoneReason, Role

ALL = 1 << 31
"""A limit that no history reaches."""


class Store:
    """Conversations and their messages. Every method may raise StoreError, whose text is for the person."""

    def __init__(self, path: Path | None, *, clock: Callable[[], float] = time.time) -> None:
        """Open or create the history at `path`; None keeps it in memory, for a machine on which nothing can be
        written. `clock` gives Unix seconds. The store belongs to the thread that makes it."""
        self.path = path
        self._clock = clock
        self._locks = None if path is None else path.with_name(f"{path.name}.owners")
        self._owner = Owner(self._locks)
        self._closed = False
        opened = open_database(path, clock)
        self._database = opened.database
        try:
            recovered = answers.recover(self._database, self._locks, self._owner.token)
            if self._locks is not None:
                sweep(self._locks)
        except BaseException:
            self._database.close()
            raise
        self.report = OpenReport(recovered, opened.set_aside, opened.migrated_from)
        """What was found and done while opening; worth telling."""

    def close(self) -> None:
        """Cut what still streams, and close; once."""
        if self._closed:
            return
        self._closed = True
        try:
            answers.cut_all(self._database, self._owner.token)
        finally:
            self._database.close()
            self._owner.release()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing for the calls inside; keep it short, other punas wait."""
        with self._database.transaction():
            yield

    # ---- conversations ------------------------------------------------------------------------------------------

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

    def conversations(self, limit: int = ALL) -> tuple[Conversation, ...]:
        """The conversations that are not deleted, the one that changed last first."""
        return records.conversations(self._database, limit=limit, deleted=False)

    def deleted(self, limit: int = ALL) -> tuple[Conversation, ...]:
        """The conversations that can be restored."""
        return records.conversations(self._database, limit=limit, deleted=True)

    def rename(self, conversation_id: int, title: str) -> Conversation:
        """Give a conversation another title; an empty one brings back its first words."""
        with self.transaction():
            chosen = one_line(title)
            if not chosen:
                opening = self.children(conversation_id, None)
                chosen = title_from(opening[0].content) if opening else ""
            self._change(conversation_id, "title = ?", chosen)
            return self.conversation(conversation_id)

    def set_system(self, conversation_id: int, system: str) -> Conversation:
        """Give a conversation another system prompt; empty is none."""
        with self.transaction():
            self._change(conversation_id, "system = ?", storable(system))
            return self.conversation(conversation_id)

    def delete(self, conversation_id: int) -> None:
        """Delete a conversation so that `restore` can undo it."""
        self._change(conversation_id, "deleted = coalesce(deleted, ?)", self._clock())

    def restore(self, conversation_id: int) -> Conversation:
        """Undo a deletion."""
        with self.transaction():
            self._change(conversation_id, "deleted = ?", None)
            return self.conversation(conversation_id)

    def purge(self, older_than_s: float = 0.0) -> int:
        """Remove for good what was deleted at least this many seconds ago; how many conversations."""
        gone = "SELECT id FROM conversations WHERE deleted <= ?"
        before = self._clock() - older_than_s
        with self.transaction():
            inside = f"SELECT id FROM messages WHERE conversation_id IN ({gone})"
            self._database.execute(f"DELETE FROM chunks WHERE message_id IN ({inside})", (before,))
            self._database.execute(f"DELETE FROM messages WHERE conversation_id IN ({gone})", (before,))
            return self._database.execute("DELETE FROM conversations WHERE deleted <= ?", (before,))

    # ---- messages -----------------------------------------------------------------------------------------------

    def add_message(
        self,
        conversation_id: int,
        parent_id: int | None,
        role: Role,
        content: str,
        *,
        model: str = "",
        thinking: str = "",
        reason: DoneReason | None = None,
        timings: Mapping[str, object] | None = None,
        created: float | None = None,
    ) -> Message:
        """Store a whole message behind `parent_id` (None: as an opening one) and show its branch. Another message
        behind the same parent is a new version of it: how an edit is stored."""
        return self._insert(
            conversation_id, parent_id, role, storable(content), model, "done", thinking=storable(thinking),
            reason=reason, timings=timings, created=created,
        )  # fmt: skip

    def message(self, message_id: int) -> Message:
        """One message; of an answer that streams, what is stored of it so far."""
        return records.message(self._database, message_id)

    def children(self, conversation_id: int, parent_id: int | None) -> tuple[Message, ...]:
        """The messages behind `parent_id` (None: the opening ones), oldest first: versions of one another."""
        return records.children(self._database, conversation_id, parent_id)

    def tree(self, conversation_id: int) -> Tree:
        """The shape of a conversation, all branches, without texts."""
        return records.tree(self._database, conversation_id)

    def thread(self, conversation_id: int, leaf_id: int | None = None) -> tuple[Message, ...]:
        """The messages from the opening one to `leaf_id`, or to the end of the branch that is shown."""
        if leaf_id is None:
            leaf_id = self.conversation(conversation_id).leaf_id
        return () if leaf_id is None else records.path(self._database, conversation_id, leaf_id)

    def select(self, message_id: int) -> Conversation:
        """Show the branch of a message, to where that branch was last written to."""
        with self.transaction():
            conversation_id = self.message(message_id).conversation_id
            self._change(conversation_id, "leaf_id = ?", self.tree(conversation_id).newest_leaf(message_id))
            return self.conversation(conversation_id)

    def search(self, text: str, limit: int = 50) -> tuple[SearchHit, ...]:
        """Titles, then messages, that have every word of `text` (any text), or words that begin so; newest first.
        Answers that stream are found when they have ended."""
        return searching.search(self._database, text, limit)

    # ---- answers ------------------------------------------------------------------------------------------------

    def begin_answer(self, parent_id: int, model: str = "") -> Message:
        """Begin an answer to message `parent_id`; a second one to the same message is a new version of it."""
        self._claim()
        with self.transaction():
            conversation_id = self.message(parent_id).conversation_id
            answer = self._insert(
                conversation_id, parent_id, "assistant", "", storable(model), "streaming", owner=self._owner.token
            )
            if model:
                self._change(conversation_id, "model = ?", storable(model))
            return answer

    def resume_answer(self, message_id: int) -> Message:
        """Stream on in an answer that ended; what it has is kept, what follows goes behind it."""
        self._claim()
        answers.resume(self._database, self._owner.token, message_id)
        return self.message(message_id)

    def append(self, message_id: int, text: str, channel: Channel = "answer") -> None:
        """Commit more text of an answer; call it for every few tenths of a second of text, not for every token."""
        self.append_pieces(message_id, [(channel, text)])

    def append_pieces(self, message_id: int, pieces: Sequence[Piece]) -> None:
        """Commit more text of an answer, in order, all of it or nothing."""
        answers.append(self._database, self._owner.token, message_id, pieces)

    def finish(
        self,
        message_id: int,
        reason: DoneReason,
        timings: Mapping[str, object] | None = None,
        *,
        error: str = "",
        rest: Sequence[Piece] = (),
    ) -> None:
        """End an answer: `rest` is text not yet appended. Cancelled and failed answers are "cut", others "done"."""
        answers.finish(
            self._database, self._owner.token, message_id, reason=reason, timings=timings, error=error, rest=rest
        )

    # ---- inside -------------------------------------------------------------------------------------------------

    def _claim(self) -> None:
        try:
            self._owner.claim()
        except OSError as error:
            raise from_os(error, self.path or Path("history")) from error

    def _insert(
        self,
        conversation_id: int,
        parent_id: int | None,
        role: Role,
        content: str,
        model: str,
        state: MessageState,
        *,
        owner: str | None = None,
        thinking: str = "",
        reason: DoneReason | None = None,
        timings: Mapping[str, object] | None = None,
        created: float | None = None,
    ) -> Message:
        now = self._clock()
        with self.transaction():
            title = self.conversation(conversation_id).title
            message_id = self._database.insert(
                "INSERT INTO messages (conversation_id, parent_id, role, model, created, state, owner, reason, "
                "timings, error, thinking, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?)",
                (conversation_id, parent_id, role, storable(model), now if created is None else created, state, owner,
                 reason, records.timings_json(timings), thinking, content),
            )  # fmt: skip
            self._change(conversation_id, "leaf_id = ?, updated = ?", message_id, now)
            if not title and role == "user":
                self._change(conversation_id, "title = ?", title_from(content))
            return self.message(message_id)

    def _change(self, conversation_id: int, what: str, *values: object) -> None:
        if not self._database.execute(f"UPDATE conversations SET {what} WHERE id = ?", (*values, conversation_id)):
            raise StoreError("missing", f"there is no conversation {conversation_id}", path=self.path)
