"""The finder in the workbench: it opens it, and has everything on it follow from what a person does there.

What takes longer than a moment is done behind it, by workers. All of that is imported when the finder is first opened.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.app import clipboard
from tui.app.flows.finder_pause import Pause
from tui.app.keys import install, show_key

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.flows.finder_back import Back, CatalogueRead, HubTold, RowsMade, WhyTold
    from tui.app.flows.finder_looking import DetailTold
    from tui.app.messages import ModelsFound
    from tui.app.panels.finder.dialog import FilterScreen
    from tui.app.panels.finder.panel import FinderPanel
    from tui.app.workbench import View
    from tui.models.finder.values import FinderRow, Wishes

REST_S = 0.1
"""How long a person rests on a row before the meter and the pane follow."""
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
        self._panel: FinderPanel | None = None
        self._back: Back | None = None
        self._from: View = "library"
        self._asked: tuple[Wishes, int] | None = None
        """What rows were made for."""
        self._restocked_at = float("-inf")
        self._ghost: Mapping[str, int] = {}
        self._resting = Pause(desk.app)
        self._dialog: FilterScreen | None = None

    @property
    def panel(self) -> FinderPanel | None:
        """The finder; None before it was opened."""
        return self._panel

    @property
    def searching(self) -> bool:
        """Whether what is typed goes into the search line."""
        return self._panel is not None and self._panel.search.input.has_focus

    @property
    def has_focus(self) -> bool:
        """Whether keys go to the list or to one model: there they mean what is selected in it."""
        panel = self._panel
        return panel is not None and (panel.found.has_focus or panel.pane.has_focus)

    async def open(self) -> None:
        """Go to the search line."""
        bench = self._desk.bench
        if bench.view != "finder":
            self._from = bench.view if bench.view in ("library", "chat") else "library"
        if self._panel is None:
            await self._make()
        bench.go("finder")
        if self._panel is not None:
            self._panel.go()
            self._follow_machine()

    async def _make(self) -> None:
        from tui.app.flows.finder_back import Back
        from tui.app.panels.finder.filter_keys import USUAL_CONTEXT
        from tui.app.panels.finder.panel import FinderPanel

        desk = self._desk
        n_ctx = desk.settings.load.n_ctx if desk.settings is not None else "auto"
        self._panel = panel = FinderPanel(n_ctx if isinstance(n_ctx, int) else USUAL_CONTEXT)
        self._back = Back(desk)
        await desk.bench.mount(panel, after=desk.bench.library)
        desk.bench.join("finder", panel.enter)
        self.install_keys()
        panel.say(("The catalogue is being read.", "muted"))
        self._back.read_catalogue()

    def install_keys(self) -> None:
        """Give its parts their keys."""
        if self._panel is not None:
            install(self._panel, self._desk.keymap, "finder", "list")
            install(self._panel.found, self._desk.keymap, "list")
            install(self._panel.pane, self._desk.keymap, "list")

    # ---- rows

    def on_catalogue_read(self, event: CatalogueRead) -> None:
        """What is known without a network can be shown."""
        panel, back = self._both
        back.catalogue_read(event.catalogue)
        if event.catalogue.problem:
            self._desk.tell(event.catalogue.problem, "warning")
        self._restock()
        back.search(panel.wishes)
        self._tell_source()

    def on_rows_made(self, event: RowsMade) -> None:
        """List them."""
        panel, back = self._both
        stocked = event.stocked
        panel.show(stocked.shelf, stocked.total, stocked.choices)
        if panel.pane.has_focus and (row := panel.pane.selected) is not None:
            back.look(row, panel.n_ctx)  # again, where memory or the context has changed
        if self._dialog is not None:
            self._dialog.tell(panel.counted)
        self._explain()

    def on_hub_told(self, event: HubTold) -> None:
        """What the Hub found is listed too."""
        _, back = self._both
        if back.told(event.results):
            self._restock()
        self._tell_source()
        self._explain()

    def on_models_found(self, _event: ModelsFound) -> None:
        """Others are on this disk now."""
        if self._panel is not None:
            self._restock()

    def memory_seen(self) -> None:
        """Memory was measured."""
        if self._desk.bench.view == "finder" and not self._desk.loading.loading:
            self._follow_machine()

    def _follow_machine(self) -> None:
        if self._back is not None and self._back.drifted and time.monotonic() - self._restocked_at > DRIFT_S:
            self._restock()

    def _restock(self) -> None:
        panel, back = self._both
        self._asked = replace(panel.wishes, query=""), panel.n_ctx
        self._restocked_at = time.monotonic()
        back.restock(self._asked[0], panel.n_ctx)

    def on_finder_panel_asked(self, event: FinderPanel.Asked) -> None:
        """Something else is wished for."""
        from tui.hub.beyond import beyond

        panel, back = self._both
        if (replace(panel.wishes, query=""), panel.n_ctx) != self._asked:
            self._restock()
        back.search(panel.wishes, again=event.again)
        if event.again and panel.pane.has_focus and panel.target is not None:
            back.look(panel.target, panel.n_ctx, again=True)
        panel.note(beyond(panel.wishes.query) or "")
        self._explain()

    def _explain(self) -> None:
        """Where no row is left, say why."""
        panel, back = self._both
        if not panel.found.rows and panel.total:
            back.explain(panel.wishes)

    def on_why_told(self, event: WhyTold) -> None:
        """That is known."""
        from tui.app.flows.finder_words import nothing_words

        panel, back = self._both
        if event.wishes == panel.wishes:
            panel.say(*nothing_words(event.wishes, event.without, back.state, self._shown_key, panel.found.glyphs))

    def _tell_source(self) -> None:
        from tui.app.flows.finder_words import age_words, source_words

        panel, back = self._both
        results = back.results
        problem = str(results.problem) if results is not None and results.problem is not None else ""
        age = age_words(results.age_s) if results is not None else ""
        retry = self._shown_key("retry")
        panel.tell_source(source_words(back.gathered, back.state, problem, age, retry, panel.found.glyphs))

    def _shown_key(self, name: str) -> str:
        """The key that changes a filter, clears them all, or asks the Hub again: one that works where letters are
        typed, while they are.
        """
        action = _KEYS.get(name, "finder_filters")
        if self.searching and name not in _WHILE_TYPING:
            action = "finder_filters"
        keys = self._desk.keymap.keys[action]
        return show_key(keys[-1 if self.searching or name == "retry" else 0], self._ascii) if keys else "^p"

    @property
    def _ascii(self) -> bool:
        return self._desk.app.glyphs.ascii

    # ---- one model

    def on_finder_panel_selected(self, event: FinderPanel.Selected) -> None:
        """The pane and the meter follow once a person rests."""
        row = event.row
        self._resting.wait(REST_S if row is not None else 0, lambda: self._rested(row))

    def _rested(self, row: FinderRow | None) -> None:
        panel, back = self._both
        if panel.found.selected is row:
            if row is not None:
                panel.show_about(back.about(row, panel.n_ctx))
            self._show_ghost(row)

    def on_finder_panel_focused(self, event: FinderPanel.Focused) -> None:
        """All is to be found out of a quantization."""
        panel, back = self._both
        back.look(event.row, panel.n_ctx, again=True)
        panel.show_about(back.about(event.row, panel.n_ctx))
        self._show_ghost(panel.target)

    def on_detail_told(self, event: DetailTold) -> None:
        """More is known of a model."""
        panel, back = self._both
        back.looking.told(event)
        back.pulls.told(event.detail)
        if event.detail.rows and not event.detail.asking:
            self._restock()  # the list shows what is known better now
        row = panel.found.selected
        if row is None or row.listing.repo != event.detail.listing.repo:
            return
        panel.show_about(back.about(row, panel.n_ctx))
        target = panel.pane.selected
        if panel.pane.has_focus and target is not None:
            self._show_ghost(target)
            back.look(target, panel.n_ctx)

    # ---- the ghost

    @property
    def ghost(self) -> Mapping[str, int] | None:
        """What the selected model would add, by the key of a gauge; None while nobody looks at the finder."""
        return self._ghost if self._desk.bench.view == "finder" else None

    def _show_ghost(self, row: FinderRow | None) -> None:
        _, back = self._both
        self._ghost = back.ghost(row) if row is not None else {}
        self._desk.show_ghost()

    # ---- what it asks for

    def on_finder_panel_pull_asked(self, event: FinderPanel.PullAsked) -> None:
        """See which files there are, then have one fetched."""
        panel, back = self._both
        back.pulls.ask(event.row)
        back.look(event.row, panel.n_ctx, again=True)
        if (known := back.looking.known(event.row.listing, panel.n_ctx)) is not None and known.rows:
            back.pulls.told(known)

    def on_finder_panel_filters_wanted(self, _event: FinderPanel.FiltersWanted) -> None:
        """Show all filters at once."""
        from tui.app.panels.finder.dialog import FilterScreen

        panel, _ = self._both
        self._dialog = FilterScreen(panel.wishes, panel.n_ctx, panel.choices, self._desk.keymap, panel.wish)

        def closed(_nothing: None) -> None:
            self._dialog = None

        self._desk.app.push_screen(self._dialog, closed)

    def on_finder_panel_options_wanted(self, event: FinderPanel.OptionsWanted) -> None:
        """Open the load panel for what is here already."""
        models = self._desk.bench.library.models
        model = next((one for one in models if one.identity == event.row.installed), None)
        if model is not None:
            self._desk.bench.library.select(model.identity)
            self._desk.fit.open_panel(model)

    def on_finder_panel_copy_wanted(self, event: FinderPanel.CopyWanted) -> None:
        """Send an address to the terminal's clipboard, which never says whether it came there."""
        self._desk.app.to_terminal(clipboard.sequence(event.page))
        self._desk.tell(f"The address was sent to the terminal's clipboard: {event.page}")

    def on_finder_panel_closed(self, _event: FinderPanel.Closed) -> None:
        """Go to where the person was."""
        self._desk.bench.go(self._from)

    @property
    def _both(self) -> tuple[FinderPanel, Back]:
        panel, back = self._panel, self._back
        assert panel is not None, "only what it has opened asks for anything"
        assert back is not None, "they are made together"
        return panel, back
