"""The shape of a conversation."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tui.chat.tree import Tree

#   1 ─ 2 ─ 3 ─ 6
#     └ 4 ─ 5
#   7
SHAPE = Tree.of([(7, None), (1, None), (2, 1), (3, 2), (4, 1), (5, 4), (6, 3)], leaf_id=5)


def test_children_and_siblings_are_oldest_first() -> None:
    assert SHAPE.children(None) == (1, 7)
    assert SHAPE.children(1) == (2, 4)
    assert SHAPE.children(6) == ()
    assert SHAPE.siblings(4) == (2, 4)
    assert SHAPE.siblings(1) == (1, 7)


def test_a_path_leads_from_the_opening_message() -> None:
    assert SHAPE.path(SHAPE.leaf_id) == (1, 4, 5)
    assert SHAPE.path(6) == (1, 2, 3, 6)
    assert SHAPE.path(None) == ()


def test_the_newest_leaf_is_where_a_branch_was_last_written_to() -> None:
    assert SHAPE.newest_leaf(1) == 6
    assert SHAPE.newest_leaf(4) == 5
    assert SHAPE.newest_leaf(7) == 7


@settings(deadline=None)
@given(st.lists(st.integers(min_value=0), max_size=60))
def test_any_shape_hangs_together(choices: list[int]) -> None:
    links = [(i + 1, choice % (i + 1) or None) for i, choice in enumerate(choices)]
    tree = Tree.of(reversed(links), None)
    for message_id, parent_id in links:
        assert tree.parents[message_id] == parent_id
        assert message_id in tree.siblings(message_id)
        path = tree.path(message_id)
        assert path[-1] == message_id
        assert list(path) == sorted(path)
        leaf = tree.newest_leaf(message_id)
        assert tree.children(leaf) == ()
        assert message_id in tree.path(leaf)


def test_a_chain_of_many_thousand_messages_is_no_problem() -> None:
    chain = Tree.of([(n, n - 1 or None) for n in range(1, 20_001)], 20_000)
    assert chain.newest_leaf(1) == 20_000
    assert len(chain.path(20_000)) == 20_000
