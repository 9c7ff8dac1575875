"""A pane of the chat with all that belongs to it: what is seen, which model answers there and how, where its engine is,
and its turns. And the place of an engine, which two panes share that ask the same of the same model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from tui.app.flows.others import Others
from tui.app.text import named

if TYPE_CHECKING:
    from tui.app.asking import Turns
    from tui.app.engines import Engines
    from tui.app.expected import RunningEngine
    from tui.app.flows.states import StateFlow
    from tui.app.panels.chat.pane import ChatPane
    from tui.library import Model
    from tui.llama.settings import LoadSettings
    from tui.models.prepare import Prepared


class Place:
    """At most one engine, and what is known of it."""

    def __init__(self, engines: Engines) -> None:
        self.engines = engines
        self.others = Others()
        self.prepared: Prepared | None = None
        """The plan of what is loaded."""
        self.sequences = 1
        """Conversations that the next load makes room for."""


class Pane:
    """One pane. `place` may change with what is loaded."""

    turns: Turns
    states: StateFlow

    def __init__(self, view: ChatPane, number: int = 0) -> None:
        self.view, self.number = view, number
        self.place: Place | None = None
        """None before the first load."""
        self.sequence = 0
        """Which of its engine's conversations this is."""
        self.model: Model | None = None
        """What answers here, loaded or not; None where whatever is selected is to answer."""
        self.wished: LoadSettings | None = None
        """What it is to be loaded with; None as it is kept for the model."""
        self.sampling: Mapping[str, Any] = {}
        """What differs here from how answers are drawn elsewhere."""
        self.think: bool | None = None
        """Whether the model is to think first, where it can be told; None leaves it to the template."""

    @property
    def engine(self) -> RunningEngine | None:
        """The engine that answers here, if it is in memory."""
        place, model = self.place, self.model
        if place is None or model is None or not place.engines.ready or not self.owns(place.engines.model):
            return None
        engine = place.engines.engine
        return engine if engine is not None and self.sequence < engine.settings.panes else None

    @property
    def ready(self) -> bool:
        """True when a model waits for words."""
        return self.engine is not None

    @property
    def loading(self) -> bool:
        """True while its model is read into memory."""
        return self.place is not None and self.place.engines.loading and self.owns(self.place.engines.model)

    @property
    def n_ctx(self) -> int:
        """Tokens of context; 0 without an engine."""
        return self.engine.receipt.n_ctx if self.engine is not None else 0

    @property
    def label(self) -> str:
        """What answers here, as it is told from what answers in the other pane."""
        if self.model is None:
            return ""
        thought = {None: (), True: ("thinking",), False: ("no thinking",)}[self.think]
        own = ", ".join((*(f"{name} {value}" for name, value in self.sampling.items()), *thought))
        name = named(self.model.name, self.model.quant)
        return f"{name} ({own})" if own else name

    def owns(self, model: Model | None) -> bool:
        """Whether `model` is what answers here."""
        return model is not None and self.model is not None and model.identity == self.model.identity

    def asks_the_same(self, other: Pane) -> bool:
        """Whether one engine can answer in both panes."""
        if not self.owns(other.model):
            return False
        loaded = other.place.engines.wished if other.place is not None else None
        mine, theirs = self.wished, other.wished or loaded
        return mine is None or theirs is None or _alone(mine) == _alone(theirs)


def _alone(settings: LoadSettings) -> LoadSettings:
    return msgspec.structs.replace(settings, panes=1)
