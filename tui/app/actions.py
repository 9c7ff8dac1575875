"""Everything that a key can do, in one table: key bindings, footer, palette and help all follow from it.

A plain key works wherever letters are not being typed; each action that is wanted while typing has a control or
function key too. Not used: ctrl+a and ctrl+b (screen and tmux), ctrl+h, ctrl+i, ctrl+j, ctrl+m (backspace, tab,
newline, enter) and combinations that only some terminals can tell apart (shift+enter, ctrl+enter, ctrl+tab). This
module imports no Textual.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Group = Literal["app", "editor", "transcript", "crash", "list", "load", "meter", "dialog"]
"""Where a key works: app everywhere, the others while the focus is in such a part."""

GROUP_TITLES: Final[dict[Group, str]] = {
    "app": "Everywhere",
    "editor": "While you write",
    "transcript": "In the conversation",
    "crash": "In the conversation, when the engine has stopped",
    "list": "In a list",
    "load": "In the load panel",
    "meter": "In the memory meter",
    "dialog": "In what opens over the screen",
}


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do."""

    id: str
    """The name in config.toml's [keys], and of the method that does it."""
    title: str
    """One or two words: the footer."""
    help: str
    """What it does, as help and palette say it."""
    keys: tuple[str, ...]
    """Default keys; the first that works at the moment is shown."""
    group: Group = "app"
    footer: int = 0
    """Order in the footer, small first; 0 is never there."""
    palette: bool = True
    numbered: bool = False
    """The keys are digits, and the digit pressed is passed on."""
    fixed: tuple[str, ...] = ()
    """Keys that stay, whatever config.toml says."""
    does: str = ""
    """The method of the part that has the focus, where it is not called like the action."""
    built_in: bool = False
    """The part sees to these keys by itself; they are here to be shown, and cannot be changed."""


ACTIONS: Final[tuple[Action, ...]] = (
    # Chat
    Action(
        "stop", "stop", "Stop the answer, or the loading of a model; what there is so far stays.", ("escape",), footer=1
    ),
    Action("leave", "leave", "Leave the prompt, so that plain keys work.", ("escape",), footer=2, palette=False),
    Action("help", "help", "Show every key.", ("?", "f1"), footer=10),
    Action("library", "library", "Go to the list of models on this machine.", ("l", "f2"), footer=11),
    Action("chat", "chat", "Go to the prompt and write.", ("c", "i", "f3"), footer=12),
    Action("meter", "memory", "Open the memory meter: histories, processes, engines.", ("m", "ctrl+g"), footer=18),
    Action("load", "load", "Set how the selected model is loaded, and load it.", ("o", "f4"), footer=13),
    Action("again", "again", "Answer the last prompt again.", ("r", "f5"), footer=14),
    Action("copy", "copy", "Send the last answer to the terminal's clipboard.", ("y", "ctrl+y"), footer=15),
    Action(
        "copy_block",
        "copy code",
        "Send a code block to the terminal's clipboard, by its number.",
        ("1", "2", "3", "4", "5", "6", "7", "8", "9"),
        numbered=True,
    ),
    Action("write_answer", "write", "Write the last answer to a file in the current folder.", ("w", "f7"), footer=22),
    Action("new_chat", "new", "Begin a new conversation.", ("n", "ctrl+n"), footer=16),
    Action("conversations", "history", "Choose among your conversations.", ("h", "f6"), footer=17),
    Action(
        "continue_last",
        "continue",
        "Go back to the conversation that was cut off when puna ended.",
        ("C", "ctrl+o"),
        footer=3,
    ),
    Action("unload", "unload", "Take the model out of memory.", ("u",), footer=20),
    Action("engine_log", "log", "Show the last lines that the engine wrote.", ("L", "f8")),
    Action("rescan", "look again", "Look for models on this machine again.", ("R", "ctrl+r")),
    Action("theme", "theme", "Choose a theme.", ("t", "f9"), footer=21),
    Action("palette", "more", "Find any action by name.", ("ctrl+p",), footer=99, palette=False),
    Action("next_part", "next part", "Move to the next part of the screen.", ("tab",), palette=False),
    Action("previous_part", "previous part", "Move to the part before.", ("shift+tab",), palette=False),
    Action(
        "quit",
        "quit",
        "End puna; the model leaves memory, conversations are kept.",
        ("q", "ctrl+q"),
        footer=30,
        fixed=("ctrl+q",),
    ),
    Action(
        "interrupt",
        "interrupt",
        "Copy selected text, or stop the answer; pressed twice, end puna.",
        ("ctrl+c",),
        palette=False,
        fixed=("ctrl+c",),
    ),
    # Writing
    Action("send", "send", "Send what is written.", ("enter",), "editor", footer=1, palette=False, built_in=True),
    Action(
        "new_line", "new line", "Begin a new line.", ("ctrl+j", "alt+enter"), "editor", palette=False, built_in=True
    ),
    Action("older", "older", "What was sent before.", ("up",), "editor", palette=False, built_in=True),
    Action("newer", "newer", "What was sent after that.", ("down",), "editor", palette=False, built_in=True),
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
    # Lists
    Action("cursor_up", "up", "Move up.", ("up", "k"), "list", palette=False),
    Action("cursor_down", "down", "Move down.", ("down", "j"), "list", palette=False),
    Action("page_up", "page up", "Move a page up.", ("pageup",), "list", palette=False),
    Action("page_down", "page down", "Move a page down.", ("pagedown",), "list", palette=False),
    Action("first", "first", "Move to the first row.", ("home", "g"), "list", palette=False),
    Action("last", "last", "Move to the last row.", ("end", "G"), "list", palette=False),
    Action("choose", "choose", "Take the selected row.", ("enter",), "list", footer=3, palette=False),
    # The load panel
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
    # The memory meter
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
    # What opens over the screen
    Action("close", "close", "Close it.", ("escape",), "dialog", footer=3, palette=False),
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

BY_ID: Final[dict[str, Action]] = {action.id: action for action in ACTIONS}
FOOTER: Final = tuple(sorted((action for action in ACTIONS if action.footer), key=lambda action: action.footer))
"""The actions that the footer may show, the most wanted first."""
