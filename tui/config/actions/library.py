"""What keys do in the library, and in what opens from it."""

from __future__ import annotations

from typing import Final

from tui.config.actions.action import Action

ACTIONS: Final[tuple[Action, ...]] = (
    Action("clear_filter", "show all", "List all models again.", ("escape",), "library", footer=3, palette=False),
    Action("model_details", "details", "Read all that is known of the selected model.", ("e",), "library", footer=5),
    Action(
        "filter_models",
        "filter",
        "List only the models in which the words occur that you type.",
        ("f",),
        "library",
        footer=6,
    ),
    Action(
        "sort_models",
        "sort",
        "Sort the models by name, size, last use or source, in turn.",
        ("s",),
        "library",
        footer=23,
    ),
    Action(
        "add_model",
        "add",
        "Add a file or a folder of models: read in place, copied, moved or linked.",
        ("a",),
        "library",
        footer=7,
    ),
    Action(
        "delete_model",
        "delete",
        "Delete the selected model, after what uses it was told.",
        ("D", "delete"),
        "library",
        footer=24,
    ),
    Action(
        "join_copies",
        "copies",
        "Make copies of the selected model one file, so that its space is taken once.",
        ("J",),
        "library",
        footer=25,
    ),
    # Dialogs
    Action("agree", "yes", "Agree to what is asked.", ("y",), "choice", footer=1, palette=False),
    Action("tick", "tick", "Choose the selected row, or not.", ("space", "x"), "choice", footer=2, palette=False),
    Action("complete", "complete", "Write out the selected row.", ("tab",), "path", footer=1, palette=False),
)
