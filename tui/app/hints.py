"""What an empty chat says: what to do next, in a few words, with the keys that do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.app.keys import show_key
from tui.app.text import clean

if TYPE_CHECKING:
    from tui.app.desk import Desk


def hint_for(desk: Desk) -> list[str]:
    """The hint for how things are now: a title, then lines in which **keys** stand out."""
    keys = desk.keymap.keys["continue_last"]
    if desk.history.cut_off is None or not keys:
        return _what_next(desk)
    key = show_key(keys[-1], desk.app.glyphs.ascii)
    return [*_what_next(desk), "", "The last answer was cut off:", f"**{key}** continues it"]


def _what_next(desk: Desk) -> list[str]:
    ascii_only = desk.app.glyphs.ascii

    def key(action_id: str) -> str:
        """A key that works while the cursor is in the prompt, if there is one."""
        keys = desk.keymap.keys[action_id]
        return f"**{show_key(keys[-1], ascii_only) if keys else '^p'}**"

    model = desk.bench.library.selected
    if desk.loading.ready and desk.loading.engines.model is not None:
        return [f"{clean(desk.loading.engines.model.name)} is ready", "", f"Write below and press {key('send')}."]
    if desk.loading.loading:
        return ["One moment", "", "What you write meanwhile is answered when the model is there."]
    if model is None or model.problem:
        return [
            "No model to talk to yet",
            "",
            f"{key('library')} shows what there is",
            f"{key('find')} finds one that fits this machine",
        ]
    return [
        "Write below, and this model answers:",
        clean(model.name),
        "",
        f"{key('library')} chooses another",
        f"{key('load')} sets how it is loaded",
        f"{key('help')} shows every key",
    ]
