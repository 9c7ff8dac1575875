"""Notices: a few at a time, nothing twice, under the meter and above the prompt: they never cover what is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets._toast import ToastRack

if TYPE_CHECKING:
    from tui.app.app import PunaApp

MOST = 3
"""Notices on the screen; the oldest goes first."""


def tidy(app: PunaApp) -> None:
    """Take away what is said again by a newer one, and what is too much; then see to where they stand."""
    newest_first = list(app._notifications)[::-1]
    kept: list[str] = []
    for notification in newest_first:
        if notification.message in kept or len(kept) == MOST:
            del app._notifications[notification]
        else:
            kept.append(notification.message)
    place(app)


def place(app: PunaApp) -> None:
    """Put them between the meter and the prompt."""
    ask = app.bench.query("#ask").first().region
    top = 1 if app.meter.full else app.meter.outer_size.height
    bottom = ask.y if ask.height else app.size.height - 1
    for rack in app.screen.query_children(ToastRack):
        rack.styles.margin = (top, 0, 0, 0)
        rack.styles.max_height = max(1, bottom - top)
