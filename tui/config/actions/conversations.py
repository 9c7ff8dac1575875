"""What keys do in the list of conversations. Plain ones work in the list, those with alt while one types as well."""

from __future__ import annotations

from typing import Final

from tui.config.actions.action import Action

ACTIONS: Final[tuple[Action, ...]] = (
    Action(
        "search_line",
        "list",
        "Go from the search line to the list, where plain keys work, and back.",
        ("tab", "/"),
        "conversations",
        footer=4,
        palette=False,
    ),
    Action("pin", "pin", "Keep it on top, or no longer.", ("p", "alt+p"), "conversations", footer=5, palette=False),
    Action(
        "archive",
        "archive",
        "Put it away, where search still finds it, or take it back.",
        ("a", "alt+a"),
        "conversations",
        footer=6,
        palette=False,
    ),
    Action("rename", "rename", "Give it another title.", ("r", "alt+r"), "conversations", footer=8, palette=False),
    Action(
        "title_by_model",
        "title",
        "Have the loaded model find a title.",
        ("m", "alt+m"),
        "conversations",
        footer=12,
        palette=False,
    ),
    Action("tag", "tags", "Give it tags; #tag finds it.", ("t", "alt+t"), "conversations", footer=7, palette=False),
    Action(
        "delete_conversation",
        "delete",
        "Delete it; it can come back.",
        ("d", "alt+d"),
        "conversations",
        footer=9,
        palette=False,
    ),
    Action(
        "restore_conversation",
        "undo",
        "Bring back what was deleted last.",
        ("u", "alt+u"),
        "conversations",
        footer=10,
        palette=False,
    ),
    Action(
        "show_archived",
        "archived",
        "Show what was put away, or the others again.",
        ("A", "alt+v"),
        "conversations",
        footer=11,
        palette=False,
    ),
    Action(
        "export",
        "export",
        "Write it to a file, as Markdown or JSON.",
        ("x", "alt+x"),
        "conversations",
        footer=13,
        palette=False,
    ),
    Action(
        "import",
        "import",
        "Add the conversations of a file.",
        ("i", "alt+i"),
        "conversations",
        footer=14,
        palette=False,
    ),
)
