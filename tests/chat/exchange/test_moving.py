"""Conversations out of one history and into another."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.chat.rig import Clock
from tui.chat.errors import StoreError
from tui.chat.exchange.moving import put_in, taken_out
from tui.chat.exchange.values import Portable, Said
from tui.chat.store import Store

TREE = Portable(
    messages=(
        Said(role="user", content="question", parent=None, created=1.0),
        Said(role="assistant", content="first", parent=0, model="m", thinking="hm", created=2.0, cut=True),
        Said(role="assistant", content="second", parent=0, model="n", created=3.0),
        Said(role="user", content="more", parent=1, created=4.0),
    ),
    title="Camelids",
    system="Be brief.",
    model="n",
    created=0.5,
    updated=4.5,
    tags=("zoo",),
    leaf=2,
)


def test_a_tree_goes_in_and_comes_out(store: Store) -> None:
    made = put_in(store, TREE)
    assert taken_out(store, made.id) == TREE
    assert [message.content for message in store.thread(made.id)] == ["question", "second"]
    assert [hit.conversation_id for hit in store.search("second")] == [made.id]


def test_it_is_added_beside_what_is_there(store: Store, clock: Clock) -> None:
    first, second = put_in(store, TREE), put_in(store, TREE)
    assert first.id != second.id
    unknown = put_in(store, Portable(messages=(Said(role="user", content="words of a question", parent=None),)))
    assert (unknown.title, unknown.created) == ("words of a question", clock.now)


def test_deleted_messages_stay_behind(store: Store) -> None:
    made = put_in(store, TREE)
    store.delete_message(store.thread(made.id)[-1].id)
    assert [said.content for said in taken_out(store, made.id).messages] == ["question", "first", "more"]


def test_all_of_it_or_nothing(open_store: Callable[[], Store]) -> None:
    store = open_store()
    broken = Portable(messages=(Said(role="wizard", content="", parent=None),))  # type: ignore[arg-type]
    with pytest.raises(StoreError):
        put_in(store, broken)
    assert store.conversations() == ()
