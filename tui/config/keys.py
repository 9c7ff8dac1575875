"""Which key does what, after [keys] in config.toml had its say; what cannot be done of that is a problem of the file.

A re-keyed action keeps none of its default keys, an empty text takes them all away; but fixed keys stay, and belong to
their action alone, so that one can always quit. Keys are called as Textual calls them, which is not imported here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final

from tui.config.actions import ACTIONS, BY_ID, TOGETHER
from tui.config.errors import ConfigError, nearest_of
from tui.config.paths import Paths

REFUSED: Final = {
    "ctrl+a": "belongs to screen",
    "ctrl+b": "belongs to tmux",
    "ctrl+h": "is the same as backspace in a terminal",
    "ctrl+i": "is the same as tab in a terminal",
    "ctrl+j": "is the same as a line break in a terminal",
    "ctrl+m": "is the same as enter in a terminal",
    "ctrl+z": "puts the program into the background",
}
"""Keys that never do anything of ours, and why."""

_FUNCTION = tuple(f"f{number}" for number in range(1, 25))
_MOVING = ("up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete")
_SIGNS = ("@", "backslash", "right_square_bracket", "circumflex_accent", "underscore")
NAMED: Final = frozenset(
    (
        *_FUNCTION,
        *_MOVING,
        *("enter", "escape", "tab", "space", "backspace", "shift+tab", "shift+escape"),
        *(f"ctrl+{key}" for key in (*"abcdefghijklmnopqrstuvwxyz0123456789", *_SIGNS, *_FUNCTION, *_MOVING)),
        *(f"{shift}+{key}" for shift in ("shift", "ctrl+shift") for key in _MOVING),
    )
)
"""Keys that are no single character."""
_CALLED: Final = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
"""Characters that Textual does not call by their Unicode names."""

Keys = dict[str, tuple[str, ...]]
"""Keys of every action, by its id."""


def default_keys() -> Keys:
    """The keys as they are without a config.toml."""
    return {action.id: tuple(long_name(key) for key in action.keys) for action in ACTIONS}


def chosen_keys(wishes: Mapping[str, str]) -> tuple[Keys, tuple[ConfigError, ...]]:
    """Keys after a person's wishes, {action id: "key" or "key,key"}, and what is wrong with them. A wish that cannot be
    met leaves the default.
    """
    defaults = default_keys()
    keys, problems = dict(defaults), []
    for action_id, wish in wishes.items():
        try:
            keys[action_id] = _wanted(action_id, wish)
        except ConfigError as problem:
            problems.append(problem)
    while clash := _clash(keys, defaults):
        action_id, key, other = clash
        hint = "Choose another key, or change that one too."
        problems.append(_problem(action_id, f"{_said(key)} is already '{BY_ID[other].title}' (keys.{other})", hint))
        keys[action_id] = defaults[action_id]
    return keys, tuple(problems)


def key_problems(paths: Paths, wishes: Mapping[str, str]) -> list[ConfigError]:
    """What is wrong with the wishes in config.toml, with the lines where they stand."""
    from tui.config.settings import problem_at  # a front end that has drawn its first frame has it

    return [
        problem_at(paths, problem.key, problem.message, nearest=problem.nearest, hint=problem.hint)
        for problem in chosen_keys(wishes)[1]
    ]


def long_name(key: str) -> str:
    """Textual's name of a key: ? is question_mark; ^p may be written for ctrl+p."""
    if len(key) == 2 and key[0] == "^":
        return f"ctrl+{key[1].lower()}"
    if len(key) != 1 or key.isalnum():
        return key
    name = unicodedata.name(key, key).lower().replace("-", "_").replace(" ", "_")
    return _CALLED.get(name, name)


def character_of(name: str) -> str | None:
    """The character that a key writes; None where it writes none."""
    if len(name) == 1:
        return name
    called = next((unicode for unicode, ours in _CALLED.items() if ours == name), name).replace("_", " ")
    for text in (called, called.replace(" ", "-", 1)):  # hyphen_minus is HYPHEN-MINUS
        try:
            return unicodedata.lookup(text)
        except KeyError:
            continue
    return None


def _wanted(action_id: str, wish: str) -> tuple[str, ...]:
    """The keys that one wish asks for. Raises ConfigError."""
    action = BY_ID.get(action_id)
    if action is None:
        near = nearest_of(action_id, BY_ID)
        raise _problem(action_id, "there is no such action", "The help (F1) lists them all.", near)
    if action.built_in:
        raise _problem(action_id, "the prompt's own keys cannot be changed", "Delete the line.")
    typed = [wish] if wish == "," else [key.strip() for key in wish.split(",") if key.strip()]
    wanted = tuple(long_name(key) for key in typed)
    for key in wanted:
        if key in REFUSED:
            raise _problem(action_id, f"{key} {REFUSED[key]}", "Choose another key.")
        if key not in NAMED and character_of(key) is None:
            hint = "Write one like r, ctrl+r, f5 or pagedown."
            raise _problem(action_id, f"{key!r} is not a key", hint, nearest_of(key, sorted(NAMED)))
    return (*wanted, *(key for key in action.fixed if key not in wanted))


def _clash(keys: Keys, defaults: Keys) -> tuple[str, str, str] | None:
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


def _problem(action_id: str, message: str, hint: str, nearest: str = "") -> ConfigError:
    return ConfigError(message, key=f"keys.{action_id}", nearest=nearest, hint=hint)


def _said(key: str) -> str:
    """A key as it may be written in the file."""
    return character_of(key) or key
