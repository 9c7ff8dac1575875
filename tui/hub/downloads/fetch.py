"""One file from the hub to its place: fetched on from where its part ends, checked, and only then moved."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tui.config.plain import clean
from tui.config.sizes import size
from tui.hub.client import Hub
from tui.hub.downloads.digest import sha256_of
from tui.hub.downloads.errors import InTheWay, WrongSum
from tui.hub.downloads.part import SYNC_BYTES, Part, drop_part, open_part, set_aside
from tui.hub.downloads.persistence import Persistence, persist
from tui.hub.downloads.places import Place
from tui.hub.downloads.space import Look, check_going_on, look
from tui.hub.downloads.stop import Stop
from tui.hub.downloads.teller import Teller
from tui.hub.downloads.throttle import Throttle
from tui.hub.downloads.transfer import Transfer
from tui.hub.downloads.values import Item, Wanted


@dataclass(frozen=True, slots=True)
class Means:
    """What every download of a process works with."""

    hub: Hub
    throttle: Throttle
    persistence: Persistence
    look: Look = look


class FileFetch:
    """One file of an item; `before_bytes` of the item come before it. Blocks; for a worker thread."""

    def __init__(
        self, means: Means, item: Item, wanted: Wanted, place: Place, before_bytes: int, teller: Teller, stop: Stop
    ) -> None:
        self._means, self._item, self._wanted, self._place = means, item, wanted, place
        self._before, self._teller, self._stop = before_bytes, teller, stop

    def run(self) -> Path:
        """Where the file lies when all is done. Raises HubError and Cancelled; what was fetched is kept."""
        for last in (False, True):
            with open_part(self._place.parts, self._wanted, self._stop) as part:
                if self._is_there():
                    break
                if self._whole_and_right(part, last=last):
                    self._place.put(self._item, self._wanted, part.path)
                    break
        return persist(
            lambda: self._place.known_as(self._means.hub, self._item, self._wanted),
            self._means.persistence,
            self._stop,
            self._teller.again,
        )

    def _is_there(self) -> bool:
        """True when the file is where it should be; another one of that name stays as it is. Raises InTheWay."""
        found = self._place.found(self._item, self._wanted)
        if found is None:
            return False
        if not self._place.trusted() and self._sum(found) != self._wanted.sha256:
            raise InTheWay(f"{clean(str(found))} is another file; move it away, then retry")
        drop_part(self._place.parts, self._wanted)
        self._teller.fetched(self._before + self._wanted.size_bytes, 0)
        return True

    def _whole_and_right(self, part: Part, *, last: bool) -> bool:
        """Fetch what is missing and check it; a wrong one is set aside. Raises WrongSum when it was the last try."""
        persist(lambda: self._rest(part), self._means.persistence, self._stop, self._teller.again, lambda: part.length)
        part.finish()
        found = self._sum(part.path)
        if found == self._wanted.sha256:
            return True
        kept = set_aside(self._place.parts, self._wanted, self._item.id)
        text = f"{self._wanted.path} has SHA-256 {found} and not {self._wanted.sha256}"
        if last:
            raise WrongSum(f"{text}, again after it was fetched anew; the file at the hub or the way to it is damaged")
        self._teller.again(f"{text}; {'what came is set aside, and ' if kept else ''}it is fetched once more")
        return False

    def _rest(self, part: Part) -> None:
        transfer = Transfer(self._means.hub, self._item.repo, self._item.commit, self._wanted)
        self._teller.fetched(self._before + part.length, 0)
        if part.length >= self._wanted.size_bytes:
            return
        looked_at, told = part.length, False
        throttle = self._means.throttle
        with closing(transfer.rest(part.length, self._stop, throttle.at_once)) as pieces:
            for piece in pieces:
                if transfer.skipped_bytes and not told:
                    told = True
                    again = size(transfer.skipped_bytes)
                    self._teller.again(f"the server sends whole files only, so {again} travelled again")
                # What came is written before anything is waited for, so that an end in between costs none of it.
                part.write(piece)
                self._teller.fetched(self._before + part.length, len(piece))
                throttle.take(len(piece), self._stop)
                if part.length - looked_at >= SYNC_BYTES:
                    looked_at = part.length
                    check_going_on(self._place.parts, self._means.look)

    def _sum(self, path: Path) -> str:
        checked = 0

        def progress(done: int) -> None:
            nonlocal checked
            self._teller.checked(self._before + done, done - checked)
            checked = done

        return sha256_of(path, self._stop, progress)
