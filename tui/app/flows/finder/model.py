"""One model of the finder in the workbench: what is known of it, its ghost on the meter, and what is done with it.

Who looks at one model keeps it before them, whatever the list behind it comes to hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui.app import clipboard
from tui.app.pause import Pause

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.flows.finder.flow import FinderFlow
    from tui.app.flows.finder.looking import DetailTold
    from tui.app.flows.finder.pulls import FilesTold
    from tui.app.panels.finder.panel import FinderPanel
    from tui.hub.listing import Listing
    from tui.models.finder.values import FinderRow

REST_S = 0.1
"""How long a person rests on a row before the meter and the pane follow."""


class ModelFlow:
    """Follows the model under the cursor."""

    def __init__(self, desk: Desk, finder: FinderFlow) -> None:
        self._desk, self._finder = desk, finder
        self._ghost: Mapping[str, int] = {}
        self._resting = Pause(desk.app)

    # ---- what is known of it

    def on_finder_panel_selected(self, event: FinderPanel.Selected) -> None:
        """The pane and the meter follow once a person rests."""
        row, now = event.row, self._finder.now
        now.glances.look(now.panel.found.in_sight)
        self._resting.wait(REST_S if row is not None else 0, lambda: self._rested(row))

    def _rested(self, row: FinderRow | None) -> None:
        panel = self._finder.now.panel
        if not panel.in_detail and panel.found.selected is row:
            self._show_about()
            self._show_ghost()

    def on_finder_panel_focused(self, event: FinderPanel.Focused) -> None:
        """All is to be found out of a quantization."""
        self._look(event.row.listing, event.row.file, again=True)
        self._show_about()
        self._show_ghost()

    def on_detail_told(self, event: DetailTold) -> None:
        """More is known of a model."""
        now = self._finder.now
        if not now.looking.told(event):
            return
        if event.detail.rows and not event.detail.asking:
            self._finder.restock()  # the list shows what is known better now
        shown = now.panel.listing
        if now.panel.in_detail:
            self.look()
        elif shown is not None and shown.repo == event.detail.listing.repo:
            self._show_about()

    def look(self, *, again: bool = False) -> None:
        """All is to be known of the model that a person looks at, if they do: rows, memory or the context may be others
        now. What could not be found out is tried `again` only.
        """
        panel = self._finder.now.panel
        if panel.in_detail and panel.listing is not None:
            self._show_about()
            self._look(panel.listing, panel.target.file if panel.target is not None else None, again=again)
            self._show_ghost()

    def _look(self, listing: Listing, file: str | None, *, again: bool) -> None:
        now = self._finder.now
        now.looking.look(listing, file or "", now.panel.n_ctx, now.rows.seen, again=again)

    def _show_about(self) -> None:
        now = self._finder.now
        listing = now.panel.listing
        if listing is not None:
            here = now.rows.installed.get(listing.repo, {})
            now.panel.show_about(now.looking.about(listing, now.panel.n_ctx, now.rows.rows_of(listing), here))

    # ---- the ghost

    @property
    def ghost(self) -> Mapping[str, int] | None:
        """What the model would add, by the key of a gauge; None while nobody looks at the finder."""
        return self._ghost if self._desk.bench.view == "finder" else None

    def _show_ghost(self) -> None:
        from tui.app.flows.finder.ghost import ghost_of

        now = self._finder.now
        row, seen = now.panel.target, now.rows.seen
        self._ghost = ghost_of(row, seen) if row is not None and seen is not None else {}
        self._desk.show_ghost()

    # ---- what is done with it

    def on_finder_panel_pull_asked(self, event: FinderPanel.PullAsked) -> None:
        """See which files there are, then have one fetched."""
        self._finder.now.pulls.ask(event.row)

    def on_files_told(self, event: FilesTold) -> None:
        """It is known which files there are."""
        self._finder.now.pulls.told(event)

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
