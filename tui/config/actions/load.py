"""What keys do in the load panel."""

from __future__ import annotations

from typing import Final

from tui.config.actions.action import Action

ACTIONS: Final[tuple[Action, ...]] = (
    Action("load_now", "load", "Load the model with these settings.", ("enter",), "load", footer=3, palette=False),
    Action("less", "less", "One step down.", ("left",), "load", footer=8, palette=False),
    Action("more", "more", "One step up.", ("right",), "load", footer=9, palette=False),
    Action("much_less", "much less", "A large step down.", ("shift+left", "pagedown", "-"), "load", palette=False),
    Action("much_more", "much more", "A large step up.", ("shift+right", "pageup", "+"), "load", palette=False),
    Action("field_up", "up", "The setting above.", ("up", "k"), "load", palette=False),
    Action("field_down", "down", "The setting below.", ("down", "j"), "load", palette=False),
    Action("auto", "auto", "Let puna choose everything on the panel.", ("a",), "load", footer=6, palette=False),
    Action(
        "rub_out",
        "rub out",
        "Take back the last digit typed; without one, let puna choose this setting.",
        ("backspace", "delete"),
        "load",
        palette=False,
    ),
    Action(
        "take_fix",
        "change",
        "Take over one of the changes that are offered, by its letter.",
        ("A", "B", "C", "D", "E", "F", "G", "H"),
        "load",
        footer=4,
        palette=False,
        numbered=True,
    ),
    Action(
        "load_anyway",
        "anyway",
        "Load it even where it does not fit, or before it is known to.",
        ("L",),
        "load",
        footer=5,
        palette=False,
    ),
    Action(
        "load_details",
        "details",
        "Read all that is known: each part, each change, and what the last load took.",
        ("e",),
        "load",
        footer=10,
        palette=False,
    ),
    Action(
        "try_speed",
        "try",
        "Measure how fast this model would be, with zeros for its weights.",
        ("T",),
        "load",
        footer=11,
        palette=False,
    ),
    Action(
        "close_load", "close", "Close the load panel; nothing changes.", ("escape",), "load", footer=7, palette=False
    ),
)
