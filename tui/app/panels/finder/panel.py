"""The finder: a line to search in, the models that are found with what they would take here, and one of them in detail.

It filters what it was given while one types, and asks for everything else by messages: prices, the Hub's answers,
headers, downloads. It works nothing out, and waits for nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from textual import events
from textual.app import ComposeResult
from textual.message import Message

from tui.app.list_keys import ListKeys
from tui.app.panels.finder import filters
from tui.app.panels.finder.about import About
from tui.app.panels.finder.detail import DetailPane
from tui.app.panels.finder.filter_keys import USUAL_CONTEXT, FilterKeys
from tui.app.panels.finder.filters import Choices
from tui.app.panels.finder.frame import Frame, Note
from tui.app.panels.finder.line import SearchLine
from tui.app.panels.finder.list import FinderList, Heads
from tui.app.panels.finder.shelf import Shelf
from tui.app.panels.finder.wanted import PullWanted
from tui.app.rows import RowList
from tui.app.text import thousands
from tui.hub.listing import Listing
from tui.models.finder.values import FinderRow

_SOMETIMES = ("finder_options", "finder_pull", "finder_copy")
"""Actions that there is not always something for."""


class FinderPanel(FilterKeys, ListKeys, Frame):
    """The panel. Its keys are the group "finder" of the action table."""

    @dataclass
    class Asked(Message):
        """Something else is searched for, or wished for; or with `again`, the same is to be tried once more."""

        again: bool = False

    @dataclass
    class Selected(Message):
        """Another model is under the cursor; None when there is none."""

        row: FinderRow | None

    @dataclass
    class Focused(Message):
        """A person looks at one quantization: what it takes should be known exactly."""

        row: FinderRow

    @dataclass
    class PullAsked(Message):
        """A model is to be fetched; which of its files that is has still to be found out."""

        row: FinderRow

    @dataclass
    class OptionsWanted(Message):
        """A model that is here already is to be loaded, its settings looked at before."""

        row: FinderRow

    @dataclass
    class CopyWanted(Message):
        """The address of a page is to be sent to the clipboard."""

        page: str

    @dataclass
    class FiltersWanted(Message):
        """All filters are to be shown at once."""

    @dataclass
    class Closed(Message):
        """The person steps out."""

    def __init__(self, n_ctx: int = USUAL_CONTEXT) -> None:
        super().__init__(id="finder", classes="panel")
        self.n_ctx = n_ctx
        self.shelf = Shelf()
        """Everything that the wishes leave, before the query."""
        self.total = 0
        """How many models there are, before any wish."""
        self.in_detail = False
        """A person looks at one model: it stays before them, whatever the list comes to hold."""
        self.note = Note()
        """What is said above the list."""
        self._offered: tuple[bool | None, ...] = ()
        self.found = FinderList()
        """The list."""
        self.pane = DetailPane()
        """One model in detail."""
        self.search = SearchLine(self._typed)
        """The line to search in."""

    @property
    def rows(self) -> FinderList:
        """What the keys of a list move in, while one types."""
        return self.found

    def action_choose(self) -> None:
        self.found.action_choose()

    def compose(self) -> ComposeResult:
        yield self.search
        yield self.note
        yield Heads(self.found)
        yield self.found
        yield self.pane

    def on_mount(self) -> None:
        self._summarise()
        self._tell_title()

    # ---- what is shown

    def show(self, shelf: Shelf, total: int, choices: Choices) -> None:
        """Other rows to choose from: after a wish, a price or an answer. The cursor stays on its model."""
        self.shelf, self.total, self.choices = shelf, total, choices
        # Unless a person looks at it, nobody has chosen the first row: whatever comes first is under the cursor.
        self._list(follow=self.found.index > 0 or self.in_detail)

    def say(self, *sentences: tuple[str, str]) -> None:
        """What is said where no row is left: sentences and their colours."""
        self.found.say(*sentences)

    def show_about(self, about: About | None) -> None:
        """More is known of the model under the cursor."""
        self.pane.show(about)
        self._offer()

    @property
    def target(self) -> FinderRow | None:
        """What a key is meant for: in the detail pane the quantization under its cursor, else the model's recommended
        one.
        """
        return self.pane.selected if self.in_detail else self.found.selected

    @property
    def listing(self) -> Listing | None:
        """The model that is looked at, else the one under the cursor."""
        if self.in_detail and self.pane.about is not None:
            return self.pane.about.listing
        return self.found.selected.listing if self.found.selected is not None else None

    def _list(self, *, follow: bool) -> None:
        rows = self.shelf.matching(self.wishes.query)
        self.found.show(rows, self.shelf.name_cells, follow=follow)
        self._tell_title()
        if not rows and not self.in_detail:
            self.pane.show(None)
            self._offer()
            self._tell(self.Selected(None))

    @property
    def counted(self) -> str:
        """How many models are listed, of how many."""
        shown = len(self.found.rows)
        return thousands(shown) if shown == self.total else f"{thousands(shown)} of {thousands(self.total)}"

    def _tell_title(self) -> None:
        self.tell_title(f"Find {self.found.glyphs.dot} {self.counted}" if self.total else "Find")

    def _summarise(self) -> None:
        self.search.summary.say(filters.summary(self.wishes, self.n_ctx, self.found.glyphs))

    # ---- what happens in its parts

    def _typed(self, query: str) -> None:
        self.wishes = replace(self.wishes, query=query)
        self._list(follow=False)
        self._tell(self.Asked())

    def _tell(self, message: Message) -> None:
        """Tell the app of what may come with each key: on its way through all that the panel stands in, it would cost
        as much as a line of the list each time.
        """
        self.app.post_message(message)

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        event.stop()
        self._offer()
        self._tell(self.Selected(self.found.selected))

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        self.action_finder_detail()

    def on_detail_pane_moved(self, event: DetailPane.Moved) -> None:
        event.stop()
        self._offer()
        self.post_message(self.Focused(event.row))

    def on_detail_pane_chosen(self, event: DetailPane.Chosen) -> None:
        event.stop()
        self._take(event.row)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.add_class("-on")
        self.in_detail = event.widget is self.pane

    def on_descendant_blur(self) -> None:
        focused = self.screen.focused
        self.set_class(focused is not None and self in focused.ancestors, "-on")

    def wished(self) -> None:
        """The summary tells of it, and so does a message."""
        if self.search.input.value != self.wishes.query:
            self.search.input.value = self.wishes.query
        self._summarise()
        self._tell(self.Asked())

    # ---- keys

    def go(self) -> None:
        """Put the focus into the search line."""
        self.search.input.focus()

    def enter(self) -> None:
        """Take the focus: the list's, where there is one."""
        if self.found.rows:
            self.found.focus()
        else:
            self.go()

    def action_finder_detail(self) -> None:
        """Look at one model; the same key goes back to the list."""
        if self.pane.has_focus:
            self.action_finder_out()
        elif (row := self.found.selected) is not None:
            if self.pane.about is None or self.pane.about.listing.repo != row.listing.repo:
                self.pane.show(About(row.listing))  # what it showed is another model's
            self.add_class("-detail")
            self.in_detail = True
            self.pane.focus()
            self.post_message(self.Focused(self.pane.selected or row))

    def action_finder_out(self) -> None:
        """One step out: from the detail pane, or the search line, to the list; from there to where one was."""
        if self.found.has_focus:
            self.post_message(self.Closed())
            return
        self.remove_class("-detail")
        self.found.focus()
        self._tell(self.Selected(self.found.selected))  # the pane follows the list again

    def action_finder_pull(self) -> None:
        if (row := self.target) is not None:
            self._pull(row)

    def _take(self, row: FinderRow) -> None:
        """What is here is loaded, what is not is fetched."""
        if row.installed:
            self.post_message(self.OptionsWanted(row))
        else:
            self._pull(row)

    def _pull(self, row: FinderRow) -> None:
        if row.file is None:
            self.post_message(self.PullAsked(row))
        else:
            self.post_message(PullWanted(row.listing.repo, row.quant, row.file))

    def action_finder_options(self) -> None:
        if (row := self.target) is not None and row.installed:
            self.post_message(self.OptionsWanted(row))

    def action_finder_copy(self) -> None:
        if self.pane.about is not None and self.pane.about.page:
            self.post_message(self.CopyWanted(self.pane.about.page))

    def action_finder_filters(self) -> None:
        self.post_message(self.FiltersWanted())

    def action_finder_retry(self) -> None:
        self._tell(self.Asked(again=True))

    def _offer(self) -> None:
        """The footer shows other keys where other things can be done; drawing it takes a while."""
        offered = tuple(self.check_action(action, ()) for action in _SOMETIMES)
        if offered != self._offered:
            self._offered = offered
            self.screen.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What there is nothing for is not offered."""
        if action == "finder_options":
            return self.target is not None and bool(self.target.installed)
        if action in ("finder_pull", "finder_detail"):
            return self.target is not None
        if action == "finder_copy":
            return self.pane.about is not None and bool(self.pane.about.page)
        return True
