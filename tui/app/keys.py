"""Keys on the screen: Textual's bindings for what `tui.config.keys` has decided, and keys as people write them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from textual.binding import Binding, BindingsMap
from textual.dom import DOMNode
from textual.keys import format_key

from tui.config.actions import ACTIONS, BY_ID, COMMANDS, Action, Group
from tui.config.keys import chosen_keys, default_keys

_SHOWN = {
    "escape": "esc",
    "enter": "↵",
    "question_mark": "?",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "shift+tab": "shift+tab",
}


@dataclass(frozen=True)
class Keymap:
    """Keys of every action, and what was wrong with the wishes."""

    keys: Mapping[str, tuple[str, ...]]
    problems: tuple[str, ...] = ()
    _maps: dict[Group, BindingsMap] = field(default_factory=dict, compare=False)

    def bindings(self, group: Group) -> BindingsMap:
        """Textual's bindings of one group; a fresh copy, since Textual changes them."""
        if group not in self._maps:
            self._maps[group] = BindingsMap(
                binding for action in ACTIONS if action.group == group for binding in self._bind(action)
            )
        return BindingsMap.from_keys({key: list(found) for key, found in self._maps[group].key_to_bindings.items()})

    def _bind(self, action: Action) -> Iterator[Binding]:
        for key in self.keys[action.id]:
            everywhere = action.group in COMMANDS
            name = f"app.do('{action.id}')" if everywhere else action.does or action.id
            if action.numbered:
                name = f"app.do('{action.id}', '{key}')" if everywhere else f"{action.id}('{key}')"
            yield Binding(key, name, action.title, id=action.id, priority=key in action.fixed)

    def first(self, action_id: str, ascii_only: bool = False) -> str:
        """The first key of an action; without any the palette's."""
        keys = self.keys[action_id]
        return show_key(keys[0], ascii_only) if keys else "^p"

    def shown(self, action_id: str, ascii_only: bool = False) -> str:
        """The keys of an action as help shows them; empty without any."""
        keys = self.keys[action_id]
        if BY_ID[action_id].numbered and len(keys) > 2:
            return f"{show_key(keys[0])} - {show_key(keys[-1])}"
        return "  ".join(show_key(key, ascii_only) for key in keys)


def show_key(key: str, ascii_only: bool = False) -> str:
    """A key as people write it: ^p, F1, ?, esc."""
    if ascii_only and key in ("enter", "left", "right", "up", "down"):
        return key
    if key in _SHOWN:
        return _SHOWN[key]
    if key.startswith("ctrl+"):
        return f"^{key.removeprefix('ctrl+')}"
    if key[0] == "f" and key[1:].isdigit():
        return key.upper()
    return format_key(key)


def install(node: DOMNode, keymap: Keymap, *groups: Group) -> None:
    """Give a node the keys of these groups and no others. Textual's own keymap cannot take a key away or swap two."""
    node._bindings = BindingsMap.merge([keymap.bindings(group) for group in groups])


def default_keymap() -> Keymap:
    """The keys as they are without a config.toml."""
    return Keymap(default_keys())


def make_keymap(wishes: Mapping[str, str]) -> Keymap:
    """Keys after a person's wishes: {action id: "key" or "key,key"}. Wishes that cannot be met leave the default."""
    keys, problems = chosen_keys(wishes)
    return Keymap(keys, tuple(map(str, problems)))
