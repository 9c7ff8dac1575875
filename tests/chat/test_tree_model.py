"""The store's tree against a plain model of it, through any order of edits, answers, deletions and restarts."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from tests.chat.rig import assert_sound
from tui.chat.store import Store

TEXT = st.text(max_size=20)


@dataclass
class Model:
    """What a conversation should look like."""

    parents: dict[int, int | None] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)
    leaf: int | None = None
    streaming: set[int] = field(default_factory=set)

    def add(self, message_id: int, parent: int | None, text: str) -> None:
        self.parents[message_id], self.texts[message_id], self.leaf = parent, text, message_id

    def path(self, message_id: int | None) -> list[int]:
        return [] if message_id is None else [*self.path(self.parents[message_id]), message_id]


class TreeMachine(RuleBasedStateMachine):
    """One conversation, changed at random."""

    messages = Bundle("messages")
    open_answers = Bundle("open_answers")

    @initialize()
    def begin(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._path = Path(self._folder.name) / "history.db"
        self.store = Store(self._path)
        self.id = self.store.create_conversation(title="model").id
        self.model = Model()
        self.last_id = 0

    @rule(target=messages, text=TEXT)
    def open_with(self, text: str) -> int:
        return self._added(self.store.add_message(self.id, None, "user", text).id, None, text)

    @rule(target=messages, parent=messages, text=TEXT, role=st.sampled_from(["user", "assistant"]))
    def reply(self, parent: int, text: str, role: str) -> int:
        message = self.store.add_message(self.id, parent, "user" if role == "user" else "assistant", text)
        return self._added(message.id, parent, text)

    @rule(target=open_answers, parent=messages)
    def begin_answer(self, parent: int) -> int:
        message_id = self._added(self.store.begin_answer(parent).id, parent, "")
        self.model.streaming.add(message_id)
        return message_id

    @rule(answer=open_answers, text=TEXT)
    def append(self, answer: int, text: str) -> None:
        self.store.append(answer, text)
        self.model.texts[answer] += text
        self.model.streaming.add(answer)  # one that was cut by a restart is taken up again

    @rule(target=messages, answer=consumes(open_answers), text=TEXT)
    def finish(self, answer: int, text: str) -> int:
        self.store.finish(answer, "eog", rest=[("answer", text)])
        self.model.texts[answer] += text
        self.model.streaming.discard(answer)
        return answer

    @rule(message=messages)
    def select(self, message: int) -> None:
        below = [m for m in self.model.parents if message in self.model.path(m)]
        self.model.leaf = max(below)
        assert self.store.select(message).leaf_id == self.model.leaf

    @rule()
    def delete_and_undo(self) -> None:
        self.store.delete(self.id)
        assert self.store.conversations() == ()
        self.store.restore(self.id)

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = Store(self._path)
        self.model.streaming.clear()

    @rule(message=messages)
    def look_at_versions(self, message: int) -> None:
        parent = self.model.parents[message]
        versions = [m for m, p in sorted(self.model.parents.items()) if p == parent]
        assert [m.id for m in self.store.children(self.id, parent)] == versions
        assert list(self.store.tree(self.id).siblings(message)) == versions

    @rule(target=messages)
    def nothing(self) -> object:
        return multiple()

    @invariant()
    def the_branch_that_is_shown_is_right(self) -> None:
        thread = self.store.thread(self.id)
        assert [m.id for m in thread] == self.model.path(self.model.leaf)
        for message in thread:
            assert message.content == self.model.texts[message.id]
            assert (message.state == "streaming") == (message.id in self.model.streaming)
        assert dict(self.store.tree(self.id).parents) == self.model.parents
        assert self.store.conversation(self.id).message_count == len(self.model.parents)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            assert_sound(self._path)
            self._folder.cleanup()

    def _added(self, message_id: int, parent: int | None, text: str) -> int:
        assert message_id > self.last_id
        self.last_id = message_id
        self.model.add(message_id, parent, text)
        return message_id


TestTree = TreeMachine.TestCase
TestTree.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
