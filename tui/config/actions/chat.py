"""What keys do in the chat: while one writes, in the conversation, and on the card of an engine that has stopped."""

from __future__ import annotations

from typing import Final

from tui.config.actions.action import Action

ACTIONS: Final[tuple[Action, ...]] = (
    # Writing
    Action("send", "send", "Send what is written.", ("enter",), "editor", footer=1, palette=False, built_in=True),
    Action(
        "new_line", "new line", "Begin a new line.", ("ctrl+j", "alt+enter"), "editor", palette=False, built_in=True
    ),
    Action("older", "older", "What was sent before.", ("up",), "editor", palette=False, built_in=True),
    Action("newer", "newer", "What was sent after that.", ("down",), "editor", palette=False, built_in=True),
    Action(
        "complete_path",
        "complete",
        "Behind @: complete the path of a text file, which goes along with the prompt.",
        ("tab",),
        "editor",
        palette=False,
        built_in=True,
    ),
    Action("undo", "undo", "Take the last change back.", ("ctrl+z",), "editor", palette=False, built_in=True),
    # The conversation
    Action("scroll_up", "up", "Scroll up.", ("up", "k"), "transcript", palette=False),
    Action("scroll_down", "down", "Scroll down.", ("down", "j"), "transcript", palette=False),
    Action(
        "scroll_page_up", "page up", "Scroll up by a page.", ("pageup",), "transcript", palette=False, does="page_up"
    ),
    Action(
        "scroll_page_down",
        "page down",
        "Scroll down by a page.",
        ("pagedown",),
        "transcript",
        palette=False,
        does="page_down",
    ),
    Action("scroll_home", "beginning", "Go to the beginning.", ("home", "g"), "transcript", palette=False),
    Action("previous_message", "message", "Choose the message before.", ("[",), "transcript", footer=21, palette=False),
    Action("next_message", "next", "Choose the message after.", ("]",), "transcript", palette=False),
    Action(
        "edit_message",
        "edit",
        "Edit a message of yours, and send it as a new version.",
        ("E",),
        "transcript",
        footer=22,
        palette=False,
    ),
    Action(
        "older_version",
        "version",
        "Show the version before of the chosen message.",
        ("left",),
        "transcript",
        footer=23,
        palette=False,
    ),
    Action("newer_version", "newer", "Show its version after that.", ("right",), "transcript", palette=False),
    Action(
        "delete_message",
        "delete",
        "Delete the chosen message and all that follows it; it can come back.",
        ("D",),
        "transcript",
        footer=24,
        palette=False,
    ),
    Action(
        "copy_message",
        "copy",
        "Send the chosen message to the terminal's clipboard.",
        ("Y",),
        "transcript",
        palette=False,
    ),
    Action("scroll_end", "end", "Go to the end, and follow what comes.", ("end", "G"), "transcript", palette=False),
    Action(
        "toggle_thinking",
        "thinking",
        "Fold or unfold the last thinking on screen.",
        ("e",),
        "transcript",
        footer=25,
        palette=False,
    ),
    # The crash card
    Action(
        "reload_safer",
        "reload",
        "Load the model again; where memory may be why it stopped, with less.",
        ("r", "f5"),
        "crash",
        footer=3,
    ),
    Action("reload_same", "as before", "Load the model again with the same settings.", ("a",), "crash", footer=4),
    Action(
        "crash_log",
        "the log",
        "Show what the engine wrote before it stopped.",
        ("l",),
        "crash",
        footer=5,
        palette=False,
    ),
)
