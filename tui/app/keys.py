"""Which key does what, after config.toml's [keys] had its say; what of that cannot be done is reported in words.

A re-keyed action keeps none of its default keys, an empty text takes them all away; but fixed keys stay, and belong to
their action alone, so that one can always quit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from textual.binding import Binding, BindingsMap
from textual.dom import DOMNode
from textual.keys import Keys, _character_to_key, format_key

from tui.config.actions import ACTIONS, BY_ID, TOGETHER, Action, Group

REFUSED = {
    "ctrl+a": "belongs to screen",
    "ctrl+b": "belongs to tmux",
    "ctrl+h": "is the same as backspace in a terminal",
    "ctrl+i": "is the same as tab in a terminal",
    "ctrl+j": "is the same as a line break in a terminal",
    "ctrl+m": "is the same as enter in a terminal",
    "ctrl+z": "puts the program into the background",
}
"""Keys that never do anything of ours, and why."""

_NAMED = frozenset(key.value for key in Keys) | {f"shift+{name}" for name in ("home", "end", "pageup", "pagedown")}
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
            everywhere = action.group in ("app", "crash")
            name = f"app.do('{action.id}')" if everywhere else action.does or action.id
            if action.numbered:
                name = f"app.do('{action.id}', '{key}')" if everywhere else f"{action.id}('{key}')"
            yield Binding(key, name, action.title, id=action.id, priority=key in action.fixed)

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
    return Keymap({action.id: tuple(_long(key) for key in action.keys) for action in ACTIONS})


def make_keymap(wishes: Mapping[str, str]) -> Keymap:
    """Keys after a person's wishes: {action id: "key" or "key,key"}. Wishes that cannot be met leave the default."""
    defaults = default_keymap().keys
    keys, problems = dict(defaults), []
    for action_id, wish in wishes.items():
        problem, wanted = _read_wish(action_id, wish)
        if problem:
            problems.append(problem)
        else:
            keys[action_id] = wanted
    while clash := _clash(keys, defaults):
        action_id, key, other = clash
        problems.append(
            f"keys.{action_id}: {show_key(key)} is already '{BY_ID[other].title}' (keys.{other}); "
            f"choose another key, or change that one too."
        )
        keys[action_id] = defaults[action_id]
    return Keymap(keys, tuple(problems))


def _read_wish(action_id: str, wish: str) -> tuple[str, tuple[str, ...]]:
    """(problem, keys) of one wish; the problem is empty when there is none."""
    if action_id not in BY_ID:
        import difflib  # only needed when something is wrong

        near = difflib.get_close_matches(action_id, BY_ID, n=1)
        hint = f"perhaps {near[0]} is meant" if near else "? in the workbench lists them all"
        return f"keys.{action_id}: there is no such action; {hint}.", ()
    if BY_ID[action_id].built_in:
        return f"keys.{action_id}: the prompt's own keys cannot be changed.", ()
    wanted = tuple(_long(key.strip()) for key in ([wish] if wish == "," else wish.split(",")) if key.strip())
    for key in wanted:
        if key in REFUSED:
            return f"keys.{action_id}: {show_key(key)} {REFUSED[key]}; choose another key.", ()
        if len(key) > 1 and key not in _NAMED and not _is_character(key):
            return f"keys.{action_id}: {key!r} is not a key; write one like r, ctrl+r, f5 or pagedown.", ()
    return "", (*wanted, *(key for key in BY_ID[action_id].fixed if key not in wanted))


def _clash(keys: Mapping[str, tuple[str, ...]], defaults: Mapping[str, tuple[str, ...]]) -> tuple[str, str, str] | None:
    """(re-keyed action, key, the action that has it), or None. Defaults that share a key do so on purpose."""
    for action in ACTIONS:
        if keys[action.id] == defaults[action.id]:
            continue
        for other in ACTIONS:
            near = other.group == action.group or {other.group, action.group} in TOGETHER
            if other.id == action.id or not near:
                continue
            for key in keys[action.id]:
                if key in keys[other.id] and not (key in defaults[action.id] and key in defaults[other.id]):
                    return action.id, key, other.id
    return None


def _long(key: str) -> str:
    """Textual's name of a key: ? is question_mark; ^p may be written for ctrl+p."""
    if len(key) == 2 and key[0] == "^":
        key = f"ctrl+{key[1].lower()}"
    return _character_to_key(key) if len(key) == 1 else key


def _is_character(key: str) -> bool:
    """True for long names of single characters, such as question_mark."""
    from textual.keys import key_to_character

    return key_to_character(key) is not None
