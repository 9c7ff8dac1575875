"""Opening the history file: making it, bringing an older one up to date, refusing a newer one, setting a damaged one
aside. Nothing here changes a file that puna must not touch."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tui.chat import failures
from tui.chat.database import Database, suspect_file
from tui.chat.errors import StoreError
from tui.chat.owners import exclusive
from tui.chat.salvage import salvage
from tui.chat.schema import APPLICATION_ID, FORMAT, MIGRATIONS, SEARCH_TABLES, TABLES

_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100
_LAST_FIRST = {"chunks": "message_id DESC, seq DESC", "tags": "conversation_id DESC, tag DESC"}
"""The order of tables that have no column `id`."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A database that is ready, and what had to be done for it."""

    database: Database
    set_aside: Path | None = None
    salvaged: int = 0
    migrated_from: int | None = None


def open_database(path: Path | None, clock: Callable[[], float]) -> Opened:
    """Open the history at `path`, or one in memory; raises StoreError. `clock` gives Unix seconds."""
    if path is None:
        database = Database(None)
        database.configure()
        migrate(database)
        return Opened(database)
    try:
        _make_file(path)
        try:
            return _open_file(path)
        except StoreError as error:
            if error.kind != "damaged":
                raise
        with exclusive(path.with_name(f"{path.name}.lock")):
            return _replace_damaged(path, clock)
    except OSError as error:
        raise failures.from_os(error, path) from error


def migrate(database: Database) -> int | None:
    """Bring the tables up to date in one transaction; the format before, or None when nothing was to be done or the
    file was new."""
    if database.value("PRAGMA user_version") == FORMAT:
        return None
    with database.transaction():
        found = int(database.value("PRAGMA user_version"))  # again: another puna may have been first
        for statements in MIGRATIONS[found:]:
            for statement in statements:
                database.execute(statement)
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {FORMAT}")
    return found if 0 < found < FORMAT else None


def _make_file(path: Path) -> None:
    """Create folder and file, readable by their owner alone: conversations are private."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))


def _open_file(path: Path) -> Opened:
    _look_at_header(path)
    database = Database(path)
    try:
        _refuse_strangers(database, path)
        database.configure()
        migrated_from = migrate(database)
        _look_at_tables(database, path)
        _check_if_suspect(database, path)
    except BaseException:
        database.close()
        raise
    return Opened(database, migrated_from=migrated_from)


def _look_at_header(path: Path) -> None:
    """Refuse by the first bytes (https://www.sqlite.org/fileformat2.html#the_database_header): opening a file with
    SQLite may already change it."""
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if not header:
        return
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise failures.damaged(path, "it is not a database")
    version = int.from_bytes(header[60:64], "big")
    application = int.from_bytes(header[68:72], "big")
    if application == APPLICATION_ID and version > FORMAT:
        raise failures.newer(path, version, FORMAT)


def _refuse_strangers(database: Database, path: Path) -> None:
    """The same once more through SQLite, which also sees what is only in the write-ahead log."""
    version = database.value("PRAGMA user_version")
    if database.value("PRAGMA application_id") != APPLICATION_ID:
        if version or database.value("SELECT count(*) FROM sqlite_master"):
            raise failures.foreign(path)
    elif version > FORMAT:
        raise failures.newer(path, version, FORMAT)


def _look_at_tables(database: Database, path: Path) -> None:
    """Read a little of each table: enough to notice a file that was cut or overwritten, and quick at any size."""
    names = {name for (name,) in database.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if missing := (TABLES | SEARCH_TABLES) - names:
        raise failures.damaged(path, f"tables are missing: {', '.join(sorted(missing))}")
    for table in sorted(TABLES):
        database.rows(f"SELECT * FROM {table} ORDER BY {_LAST_FIRST.get(table, 'id DESC')} LIMIT 1")


def _check_if_suspect(database: Database, path: Path) -> None:
    """When damage was met in use: check the whole file. Search indexes are made anew, as they hold nothing of their
    own; any other damage is raised."""
    mark = suspect_file(path)
    if not mark.exists():
        return
    verdict = database.value("PRAGMA quick_check(1)")
    if verdict != "ok":
        raise failures.damaged(path, str(verdict))
    with database.transaction():
        for index in sorted(SEARCH_TABLES):
            database.execute(f"INSERT INTO {index} ({index}) VALUES ('rebuild')")
    mark.unlink(missing_ok=True)


def _replace_damaged(path: Path, clock: Callable[[], float]) -> Opened:
    """Try once more, as another puna may have replaced the file meanwhile; else move it away and start a new one with
    what can still be read of it."""
    try:
        return _open_file(path)
    except StoreError as error:
        if error.kind != "damaged":
            raise
    aside = _set_aside(path, clock())
    _make_file(path)
    database = _open_file(path).database
    try:
        salvaged = salvage(aside, database)
    except (OSError, StoreError):  # what was set aside stays where it is, and a new history is what there is
        salvaged = 0
    return Opened(database, set_aside=aside, salvaged=salvaged)


def _set_aside(path: Path, now: float) -> Path:
    """Rename the damaged file with its write-ahead log, which may hold what can still be read."""
    stamp = datetime.fromtimestamp(now).strftime("%Y%m%d-%H%M%S")
    aside = path.with_name(f"{path.stem}.damaged-{stamp}{path.suffix}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.stem}.damaged-{stamp}-{number}{path.suffix}")
    path.rename(aside)
    for ending in ("-wal", "-journal"):
        log = path.with_name(path.name + ending)
        if log.exists():
            log.rename(aside.with_name(aside.name + ending))
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    suspect_file(path).unlink(missing_ok=True)
    return aside
