"""What keys do with two panes of the chat."""

from __future__ import annotations

from typing import Final

from tui.config.actions.action import Action

ACTIONS: Final[tuple[Action, ...]] = (
    Action("split", "split", "Open a second pane in the chat, or close the one beside.", ("s", "alt+s"), footer=19),
    Action("other_pane", "other pane", "Have keys be about the other pane.", ("x", "alt+x"), footer=9),
    Action("aim", "one or both", "Write to both panes, or to the chosen one only.", ("b", "alt+a"), footer=9),
    Action("vote_left", "left better", "The answer on the left, or above, is better.", ("<", "alt+1"), footer=6),
    Action("vote_right", "right better", "The answer on the right, or below, is better.", (">", "alt+2"), footer=7),
    Action("vote_tie", "tie", "Both answers are as good.", ("=", "alt+3"), footer=8),
    Action("blind", "blind", "Hide who writes which answer until you have voted, or show it.", ("N",)),
    Action("votes", "votes", "Show which models your votes went to.", ("W",)),
    Action("pane_sampling", "sampling", "Have answers drawn otherwise in this pane: seed, temperature …", ("A",)),
    Action("exchange_models", "exchange", "Have each conversation go on with the other pane's model.", ("M",)),
)
