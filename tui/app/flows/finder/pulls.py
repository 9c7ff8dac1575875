"""Models that are to be fetched before it is known which files they have: the Hub is asked for each, then one file of
it is chosen. What is asked for is not forgotten when something else is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.message import Message

from tui.app.flows.finder.words import other_words
from tui.app.panels.finder.wanted import PullWanted
from tui.app.text import clean, size
from tui.gguf.names import same_quant
from tui.hub.choice import nothing_there, recommended
from tui.hub.errors import HubError
from tui.models.threads import in_daemon_thread

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.hub.files import ModelRow, RepoFiles
    from tui.models.finder.sources import Sources
    from tui.models.finder.values import FinderRow


@dataclass
class FilesTold(Message):
    """The Hub has told which files there are of a model that is to be fetched, or why it does not."""

    wanted: FinderRow
    files: RepoFiles | None
    problem: str = ""


class Pulls:
    """Any number of wishes at a time."""

    def __init__(self, desk: Desk, sources: Sources) -> None:
        self._desk, self._sources = desk, sources

    def ask(self, row: FinderRow) -> None:
        """This is wanted."""
        app, ask = self._desk.app, partial(self._sources.source, row.listing.repo)

        async def work() -> None:
            try:
                told = FilesTold(row, (await in_daemon_thread(ask)).files)
            except HubError as error:
                told = FilesTold(row, None, str(error))
            app.post_message(told)

        run: Any = work  # Textual's types do not tell a coroutine function from any other
        name = f"see which files there are of {row.listing.name}"
        app.run_worker(run, group="finder-pull", description=name, exit_on_error=False)

    def told(self, event: FilesTold) -> None:
        """Have one of the files fetched."""
        wanted, files = event.wanted, event.files
        found, problem = chosen(wanted, files) if files is not None else (None, event.problem)
        if found is None:
            self._desk.tell(f"{wanted.listing.name} cannot be fetched: {problem}", "warning")
            return
        quant = found.quant or ""
        self._desk.tell(other_words(wanted, quant))
        if wanted.verdict == "no" and wanted.need_bytes is not None:
            name = f"{clean(wanted.listing.name)} {wanted.quant}"
            needs = f"{name} does not fit here: it needs {size(wanted.need_bytes)}"
            self._desk.tell(f"{needs}. It is fetched all the same; the downloads take it off the list.", "warning")
        self._desk.app.post_message(PullWanted(wanted.listing.repo, quant, found.path))


def chosen(wanted: FinderRow, files: RepoFiles) -> tuple[ModelRow | None, str]:
    """The file of the quantization that is wanted; where there is none, of those that take no more the one that takes
    most, else the one that is usually good. None, and why, where none can be fetched.
    """
    sound = [row for row in files.rows if row.problem is None]
    if not sound:
        return None, recommended(files.rows)[1] if files.rows else nothing_there(files)
    alike = [row for row in sound if row.quant and same_quant(row.quant, wanted.quant)]
    same = next((row for row in alike if row.quant == wanted.quant), alike[0] if alike else None)
    smaller = [row for row in sound if row.quant and row.file_bytes <= (wanted.file_bytes or 0)]
    if same is not None or smaller:
        return same or max(smaller, key=lambda row: row.file_bytes), ""
    return recommended(files.rows)
