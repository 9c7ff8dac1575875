"""What is on the screen of a Textual app that runs in a test."""

from __future__ import annotations

from typing import Any

from textual._context import visible_screen_stack
from textual.app import App


def screen_lines(app: App[Any]) -> list[str]:
    """The current screen's lines, without spaces at their ends.

    What is drawn here is kept for the next repaint, so the screen below a dialog has to be there, too.
    """
    visible_screen_stack.set(app._background_screens)
    return [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]
