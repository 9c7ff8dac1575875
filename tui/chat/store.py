"""The store of conversations: one SQLite file, used from one thread, shared with other running punas.

What is stored is committed when a method returns; it survives a kill of the process. Nothing here waits for a model.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tui.chat import answers, records, votes
from tui.chat import search as searching
from tui.chat.attachments import first_words
from tui.chat.failures import from_os
from tui.chat.opening import open_database
from tui.chat.owners import Owner, sweep
from tui.chat.shelf import Shelf
from tui.chat.text import storable
from tui.chat.tree import Tree
from tui.chat.values import Conversation, Message, MessageState, OpenReport, Piece, SearchHit
from tui.chat.votes import Standing, Vote

if TYPE_CHECKING:
    from tui.engine.protocol import Channel, DoneReason, Role


class Store(Shelf):
    """Conversations and their messages. Every method may raise StoreError, whose text is for the person."""

    def __init__(self, path: Path | None, *, clock: Callable[[], float] = time.time) -> None:
        """Open or create the history at `path`; None keeps it in memory, for a machine on which nothing can be
        written. `clock` gives Unix seconds. The store belongs to the thread that makes it."""
        self._locks = None if path is None else path.with_name(f"{path.name}.owners")
        self._owner = Owner(self._locks)
        self._closed = False
        opened = open_database(path, clock)
        super().__init__(opened.database, path, clock)
        try:
            recovered = answers.recover(self._database, self._locks, self._owner.token)
            if self._locks is not None:
                sweep(self._locks)
            self._sweep_images(self._began)
        except BaseException:
            self._database.close()
            raise
        self.report = OpenReport(recovered, opened.set_aside, opened.salvaged, opened.migrated_from)
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
        cut: bool = False,
    ) -> Message:
        """Store a whole message behind `parent_id` (None: as an opening one) and show its branch. Another message
        behind the same parent is a new version of it: how an edit is stored. `cut`: it was stopped before its end."""
        return self._insert(
            conversation_id, parent_id, role, storable(content), model, "cut" if cut else "done",
            thinking=storable(thinking), reason=reason, timings=timings, created=created,
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

    def copy_branch(self, conversation_id: int) -> Conversation:
        """A new conversation with the messages of the branch that is shown of another."""
        with self.transaction():
            source = self.conversation(conversation_id)
            copy = self.create_conversation(source.title, source.system, source.model)
            parent_id: int | None = None
            for one in self.thread(conversation_id):
                parent_id = self.add_message(
                    copy.id, parent_id, one.role, one.content, model=one.model, thinking=one.thinking,
                    reason=one.reason, timings=one.timings, created=one.created, cut=one.state != "done",
                ).id  # fmt: skip
            return self.conversation(copy.id)

    def select(self, message_id: int) -> Conversation:
        """Show the branch of a message, to where that branch was last written to."""
        with self.transaction():
            conversation_id = self.message(message_id).conversation_id
            self._change(conversation_id, "leaf_id = ?", self.tree(conversation_id).newest_leaf(message_id))
            return self.conversation(conversation_id)

    def delete_message(self, message_id: int) -> Conversation:
        """Delete a message and all that follows it, so that `restore_message` can undo it. Shown is then a version of
        it that is left, else what was before it."""
        with self.transaction():
            message = self.message(message_id)
            tree = self.tree(message.conversation_id)
            if message_id not in tree.parents:
                return self.conversation(message.conversation_id)
            gone = tree.below(message_id)
            records.refuse_streaming(self._database, gone)
            records.mark_deleted(self._database, gone, self._clock())
            if tree.leaf_id in gone:
                left = [sibling for sibling in tree.siblings(message_id) if sibling != message_id]
                leaf_id = tree.newest_leaf(left[-1]) if left else message.parent_id
                self._change(message.conversation_id, "leaf_id = ?", leaf_id)
            return self.conversation(message.conversation_id)

    def restore_message(self, message_id: int) -> Conversation:
        """Undo the deletion of a message with all that went with it, and show it."""
        with self.transaction():
            conversation_id = self.message(message_id).conversation_id
            records.unmark_deleted(self._database, conversation_id, message_id)
            return self.select(message_id)

    def search(self, text: str, limit: int = 50) -> tuple[SearchHit, ...]:
        """Titles, then messages, that have every word of `text` (any text), or words that begin so; newest first.
        Answers that stream are found when they have ended."""
        return searching.search(self._database, text, limit)

    def search_part(self, text: str, limit: int, so_far: searching.Part | None = None) -> searching.Part:
        """The same a part at a time, for one who looks on: where no index helps, a long history takes a while."""
        return searching.search_part(self._database, text, limit, so_far)

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

    # ---- votes --------------------------------------------------------------------------------------------------

    def vote(self, vote: Vote) -> None:
        """Keep which of two answers was found better."""
        votes.add(self._database, vote, self._clock())

    def standings(self) -> tuple[Standing, ...]:
        """How often each model was preferred in each use case, the one with most wins first."""
        return votes.standings(self._database)

    def votes_alike(self) -> int:
        """How many votes were about two answers of one model, and so are no model's."""
        return votes.alike(self._database)

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
            if parent_id is not None:
                records.refuse_deleted(self._database, parent_id)
            message_id = self._database.insert(
                "INSERT INTO messages (conversation_id, parent_id, role, model, created, state, owner, reason, "
                "timings, error, thinking, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?)",
                (conversation_id, parent_id, role, storable(model), now if created is None else created, state, owner,
                 reason, records.timings_json(timings), thinking, content),
            )  # fmt: skip
            self._change(conversation_id, "leaf_id = ?, updated = ?", message_id, now)
            if not title and role == "user":
                self._change(conversation_id, "title = ?", first_words(content))
            return self.message(message_id)
