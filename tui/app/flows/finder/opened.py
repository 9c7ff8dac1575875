"""The finder once it is open: its panel, and who works behind it. Nothing of this is imported before it is opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.app.flows.finder.glances import Glances
from tui.app.flows.finder.hub import HubSide
from tui.app.flows.finder.looking import Looking
from tui.app.flows.finder.pulls import Pulls
from tui.app.flows.finder.rows import Rows
from tui.app.panels.finder.panel import FinderPanel
from tui.hub.client import connect
from tui.models.finder.sources import Sources

if TYPE_CHECKING:
    from tui.app.desk import Desk


@dataclass(frozen=True, slots=True)
class Opened:
    """All of it."""

    panel: FinderPanel
    rows: Rows
    hub: HubSide
    looking: Looking
    pulls: Pulls
    glances: Glances


def opened(desk: Desk, n_ctx: int) -> Opened:
    """A finder that prices models at `n_ctx` tokens. Its panel is nowhere yet, and nobody has been asked."""
    sources = Sources(connect)
    looking = Looking(desk, sources)
    glances = Glances(desk, sources)
    rows, hub = Rows(desk, looking, glances), HubSide(desk, connect)
    return Opened(FinderPanel(n_ctx), rows, hub, looking, Pulls(desk, sources), glances)
