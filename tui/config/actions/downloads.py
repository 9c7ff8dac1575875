"""What keys do in the downloads."""

from __future__ import annotations

from typing import Final

from tui.config.actions.action import Action

ACTIONS: Final[tuple[Action, ...]] = (
    Action(
        "download_pause",
        "pause",
        "Let the selected download rest, or go on.",
        ("space",),
        "downloads",
        footer=4,
        palette=False,
    ),
    Action(
        "download_cancel",
        "cancel",
        "Take it off the list; what came of it is kept or deleted, as you say.",
        ("x", "delete"),
        "downloads",
        footer=5,
        palette=False,
    ),
    Action(
        "download_retry",
        "again",
        "Go on with it now: one that failed, was paused, or waits for its next try.",
        ("r", "f5"),
        "downloads",
        footer=6,
        palette=False,
    ),
    Action(
        "download_earlier",
        "earlier",
        "Fetch it before the one above.",
        ("K", "shift+up", "-"),
        "downloads",
        footer=7,
        palette=False,
    ),
    Action(
        "download_later",
        "later",
        "Fetch it after the one below.",
        ("J", "shift+down", "+"),
        "downloads",
        footer=8,
        palette=False,
    ),
    Action(
        "downloads_pause_all",
        "pause all",
        "Let all downloads rest, or all go on.",
        ("P",),
        "downloads",
        footer=9,
        palette=False,
    ),
    Action(
        "downloads_limit",
        "limit",
        "Set the most that all downloads together take of the network.",
        ("b",),
        "downloads",
        footer=20,
        palette=False,
    ),
    Action(
        "downloads_clear",
        "clear",
        "Take finished downloads off the list; their files stay.",
        ("X",),
        "downloads",
        footer=21,
        palette=False,
    ),
    Action(
        "download_details",
        "details",
        "Read all that is known of it: files, sums, reasons.",
        ("e",),
        "downloads",
        footer=22,
        palette=False,
    ),
)
