"""What keys do in the memory meter."""

from __future__ import annotations

from typing import Final

from tui.config.actions.action import Action

ACTIONS: Final[tuple[Action, ...]] = (
    Action("close_meter", "close", "Close the meter again.", ("escape",), "meter", footer=3, palette=False),
    Action("meter_pause", "pause", "Let it stand still, or go on.", ("p", "space"), "meter", footer=4, palette=False),
    Action(
        "meter_sort",
        "sort",
        "Sort processes by memory, pid, user or name, in turn.",
        ("s",),
        "meter",
        footer=5,
        palette=False,
    ),
    Action(
        "meter_expand",
        "processes",
        "Show all processes, or a few.",
        ("e", "enter", "t"),
        "meter",
        footer=6,
        palette=False,
    ),
    Action("meter_slower", "slower", "Look less often, down to every 10 s.", ("+",), "meter", footer=7, palette=False),
    Action("meter_faster", "faster", "Look more often, up to every 0.2 s.", ("-",), "meter", footer=8, palette=False),
    Action("meter_up", "up", "Scroll the processes up.", ("up", "k"), "meter", palette=False),
    Action("meter_down", "down", "Scroll the processes down.", ("down", "j"), "meter", palette=False),
)
