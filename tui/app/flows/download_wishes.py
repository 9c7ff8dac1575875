"""What the keys of the downloads panel do: each wish becomes a change of the queue, which every puna keeps to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.app.text import clean, size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui.app.desk import Desk
    from tui.app.flows.downloads import DownloadsFlow
    from tui.app.panels.downloads.list import DownloadList
    from tui.app.panels.downloads.values import Row
    from tui.app.screens.read import ReadScreen
    from tui.hub.downloads.control import Downloads


class DownloadWishes:
    """Does them."""

    def __init__(self, desk: Desk, flow: DownloadsFlow) -> None:
        self._desk, self._flow = desk, flow
        self._reading: ReadScreen | None = None
        self._read: Row | None = None

    def follow(self, rows: Sequence[Row]) -> None:
        """Keep what is read of one download true."""
        before = self._read
        row = next((row for row in rows if before is not None and row.item.id == before.item.id), None)
        if self._reading is not None and row is not None and row != before:
            from tui.app.panels.downloads.details import details_text

            self._read = row
            self._reading.put(details_text(row))

    def do(self, event: DownloadList.Wish) -> None:
        """Something that the panel asks for."""
        if event.verb == "pause_all":
            self._pause_all()
        elif event.verb == "clear":
            self._ask(lambda downloads: downloads.clear(), "clear the list")
        elif event.verb == "limit":
            self._choose_limit()
        elif event.row is not None:
            about = {
                "open": self._open, "details": self._details, "pause": self._pause, "retry": self._retry,
                "cancel": self._cancel, "earlier": self._earlier, "later": self._later,
            }  # fmt: skip
            about[event.verb](event.row)

    def _ask(self, work: Callable[[Downloads], object], what: str) -> None:
        self._flow.fetching.do(work, what)

    def _open(self, row: Row) -> None:
        if row.phase == "done":
            model = self._flow.arrived.model_of(row.item)
            if model is not None:
                self._desk.fit.open_panel(model)
            else:
                self._flow.arrived.tell_gone(row.item)
        elif row.phase in ("paused", "failed"):
            self._retry(row)
        else:
            self._details(row)

    def _details(self, row: Row) -> None:
        from tui.app.panels.downloads.details import details_text
        from tui.app.screens.read import ReadScreen

        def closed(_nothing: None) -> None:
            self._reading = self._read = None

        self._read, self._reading = row, ReadScreen(clean(row.item.name), details_text(row), self._desk.keymap)
        self._desk.app.push_screen(self._reading, closed)

    def _pause(self, row: Row) -> None:
        if row.phase == "paused":
            self._retry(row)
        elif row.active or row.phase == "waits":
            self._ask(lambda downloads: downloads.pause(row.item.id), f"pause {row.item.name}")

    def _pause_all(self) -> None:
        if any(row.active or row.phase == "waits" for row in self._flow.rows):
            self._ask(lambda downloads: downloads.pause_all(), "pause everything")
        elif any(row.phase == "paused" for row in self._flow.rows):
            self._ask(lambda downloads: downloads.resume_all(), "go on with everything")

    def _retry(self, row: Row) -> None:
        """Go on with one that failed or was paused; one that waits for its next try does not wait any longer."""
        if row.phase in ("failed", "paused"):
            self._ask(lambda downloads: downloads.retry(row.item.id), f"go on with {row.item.name}")
        elif row.phase == "again":
            self._ask(lambda downloads: downloads.hurry(row.item.id), f"go on with {row.item.name}")
            if row.elsewhere is not None:
                self._desk.tell(f"The puna that fetches it (process {row.elsewhere or '?'}) is asked to try again now.")

    def _earlier(self, row: Row) -> None:
        self._ask(lambda downloads: downloads.move(row.item.id, -1), f"move {row.item.name}")

    def _later(self, row: Row) -> None:
        self._ask(lambda downloads: downloads.move(row.item.id, 1), f"move {row.item.name}")

    def _cancel(self, row: Row) -> None:
        item = row.item
        if row.phase == "done" or not row.done_bytes or item.path:
            self._ask(lambda downloads: downloads.cancel(item.id), f"take {item.name} off the list")
            return
        from tui.app.screens.choose import ChooseScreen, Option

        came = size(row.done_bytes)
        options = [
            Option("drop", "keep", "take it off the list; what came stays, and a later pull goes on there", came),
            Option("cancel", "delete", "take it off the list, and delete what came", came),
        ]

        def chosen(how: str | None) -> None:
            if how == "drop":
                self._ask(lambda downloads: downloads.drop(item.id), f"take {item.name} off the list")
            elif how == "cancel":
                self._ask(lambda downloads: downloads.cancel(item.id), f"cancel {item.name}")

        self._desk.app.push_screen(ChooseScreen(f"Cancel {clean(item.name)}", options, self._desk.keymap), chosen)

    def _choose_limit(self) -> None:
        from tui.app.panels.downloads.limit import HINT, limit_text, parse_limit
        from tui.app.screens.write import WriteScreen

        def problem(text: str) -> str:
            try:
                parse_limit(text)
            except ValueError as error:
                return str(error)
            return ""

        def chosen(text: str | None) -> None:
            limit = parse_limit(text) if text is not None else self._flow.limit
            if limit != self._flow.limit:
                self._flow.limit_mib_s = limit
                self._ask(lambda downloads: downloads.limit(limit), "limit the downloads")
                self._desk.background.keep_setting("downloads.limit_mib_s", limit)
                self._flow.draw()

        title, now = "At most, for all downloads together", limit_text(self._flow.limit)
        screen = WriteScreen(title, now, self._desk.keymap, placeholder="no limit", hint=HINT, problem=problem)
        self._desk.app.push_screen(screen, chosen)
