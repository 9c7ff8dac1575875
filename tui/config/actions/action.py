"""One thing that a key can do, and where it does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Group = Literal[
    "app",
    "editor",
    "transcript",
    "crash",
    "list",
    "library",
    "finder",
    "wishes",
    "load",
    "meter",
    "downloads",
    "dialog",
    "choice",
    "path",
    "conversations",
]
"""Where a key works: app everywhere, the others while the focus is in such a part."""

GROUP_TITLES: Final[dict[Group, str]] = {
    "app": "Everywhere",
    "editor": "While you write",
    "transcript": "In the conversation",
    "crash": "In the conversation, when the engine has stopped",
    "list": "In a list",
    "library": "In the library",
    "finder": "In the finder",
    "wishes": "In the finder's filters",
    "load": "In the load panel",
    "meter": "In the memory meter",
    "downloads": "In the downloads",
    "dialog": "In what opens over the screen",
    "choice": "Where something is to be agreed to",
    "path": "While you write a path",
    "conversations": "In the list of conversations",
}

TOGETHER: Final[tuple[frozenset[Group], ...]] = (
    frozenset({"app", "list", "library"}),
    frozenset({"app", "transcript"}),
    frozenset({"list", "downloads"}),
    frozenset({"finder", "list"}),
    frozenset({"wishes", "list"}),
    frozenset({"wishes", "dialog"}),
    frozenset({"list", "conversations"}),
    frozenset({"dialog", "conversations"}),
)
"""Groups that are at work at the same time; the other parts take keys for as long as they have the focus."""

COMMANDS: Final[frozenset[Group]] = frozenset({"app", "crash", "library"})
"""Groups whose actions can be carried out from wherever one is, so that the palette has them."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do."""

    id: str
    """The name in config.toml's [keys], and of the method that does it."""
    title: str
    """One or two words: the footer."""
    help: str
    """What it does, as help and palette say it."""
    keys: tuple[str, ...]
    """Default keys; the first that works at the moment is shown."""
    group: Group = "app"
    footer: int = 0
    """Order in the footer, small first; 0 is never there."""
    palette: bool = True
    numbered: bool = False
    """Each key is one of a row, such as digits, and the key pressed is passed on."""
    fixed: tuple[str, ...] = ()
    """Keys that stay, whatever config.toml says."""
    does: str = ""
    """The method of the part that has the focus, where it is not called like the action."""
    built_in: bool = False
    """The part sees to these keys by itself; they are here to be shown, and cannot be changed."""
