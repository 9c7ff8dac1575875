"""What keys do everywhere: the palette offers these."""

from __future__ import annotations

from typing import Final

from tui.config.actions.action import Action

ACTIONS: Final[tuple[Action, ...]] = (
    Action(
        "stop", "stop", "Stop the answer, or the loading of a model; what there is so far stays.", ("escape",), footer=1
    ),
    Action("leave", "leave", "Leave the prompt, so that plain keys work.", ("escape",), footer=2, palette=False),
    Action("help", "help", "Show every key.", ("?", "f1"), footer=10),
    Action("find", "find", "Look for a model that fits this machine, and fetch it.", ("/", "f10"), footer=10),
    Action("library", "library", "Go to the list of models on this machine.", ("l", "f2"), footer=11),
    Action("downloads", "downloads", "See what is fetched, and what was.", ("d", "f12"), footer=15),
    Action(
        "pull", "pull", "Fetch a model from the Hugging Face Hub, by its name or address.", ("p", "ctrl+t"), footer=23
    ),
    Action("load_fetched", "load it", "Load the model that was fetched last.", ("ctrl+l",), footer=4),
    Action("chat", "chat", "Go to the prompt and write.", ("c", "i", "f3"), footer=12),
    Action("meter", "memory", "Open the memory meter: histories, processes, engines.", ("m", "ctrl+g"), footer=18),
    Action("load", "load", "Set how the selected model is loaded, and load it.", ("o", "f4"), footer=13),
    Action("again", "again", "Answer the last prompt again.", ("r", "f5"), footer=14),
    Action("go_on", "go on", "Have the last answer gone on with where it stopped.", ("X", "alt+c"), footer=14),
    Action("begin_answer", "begin", "Write how the answer begins, and have it made again.", ("B",)),
    Action("thinking_switch", "think", "Have the model think before it answers, or not.", ("V",)),
    Action("own_editor", "editor", "Write the prompt in the editor that EDITOR names.", ("v", "alt+v")),
    Action("preset", "preset", "Choose how answers are made here: system prompt and sampling.", ("P", "alt+p")),
    Action("undelete", "undo", "Bring back what was deleted last in this conversation.", ("U",), footer=4),
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
        "cut off",
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
)
