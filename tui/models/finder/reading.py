"""One look at one repository, filled in step by step: its files, prices by formula, the header of the row in focus,
exact numbers, what would help, and the card beside all that.

Of one repository only one header travels: that of the row in focus. What goes wrong is told in the detail.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any

from tui.config.paths import Paths
from tui.fit.order import USUAL_N_CTX
from tui.fit.plan import plan
from tui.fit.speed import estimate
from tui.fit.values import Refused
from tui.gguf.errors import GgufError
from tui.hub.choice import nothing_there
from tui.hub.errors import Cancelled, HubError
from tui.hub.files import ModelRow
from tui.hub.header import fetch_start
from tui.hub.listing import Listing
from tui.llama.settings import LoadSettings, SettingsError
from tui.models.finder.detail import Detail, Here, Part, marked, plain_row, priced_row
from tui.models.finder.outline import context_for
from tui.models.finder.pricing import Pricer
from tui.models.finder.siblings import Pattern, pattern_of_header, pattern_of_start, upper_end
from tui.models.finder.sources import Source, Sources
from tui.models.finder.values import FinderRow
from tui.models.fitting import Fitting
from tui.models.headers import KnownHeader
from tui.models.machine import Seen, holders
from tui.models.prepare import may_move
from tui.models.remote import header_of_row, kept_header, subject_of_row
from tui.models.threads import in_daemon_thread
from tui.models.wishes import wished_settings


class Reading:
    """The steps, for one event loop."""

    def __init__(
        self, sources: Sources, paths: Paths, fitting: Fitting, listing: Listing, here: Here, focus: str
    ) -> None:
        """Nothing is asked before it runs."""
        self._sources, self._paths, self._fitting = sources, paths, fitting
        self._here = here
        self._detail = Detail(listing=listing, focused=focus)
        self._source: Source | None = None
        self._pattern: Pattern | None = None
        self._changed = asyncio.Event()
        self._closed = threading.Event()
        self._leave = threading.Event()
        """Set when another row is in focus."""
        self._tasks: dict[Part, asyncio.Task[None]] = {}

    async def run(self) -> AsyncGenerator[Detail, None]:
        """The detail, each time that it is another, until this is closed."""
        self._start("files", self._read_files())
        try:
            while not self._closed.is_set():
                yield self._detail
                await self._changed.wait()
                self._changed.clear()
                for task in self._tasks.values():
                    if task.done() and not task.cancelled():
                        task.result()  # nothing is expected to be raised, and nothing is hushed up
        finally:
            self.close()

    def close(self) -> None:
        """Nothing more is wanted."""
        self._closed.set()
        self._leave.set()
        for task in self._tasks.values():
            task.cancel()
        self._changed.set()

    def focus(self, file: str) -> None:
        """All is to be known of this row, as soon as there are rows."""
        if self._source is None:
            self._detail = replace(self._detail, focused=file)
        elif file != self._detail.focused or self._detail.problem or "header" not in self._tasks:
            self._leave.set()
            if "header" in self._tasks:
                self._tasks["header"].cancel()
            self._leave = threading.Event()
            self._tell(focused=file, header=None, report=None, problem="")
            self._start("header", self._read_header(self._source, file, self._leave))

    # ---- telling

    def _tell(self, **known: Any) -> None:
        detail = replace(self._detail, **known)
        if detail != self._detail:
            self._detail = detail
            self._changed.set()

    def _start(self, part: Part, work: Coroutine[Any, Any, None]) -> None:
        self._tasks[part] = task = asyncio.create_task(work)
        self._tell(asking=self._detail.asking | {part})
        task.add_done_callback(partial(self._ended, part))

    def _ended(self, part: Part, task: asyncio.Task[None]) -> None:
        if self._tasks.get(part) is task:
            self._tell(asking=self._detail.asking - {part})

    def _tell_problem(self, error: Exception) -> None:
        self._tell(problem=str(error), header=None)

    # ---- files and card

    async def _read_files(self) -> None:
        try:
            source = await in_daemon_thread(partial(self._sources.source, self._detail.listing.repo))
            self._show(source)
        except (HubError, SettingsError) as error:
            self._tell_problem(error)

    def _show(self, source: Source) -> None:
        """The files are known: show them, and go on with the row in focus and the card."""
        files, listing = source.files, self._detail.listing
        rows = tuple(plain_row(listing, file) for file in files.rows)
        self._tell(page=source.page, files=files, rows=marked(rows, files))
        self._source = source
        self._start("card", self._read_card(source))
        if not rows:
            self._tell(problem=nothing_there(files))
            return
        self._tell(rows=marked(self._by_card(rows), files))
        best = next((row.file for row in self._detail.rows if row.best), None)
        known = {row.path for row in files.rows}
        self.focus(self._detail.focused if self._detail.focused in known else best or files.rows[0].path)

    async def _read_card(self, source: Source) -> None:
        try:
            card = await in_daemon_thread(partial(self._sources.card, source, self._closed))
        except HubError as error:
            self._tell(card_problem=str(error))
        except Cancelled:
            return
        else:
            self._tell(card=card)

    def _by_card(self, rows: tuple[FinderRow, ...]) -> tuple[FinderRow, ...]:
        """Prices by what the listing says, until more is known."""
        seen, listing = self._here.seen, self._detail.listing
        if seen is None or not listing.parameters:
            return rows
        pricer = Pricer(
            seen.machine,
            n_ctx=self._here.n_ctx or USUAL_N_CTX,
            settings=self._wished(None),
            measured=self._fitting.measured,
        )
        return tuple(
            row
            if row.file in self._detail.problems
            else pricer.row(listing, row.quant, file=row.file, file_bytes=row.file_bytes)
            for row in rows
        )

    # ---- the row in focus

    async def _read_header(self, source: Source, file: str, leave: threading.Event) -> None:
        row = next((row for row in source.files.rows if row.path == file), None)
        if row is None or row.problem is not None:
            self._tell(problem=f"{row.quant or row.path} {row.problem}" if row is not None else "")
            return
        try:
            known, fetched_bytes = await self._header(source, row, leave)
            if self._here.seen is not None:
                await self._price(source, row, known, fetched_bytes, self._here.seen)
        except (HubError, GgufError, Refused, SettingsError) as error:
            self._tell_problem(error)
        except Cancelled:
            return

    async def _header(self, source: Source, row: ModelRow, leave: threading.Event) -> tuple[KnownHeader, int]:
        """A row's whole header; what it tells of the other rows is told before, and what its first bytes tell."""
        files = source.files
        kept = await asyncio.to_thread(kept_header, files, row, self._paths)
        known, fetched_bytes = (kept, 0) if kept is not None else await self._fetched(source, row, leave)
        if self._pattern is None or not self._pattern.whole:
            self._pattern = pattern_of_header(row, known)
            await self._estimate(self._pattern)
        return known, fetched_bytes

    async def _fetched(self, source: Source, row: ModelRow, leave: threading.Event) -> tuple[KnownHeader, int]:
        hub, files = source.hub, source.files
        if self._pattern is None:
            self._pattern = await asyncio.to_thread(self._kept_pattern, source)
        if self._pattern is None:
            start = await in_daemon_thread(partial(fetch_start, hub, files, row, cancel=leave))
            self._pattern = pattern_of_start(row, start)
        await self._estimate(self._pattern)
        progress = self._progress(leave)
        fetch = partial(header_of_row, hub, files, row, self._paths, progress=progress, cancel=leave)
        found = await in_daemon_thread(fetch)
        self._tell(header=None)
        return found

    def _kept_pattern(self, source: Source) -> Pattern | None:
        """What another row's header tells that was fetched before."""
        for row in source.files.rows:
            known = kept_header(source.files, row, self._paths)
            if known is not None:
                return pattern_of_header(row, known)
        return None

    def _progress(self, leave: threading.Event) -> Callable[[int, int], None]:
        loop = asyncio.get_running_loop()

        def tell(fetched: int, needed: int) -> None:
            if not leave.is_set():
                self._tell(header=(fetched, needed))

        def come(fetched: int, needed: int) -> None:
            loop.call_soon_threadsafe(tell, fetched, needed)

        return come

    async def _estimate(self, pattern: Pattern) -> None:
        """Prices of all rows that have no exact one, by formula."""
        seen = self._here.seen
        if seen is None or self._source is None:
            return
        files = self._source.files
        made = {row.path: await self._estimated(pattern, row, seen) for row in files.rows if row.problem is None}
        rows = tuple(row if row.exact else made.get(row.file or "") or row for row in self._detail.rows)
        self._tell(rows=marked(rows, files))

    async def _estimated(self, pattern: Pattern, file: ModelRow, seen: Seen) -> FinderRow:
        machine, shape = seen.machine, pattern.shape_for(file)
        wished = self._wished(shape.n_ctx_train)
        made = await plan(
            wished,
            shape,
            machine,
            upper_end(shape, machine),
            least_n_ctx=self._here.settings.fit.min_n_ctx or None,
            may_move=may_move(wished, asked=seen.asked) - {"kv"},
        )
        speed = None
        if made.assessment.verdict != "no":
            speed = estimate(shape, made.settings, made.prediction, machine, self._fitting.measured)
        row = plain_row(self._detail.listing, file)
        return priced_row(row, made.prediction, made.assessment, speed)

    async def _price(self, source: Source, row: ModelRow, known: KnownHeader, fetched_bytes: int, seen: Seen) -> None:
        """Exact numbers of one row, then what would help. The KV cache keeps the type that was asked for: that it may
        be another is one of the things that help.
        """
        settings, subject = self._here.settings, subject_of_row(source.files, row, known, fetched_bytes)
        wished = self._wished(known.shape.n_ctx_train)
        movable = may_move(wished, asked=seen.asked) - {"kv"}
        made = await self._fitting.plan(subject, wished, seen.machine, settings, may_move=movable)
        priced = self._fitting.priced(subject, made.settings, seen.machine, made.prediction)
        rows = tuple(
            priced_row(other, made.prediction, made.assessment, priced.speed) if other.file == row.path else other
            for other in self._detail.rows
        )
        self._tell(rows=marked(rows, source.files))
        others = holders(self._here.snapshot, seen) if self._here.snapshot is not None else ()
        report = await self._fitting.report(subject, made, seen.machine, others=others, notes=seen.notes)
        self._tell(report=report)

    def _wished(self, n_ctx_train: int | None) -> LoadSettings:
        """The person's defaults, with the context that counts. Raises SettingsError."""
        n_ctx = self._here.n_ctx
        flags = {} if n_ctx is None else {"n_ctx": context_for(n_ctx_train or None, n_ctx)}
        return wished_settings(flags, {}, self._here.settings.load.values())
