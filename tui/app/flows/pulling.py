"""From what a person names to what is queued: the Hub is asked, the projector offered along, the place said."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from tui.app.text import clean, sentence, size

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.flows.downloads import DownloadsFlow
    from tui.app.screens.pull import PullScreen
    from tui.hub.downloads.values import Item
    from tui.library import Model
    from tui.models.pulling import Order


@dataclass
class Ordered(Message, bubble=False):
    """What was named is known, or why it cannot be fetched; `here` is a model that is on this disk already."""

    number: int
    """Of the question in the dialog; 0 for one that was asked elsewhere."""
    order: Order | None = None
    here: Model | None = None
    problem: str = ""
    beside: bool = False
    """Only the projector is wanted: the model is here."""


class PullFlow:
    """Asks and offers. What is decided goes to the downloads."""

    def __init__(self, desk: Desk, flow: DownloadsFlow) -> None:
        self._desk, self._flow = desk, flow
        self._number = 0
        self._screen: PullScreen | None = None

    def ask(self) -> None:
        """Open the dialog for a name or an address."""
        from tui.app.screens.pull import PullScreen

        self._screen = PullScreen(self._desk.keymap, self._entered)
        self._desk.app.push_screen(self._screen, self._closed)

    def want(self, name: str, repo: str = "", file: str = "") -> None:
        """Fetch `name` (org/repo or org/repo:QUANT), or with `file` that file of the repository."""
        self._flow.with_settings(lambda: self._look_up(0, name, repo, file))

    def want_projector(self, model: Model) -> None:
        """Fetch what lets a model of this disk see."""
        self._flow.with_settings(lambda: self._look_up(0, model.name, model.repo or "", model.file, beside=True))

    def _entered(self, text: str) -> None:
        self._number += 1
        number = self._number
        self._flow.with_settings(lambda: self._look_up(number, text))

    def _closed(self, _nothing: None) -> None:
        """The person has closed the dialog: what is asked is not wanted any more."""
        if self._screen is not None:
            self._screen = None
            self._number += 1

    def _look_up(self, number: int, text: str, repo: str = "", file: str = "", *, beside: bool = False) -> None:
        fetching, models = self._flow.fetching, self._desk.bench.library.models
        settings = self._desk.settings
        assert settings is not None

        def work() -> None:
            from tui.config.errors import ConfigError
            from tui.hub.address import Address
            from tui.hub.errors import HubError
            from tui.models.pulling import here_already, order, order_at
            from tui.models.resolve import ModelNotFound

            try:
                here = None if file else here_already(text, models)
                if here is not None:
                    answer = Ordered(number, here=here)
                else:
                    hub = fetching.hub()
                    where = Address(repo, file=file) if file else None
                    found = order_at(hub, where, settings.downloads) if where else order(hub, text, settings.downloads)
                    answer = Ordered(number, found, beside=beside)
            except (HubError, ConfigError, ModelNotFound) as error:
                answer = Ordered(number, problem=str(error))
            with contextlib.suppress(RuntimeError):  # the loop has ended, and with it whoever would hear
                self._desk.app.post_message(answer)

        # No worker of Textual's: the end of the program would wait for a hub that says nothing.
        threading.Thread(target=work, name="ask the hub", daemon=True).start()

    def ordered(self, event: Ordered) -> None:
        """The Hub has answered."""
        if event.number not in (0, self._number):
            return
        screen = self._screen if event.number else None
        if event.problem:
            words = sentence(event.problem)
            if screen is not None:
                screen.say(words)
            else:
                self._desk.tell(words, "error")
            return
        if screen is not None:
            self._screen = None
            screen.dismiss()
        desk = self._desk
        if event.here is not None:
            desk.bench.library.select(event.here.identity)
            desk.tell(f"{clean(event.here.name)} is here already; it is selected in the library.")
        elif event.order is not None and event.beside:
            self._add_projector(event.order)
        elif event.order is not None and event.order.projectors:
            self._offer_projector(event.order)
        elif event.order is not None:
            self._flow.add((event.order.item,), event.order.reason)

    def _add_projector(self, found: Order) -> None:
        if found.projectors:
            self._flow.add(found.projectors[:1], "")
        else:
            self._desk.tell(f"{clean(found.item.repo)} has no projector: its models see no images.", "warning")

    def _offer_projector(self, found: Order) -> None:
        from tui.app.screens.choose import ChooseScreen, Option

        desk, projector = self._desk, found.projectors[0]
        both, alone = (found.item, projector), (found.item,)
        options: list[Option[tuple[Item, ...]]] = [
            Option(both, "with its projector", "it can see or hear, too", size(sum(item.total_bytes for item in both))),
            Option(alone, "the model alone", "text only", size(found.item.total_bytes)),
        ]

        def chosen(items: tuple[Item, ...] | None) -> None:
            if items is not None:
                self._flow.add(items, found.reason)

        desk.app.push_screen(ChooseScreen(f"Pull {clean(found.item.name)}", options, desk.keymap), chosen)
