"""Where finished files go: the Hugging Face cache, by its client's own bookkeeping, or a folder that was chosen.

Parts lie on the same file system, so that a file appears whole or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import tui
from tui.config.files import move_new
from tui.config.plain import clean
from tui.hub.client import Hub
from tui.hub.downloads.errors import InTheWay, disk_trouble
from tui.hub.downloads.values import Item, Wanted
from tui.hub.told import in_words


class Place(Protocol):
    """Where the files of an item go."""

    parts: Path
    """Folder of the parts."""

    def found(self, item: Item, wanted: Wanted) -> Path | None:
        """The file if it is there already, by its name and length."""

    def trusted(self) -> bool:
        """True where a file of that name has that content; otherwise it is checked."""

    def put(self, item: Item, wanted: Wanted, verified: Path) -> None:
        """Move a part that is whole and right to where it belongs. Raises DownloadError."""

    def known_as(self, hub: Hub, item: Item, wanted: Wanted) -> Path:
        """The file that was put, as others find it. Raises HubError; may be asked again after one."""


def place_of(item: Item, cache: Path) -> Place:
    """The place that an item is meant for."""
    return ChosenFolder(Path(item.folder)) if item.folder else HubCache(cache)


def hub_cache() -> Path:
    """The Hugging Face cache as its client sees it."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE).expanduser().absolute()


class HubCache:
    """`models--org--name/{blobs/<sha256>, snapshots/<commit>/<path> → blob, refs/<branch>}`, which tools share."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self.parts = _parts_of(cache)

    def trusted(self) -> bool:
        return True

    def found(self, item: Item, wanted: Wanted) -> Path | None:
        blob = self._blob(item, wanted)
        return blob if _has_size(blob, wanted.size_bytes) else None

    def put(self, item: Item, wanted: Wanted, verified: Path) -> None:
        _move(verified, self._blob(item, wanted))

    def known_as(self, hub: Hub, item: Item, wanted: Wanted) -> Path:
        try:
            return self._kept(hub, item, wanted, item.revision)
        except _WouldFetch:
            # The branch has moved on meanwhile; the commit that was fetched stays what it is.
            return self._kept(hub, item, wanted, item.commit)

    def _kept(self, hub: Hub, item: Item, wanted: Wanted, revision: str) -> Path:
        from huggingface_hub import hf_hub_download

        with in_words(hub.asking(item.repo, file=wanted.path, revision=revision)):
            try:
                kept: Any = hf_hub_download(
                    item.repo,
                    wanted.path,
                    revision=revision,
                    cache_dir=self._cache,
                    endpoint=hub.endpoint,
                    token=hub.token,
                    etag_timeout=hub.patience.silence_s,
                    library_name="puna",
                    library_version=tui.__version__,
                    tqdm_class=_no_fetching(),
                )
            except OSError as error:
                if error.errno is None:
                    raise  # the client's own errors are of this kind, too
                raise disk_trouble(error, self._cache) from error
        return Path(kept)

    def _blob(self, item: Item, wanted: Wanted) -> Path:
        return self._cache / f"models--{item.repo.replace('/', '--')}" / "blobs" / wanted.sha256


class ChosenFolder:
    """`folder/org/name/path`: names of files repeat from one repository to the next."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.parts = folder / ".puna-parts"

    def trusted(self) -> bool:
        return False

    def found(self, item: Item, wanted: Wanted) -> Path | None:
        target = self._target(item, wanted)
        return target if _has_size(target, wanted.size_bytes) else None

    def put(self, item: Item, wanted: Wanted, verified: Path) -> None:
        target = self._target(item, wanted)
        try:
            _move(verified, target, move_new)
        except FileExistsError as error:
            raise InTheWay(f"{clean(str(target))} is another file; move it away, then retry") from error

    def known_as(self, hub: Hub, item: Item, wanted: Wanted) -> Path:
        return self._target(item, wanted)

    def _target(self, item: Item, wanted: Wanted) -> Path:
        return self._folder.joinpath(*item.repo.split("/"), *wanted.path.split("/"))


class _WouldFetch(BaseException):
    """The client was about to fetch a file; no error of the hub, so nothing else may take it for one."""


def _no_fetching() -> Any:
    """A progress bar that ends a download before it begins: all that is wanted of the client is its bookkeeping."""
    from huggingface_hub.utils import tqdm  # type: ignore[attr-defined]

    class NoFetching(tqdm):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(disable=True)  # type: ignore[no-untyped-call]  # so that it can be collected
            raise _WouldFetch

    return NoFetching


def _parts_of(cache: Path) -> Path:
    """Beside the cache, where its tools do not look; inside only where it is a file system of its own."""
    beside = cache.parent / "puna-parts"
    try:
        if cache.exists() and cache.stat().st_dev != cache.parent.stat().st_dev:
            return cache / ".locks" / "puna-parts"
    except OSError:
        pass  # told when it is written to
    return beside


def _move(verified: Path, target: Path, move: Callable[[Path, Path], object] = Path.replace) -> None:
    """Raises DownloadError; FileExistsError is `move`'s."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_trouble(error, target) from error
    try:
        move(verified, target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except FileExistsError:
        raise
    except OSError as error:
        raise disk_trouble(error, target) from error


def _has_size(path: Path, size_bytes: int) -> bool:
    try:
        return path.stat().st_size == size_bytes
    except OSError:
        return False
