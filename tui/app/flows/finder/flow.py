"""The finder's list in the workbench: it is opened, and its rows follow from what is wished for and what the Hub finds.

What takes longer than a moment is done behind it, by workers. All of that is imported when the finder is first opened.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.app.flows.finder.model import ModelFlow
from tui.app.keys import install, show_key

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.flows.finder.glances import GlancesTold
    from tui.app.flows.finder.hub import HubTold
    from tui.app.flows.finder.opened import Opened
    from tui.app.flows.finder.rows import CatalogueRead, RowsMade, WhyTold
    from tui.app.messages import ModelsFound
    from tui.app.panels.finder.dialog import FilterScreen
    from tui.app.panels.finder.panel import FinderPanel
    from tui.app.workbench import View
    from tui.models.finder.values import Wishes

DRIFT_S = 5.0
"""How often all models may be priced anew because memory changes."""
_KEYS: Mapping[str, str] = {
    "use_case": "finder_use",
    "max_wait_s": "finder_wait",
    "fits": "finder_fits",
    "parameters": "finder_parameters",
    "family": "finder_family",
    "licence": "finder_licence",
    "context_length": "finder_trained",
    "clear": "finder_clear",
    "retry": "finder_retry",
}
"""The action that changes a filter; one that has none is in the list of all filters."""
_WHILE_TYPING = ("clear", "retry")
"""Those that have a key that is no letter."""


class FinderFlow:
    """Holds the finder, once it has been opened."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.opened: Opened | None = None
        """The finder; None before it was opened."""
        self._model = ModelFlow(desk, self)
        self.parts = (self, self._model)
        """Who hears what its workers and its panel post."""
        self._from: View = "library"
        self._asked: tuple[Wishes, int] | None = None
        """What rows were made for."""
        self._restocked_at = float("-inf")
        self._dialog: FilterScreen | None = None

    @property
    def panel(self) -> FinderPanel | None:
        """Its panel; None before it was opened."""
        return self.opened.panel if self.opened is not None else None

    @property
    def now(self) -> Opened:
        """The finder that is open."""
        assert self.opened is not None, "only what it has opened asks for anything"
        return self.opened

    @property
    def searching(self) -> bool:
        """Whether what is typed goes into the search line."""
        return self.panel is not None and self.panel.search.input.has_focus

    @property
    def has_focus(self) -> bool:
        """Whether keys go to the list or to one model: there they mean what is selected in it."""
        panel = self.panel
        return panel is not None and (panel.found.has_focus or panel.pane.has_focus)

    @property
    def ghost(self) -> Mapping[str, int] | None:
        """What the selected model would add, by the key of a gauge; None while nobody looks at the finder."""
        return self._model.ghost

    # ---- opening

    async def open(self) -> None:
        """Go to the search line."""
        bench = self._desk.bench
        if bench.view != "finder":
            self._from = bench.view if bench.view in ("library", "chat") else "library"
        if self.opened is None:
            await self._make()
        bench.go("finder")
        self.now.panel.go()
        self._follow_machine()

    async def _make(self) -> None:
        from tui.app.flows.finder.opened import opened
        from tui.app.panels.finder.filter_keys import USUAL_CONTEXT
        from tui.config.settings import Settings
        from tui.models.finder.values import Wishes

        desk = self._desk
        settings = desk.settings or Settings()
        n_ctx = settings.load.n_ctx
        self.opened = opened(desk, n_ctx if isinstance(n_ctx, int) else USUAL_CONTEXT)
        panel = self.opened.panel
        panel.wishes = Wishes(patience_s=settings.finder.patience_s or None)
        await desk.bench.mount(panel, after=desk.bench.library)
        desk.bench.join("finder", panel.enter)
        self.install_keys()
        panel.say(("The catalogue is being read.", "muted"))
        self.opened.rows.read_catalogue()

    def install_keys(self) -> None:
        """Give its parts their keys."""
        panel = self.panel
        if panel is not None:
            install(panel, self._desk.keymap, "finder", "list")
            install(panel.found, self._desk.keymap, "list")
            install(panel.pane, self._desk.keymap, "list")

    def on_finder_panel_closed(self, _event: FinderPanel.Closed) -> None:
        """Go to where the person was."""
        self._desk.bench.go(self._from)

    # ---- rows

    def on_catalogue_read(self, event: CatalogueRead) -> None:
        """What is known without a network can be shown."""
        self.now.rows.catalogue_read(event.catalogue)
        self._desk.tell(event.catalogue.problem or "", "warning")
        self.restock()
        self.now.hub.search(self.now.panel.wishes, event.catalogue)
        self._tell_source()

    def on_rows_made(self, event: RowsMade) -> None:
        """List them."""
        panel, stocked = self.now.panel, event.stocked
        panel.show(stocked.shelf, stocked.total, stocked.choices)
        self._model.look()
        self.now.glances.look(panel.found.in_sight)
        if self._dialog is not None:
            self._dialog.tell(panel.counted)
        self._explain()

    def on_hub_told(self, event: HubTold) -> None:
        """What the Hub found is listed too."""
        self.now.hub.results = event.results
        if self.now.rows.take(event.results.listings):
            self.restock()
        self._tell_source()
        self._explain()

    def on_glances_told(self, _event: GlancesTold) -> None:
        """Which files there are of the models in sight is known."""
        self.restock()

    def on_models_found(self, _event: ModelsFound) -> None:
        """Others are on this disk now."""
        if self.opened is not None:
            self.restock()

    def memory_seen(self) -> None:
        """Memory was measured."""
        if self._desk.bench.view == "finder" and not self._desk.loading.loading:
            self._follow_machine()

    def _follow_machine(self) -> None:
        drifted = self.opened is not None and self.opened.rows.drifted
        if drifted and time.monotonic() - self._restocked_at > DRIFT_S:
            self.restock()

    def restock(self) -> None:
        """Have rows made anew: something that they are made of is another."""
        panel = self.now.panel
        self._asked = replace(panel.wishes, query=""), panel.n_ctx
        self._restocked_at = time.monotonic()
        self.now.rows.restock(*self._asked)

    # ---- what is wished for

    def on_finder_panel_asked(self, event: FinderPanel.Asked) -> None:
        """Something else is wished for."""
        from tui.hub.beyond import beyond

        panel, catalogue = self.now.panel, self.now.rows.catalogue
        if (replace(panel.wishes, query=""), panel.n_ctx) != self._asked:
            self.restock()
        if catalogue is not None:
            self.now.hub.search(panel.wishes, catalogue, again=event.again)
        if event.again:
            self._model.look(again=True)
            self.now.glances.again()
            self.now.glances.look(panel.found.in_sight)
        panel.note.say(beyond(panel.wishes.query) or "")
        self._explain()

    def on_finder_panel_filters_wanted(self, _event: FinderPanel.FiltersWanted) -> None:
        """Show all filters at once."""
        from tui.app.panels.finder.dialog import FilterScreen

        panel = self.now.panel
        self._dialog = FilterScreen(panel.wishes, panel.n_ctx, panel.choices, self._desk.keymap, panel.wish)

        def closed(_nothing: None) -> None:
            self._dialog = None

        self._desk.app.push_screen(self._dialog, closed)

    # ---- what is said

    def _explain(self) -> None:
        """Where no row is left, say why."""
        panel = self.now.panel
        if not panel.found.rows and panel.total:
            self.now.rows.explain(panel.wishes)

    def on_why_told(self, event: WhyTold) -> None:
        """That is known."""
        from tui.app.flows.finder.words import nothing_words

        panel, state = self.now.panel, self.now.hub.state
        if event.wishes == panel.wishes:
            panel.say(*nothing_words(event.wishes, event.without, state, self._shown_key, panel.found.glyphs))

    def _tell_source(self) -> None:
        from tui.app.flows.finder.words import age_words, source_words

        panel, hub, catalogue = self.now.panel, self.now.hub, self.now.rows.catalogue
        results = hub.results
        problem = str(results.problem) if results is not None and results.problem is not None else ""
        age = age_words(results.age_s) if results is not None else ""
        gathered = catalogue.gathered if catalogue is not None else ""
        panel.tell_source(source_words(gathered, hub.state, problem, age, self._shown_key("retry"), panel.found.glyphs))

    def _shown_key(self, name: str) -> str:
        """The key that changes a filter, clears them all, or asks the Hub again: one that works where letters are
        typed, while they are.
        """
        action = _KEYS.get(name, "finder_filters")
        if self.searching and name not in _WHILE_TYPING:
            action = "finder_filters"
        keys = self._desk.keymap.keys[action]
        ascii_only = self._desk.app.glyphs.ascii
        return show_key(keys[-1 if self.searching or name == "retry" else 0], ascii_only) if keys else "^p"
