"""What an empty chat says: what to do next, in a few words, with the keys that do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.app.keys import show_key
from tui.app.text import clean

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.pane import Pane


def hint_for(desk: Desk, pane: Pane) -> list[str]:
    """The hint for how things are in a pane now: a title, then lines in which **keys** stand out."""
    keys = desk.keymap.keys["continue_last"]
    if desk.history.cut_off is None or not keys:
        return _what_next(desk, pane)
    key = show_key(keys[-1], desk.app.glyphs.ascii)
    return [*_what_next(desk, pane), "", "The last answer was cut off:", f"**{key}** continues it"]


def _what_next(desk: Desk, pane: Pane) -> list[str]:
    ascii_only = desk.app.glyphs.ascii

    def key(action_id: str) -> str:
        """A key that works while the cursor is in the prompt, if there is one."""
        keys = desk.keymap.keys[action_id]
        return f"**{show_key(keys[-1], ascii_only) if keys else '^p'}**"

    model = pane.model or desk.bench.library.selected
    if pane.ready and model is not None:
        return [f"{clean(model.name)} is ready", "", f"Write below and press {key('send')}."]
    if pane.loading:
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
