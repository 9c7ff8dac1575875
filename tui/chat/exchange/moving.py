"""Between the history and conversations that travel."""

from __future__ import annotations

from tui.chat.exchange.pictures import packed, unpacked
from tui.chat.exchange.values import Portable, Said
from tui.chat.images import Images
from tui.chat.store import Store
from tui.chat.values import Conversation


def images_of(store: Store) -> Images | None:
    """The images of a history; None where it is in memory only."""
    return Images.beside(store.path) if store.path is not None else None


def taken_out(store: Store, conversation_id: int) -> Portable:
    """A conversation of the history with all branches that are not deleted. Raises StoreError."""
    conversation = store.conversation(conversation_id)
    tree = store.tree(conversation_id)
    images = images_of(store)
    places = {message_id: place for place, message_id in enumerate(tree.parents)}
    messages = [store.message(message_id) for message_id in tree.parents]
    return Portable(
        messages=tuple(
            Said(
                role=message.role,
                content=packed(message.content, images) if message.role == "user" else message.content,
                parent=None if message.parent_id is None else places[message.parent_id],
                thinking=message.thinking,
                model=message.model,
                created=message.created,
                cut=message.state != "done",
            )
            for message in messages
        ),
        title=conversation.title,
        system=conversation.system,
        model=conversation.model,
        created=conversation.created,
        updated=conversation.updated,
        tags=conversation.tags,
        leaf=None if tree.leaf_id is None else places[tree.leaf_id],
    )


def put_in(store: Store, portable: Portable) -> Conversation:
    """Add a conversation to the history, all of it or nothing; it is never joined with one that is there. Raises
    StoreError.
    """
    images = images_of(store)
    with store.transaction():
        made = store.create_conversation(portable.title, portable.system, portable.model)
        ids: list[int] = []
        for said in portable.messages:
            message = store.add_message(
                made.id,
                None if said.parent is None else ids[said.parent],
                said.role,
                unpacked(said.content, images) if said.role == "user" else said.content,
                model=said.model,
                thinking=said.thinking,
                created=said.created,
                cut=said.cut,
            )
            ids.append(message.id)
        if portable.tags:
            store.set_tags(made.id, portable.tags)
        leaf = None if portable.leaf is None else ids[portable.leaf]
        return store.date(made.id, portable.created, portable.updated, leaf)
